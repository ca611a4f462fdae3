//! A key to its echo: through WebSocket, daemon, host and terminal, beside a tmux client, alone and while another session
//! floods.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::benchmark::Benchmark;
use crate::figure::{Bar, Figure, Figures, Quantity, Unit, middle};
use crate::peer::Tmux;
use crate::relay::Relay;
use crate::stage::{Stage, directory};
use crate::stream::Stream;
use crate::web::{Socket, Web, port};
use crate::{os, terminal};

/// Keys of one round.
const KEYS: usize = 200;
const ROUNDS: usize = 5;
/// Between two keys: nobody types faster.
const PAUSE: Duration = Duration::from_millis(3);
/// Beside tmux alone (issue B; the aim is 1.0), and while another session floods (issue B; the aim is 0.35).
const MOST_TIMES: f64 = 1.2;
const MOST_TIMES_IN_FLOOD: f64 = 0.5;
const LIMIT: Duration = Duration::from_secs(20);
/// Kinds of frames of the terminal's WebSocket.
const OUTPUT: u8 = 1;
const TYPED: u8 = 16;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "echo",
    about: "a key to its echo by `cat`, 3 ms apart: medians of 5 rounds of 200 keys, taking turns; beside a tmux client, a relay of two that only pass bytes on, and a bare terminal",
    by_default: true,
    run,
};

fn run(ao: &Path, _: &Path) -> Result<Figures> {
    let mut figures = Figures::new();
    for flood in [false, true] {
        let Rounds { ours, tmux, relay, bare } = rounds(ao, flood)?;
        let bar = if flood { MOST_TIMES_IN_FLOOD } else { MOST_TIMES };
        let name = if flood { "while another session floods" } else { "alone" };
        let quantity = |times: &[Duration]| Quantity::new(middle(times).as_secs_f64() * 1e6, Unit::Microseconds);
        if !tmux.is_empty() {
            let figure = Figure::new(format!("{name}, p50 beside tmux"), quantity(&ours));
            figures.push(figure.floor(quantity(&tmux)).bar(Bar::Times(bar)));
        }
        let figure = Figure::new(format!("{name}, p50 beside a relay of the same shape"), quantity(&ours));
        figures.push(figure.floor(quantity(&relay)));
        let figure = Figure::new(format!("{name}, p50 beside a bare terminal"), quantity(&ours));
        figures.push(figure.floor(quantity(&bare)));
        if !tmux.is_empty() {
            let figure = Figure::new(format!("{name}, that relay beside tmux"), quantity(&relay));
            figures.push(figure.floor(quantity(&tmux)));
        }
    }
    Ok(figures)
}

type Times = Vec<Duration>;

/// A median for each round.
#[derive(Default)]
struct Rounds {
    ours: Times,
    tmux: Times,
    relay: Times,
    bare: Times,
}

fn rounds(ao: &Path, flood: bool) -> Result<Rounds> {
    let place = directory()?;
    let file = place.path().join("flood");
    fs::write(&file, Stream::Plain.bytes(4 << 20))?;
    let script = format!("while :; do cat {}; done", file.display());
    let mut rounds = Rounds::default();
    for _ in 0..ROUNDS {
        // One after the other, or the floods would share the machine.
        os::go_on()?;
        rounds.ours.push(through_daemon(ao, flood.then_some(&script))?);
        if let Some(time) = through_tmux(flood.then_some(&script))? {
            rounds.tmux.push(time);
        }
        rounds.relay.push(through_nothing(flood.then_some(&script), true)?);
        rounds.bare.push(through_nothing(flood.then_some(&script), false)?);
    }
    Ok(rounds)
}

/// The median time of a round's keys.
fn keys(mut press: impl FnMut(u8) -> Result<()>) -> Result<Duration> {
    let mut times = Times::new();
    for key in (b'a'..=b'z').cycle().take(KEYS) {
        os::go_on()?;
        std::thread::sleep(PAUSE);
        let begin = Instant::now();
        press(key)?;
        times.push(begin.elapsed());
    }
    Ok(middle(&times))
}

fn through_daemon(ao: &Path, flood: Option<&String>) -> Result<Duration> {
    let stage = Stage::with_daemon(ao)?;
    let new = |argv: &[&str]| -> Result<String> {
        let said = stage.ask(&[&["new", "--agent", "shell", "--no-prompt", "--"], argv].concat())?;
        said["id"].as_str().map(str::to_owned).with_context(|| format!("an id in {said}"))
    };
    let id = new(&["cat"])?;
    stage.rest()?;
    if let Some(script) = flood {
        new(&["sh", "-c", script])?;
    }
    let path = format!("/api/sessions/{id}/terminal?cols=120&rows=40");
    let mut socket = Web::connect(port(&stage.data())?)?.upgrade(&path)?;
    // The first message is the screen.
    socket.next()?;
    press_and_see(&mut socket, b'.')?;
    keys(|key| press_and_see(&mut socket, key))
}

fn press_and_see(socket: &mut Socket, key: u8) -> Result<()> {
    socket.send(&[TYPED, key])?;
    let begin = Instant::now();
    loop {
        let message = socket.next()?;
        // Nine bytes of kind and offset, then output.
        if message.first() == Some(&OUTPUT) && message.iter().skip(9).any(|byte| *byte == key) {
            return Ok(());
        }
        if begin.elapsed() > LIMIT {
            bail!("a key was not echoed");
        }
    }
}

fn through_tmux(flood: Option<&String>) -> Result<Option<Duration>> {
    let root = directory()?;
    let Some(tmux) = Tmux::start(root.path())? else { return Ok(None) };
    if let Some(script) = flood {
        tmux.call(&["new-session", "-d", "-s", "flood", "-x", "120", "-y", "40", script])?;
    }
    let mut client = tmux.command();
    client.args(["attach-session", "-t", "keep"]);
    let mut terminal = Typist::start(client)?;
    // What is drawn at first ends with silence.
    terminal.silence()?;
    let time = keys(|key| terminal.press(key))?;
    drop(tmux);
    Ok(Some(time))
}

/// Beside a bare terminal, or a relay of two before one.
fn through_nothing(flood: Option<&String>, relayed: bool) -> Result<Duration> {
    let mut other = match flood {
        None => None,
        Some(script) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", script]);
            Some(Typist::start(shell)?)
        }
    };
    let reader = other.as_ref().map(|typist| typist.host_end.try_clone()).transpose()?;
    let drain = reader.map(|mut file| {
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while matches!(file.read(&mut bytes), Ok(1..)) {}
        })
    });
    let time = if relayed {
        let mut relay = Relay::start(Command::new("cat"))?;
        relay.press(b'.')?;
        keys(|key| relay.press(key))
    } else {
        let mut terminal = Typist::start(Command::new("cat"))?;
        terminal.press(b'.')?;
        keys(|key| terminal.press(key))
    };
    if let Some(other) = &mut other {
        other.end();
    }
    drop(other);
    if let Some(drain) = drain {
        // It ends with the terminal.
        drop(drain.join());
    }
    time
}

/// A program on a terminal of ours.
#[derive(Debug)]
struct Typist {
    host_end: fs::File,
    child: Child,
}

impl Typist {
    fn start(mut command: Command) -> Result<Self> {
        let (host_end, program_end): (OwnedFd, OwnedFd) = terminal::open()?;
        terminal::attach(&mut command, program_end)?;
        let child = command.spawn()?;
        Ok(Self { host_end: host_end.into(), child })
    }

    fn press(&mut self, key: u8) -> Result<()> {
        self.host_end.write_all(&[key])?;
        let mut bytes = [0; 4096];
        loop {
            let count = self.host_end.read(&mut bytes)?;
            if bytes[..count].contains(&key) {
                return Ok(());
            }
        }
    }

    /// Reads until nothing comes for a while.
    fn silence(&mut self) -> Result<()> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let quiet = Timespec { tv_sec: 0, tv_nsec: 300_000_000 };
        let mut bytes = [0; 4096];
        loop {
            let mut fds = [PollFd::new(&self.host_end, PollFlags::IN)];
            if poll(&mut fds, Some(&quiet))? == 0 {
                return Ok(());
            }
            let _ = self.host_end.read(&mut bytes)?;
        }
    }

    fn end(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // Gone meanwhile: the same.
            let _ = kill_process_group(pid, Signal::KILL);
        }
        drop(self.child.wait());
    }
}

impl Drop for Typist {
    fn drop(&mut self) {
        self.end();
    }
}
