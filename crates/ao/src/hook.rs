//! `ao hook AGENT EVENT`: what an agent tells by its hooks goes into the spool, and the daemon is nudged.
//!
//! It never fails the agent and never waits for the daemon: whatever goes wrong, it prints nothing and exits with 0.

use ao_core::hook::{HookPayload, SpooledHook};
use ao_core::id::{LaunchId, SessionId};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Write};
use std::net::Shutdown;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Most that is read of what the agent tells; a tool's whole output may be in it.
const MOST: usize = 1 << 20;

/// Calls that wait while no daemon runs: a day of one busy agent, or an hour of twenty, and at most some megabytes.
const MOST_WAITING: usize = 4096;

/// A decision about leave is waited for no longer than this; then the agent's own dialog stays.
const DECIDES_WITHIN: Duration = Duration::from_secs(2);

/// Longest decision: a line of JSON.
const LONGEST_DECISION: u64 = 16 * 1024;

/// An agent that does not close its end is not waited for longer than this.
const LISTEN: Duration = Duration::from_secs(1);

/// Writes the call into `$AO_HOME/spool` and nudges `$AO_HOME/run/hooks.sock`. `args` is what follows `ao hook`: the agent,
/// the event and, for agents that say it so, the payload; otherwise the payload comes by standard input.
///
/// The file is called `NANOSECONDS-PID.json`, so that names in order are calls in order.
#[must_use]
pub fn run(args: &[OsString]) -> ExitCode {
    // Outside a session of ours there is nobody to tell, and an agent has no use for our troubles.
    let _ = told(args);
    ExitCode::SUCCESS
}

fn told(args: &[OsString]) -> Option<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let decide = args.first().is_some_and(|first| first == "--decide");
    let args = args.get(usize::from(decide)..)?;
    let word = |n: usize| args.get(n).and_then(|a| a.to_str());
    // First of all: an agent that writes to nobody would see a broken pipe.
    let payload = match word(2) {
        Some(json) => HookPayload::read(json.as_bytes()),
        None => HookPayload::read(&listen().unwrap_or_default()),
    };
    let (agent, event) = (word(0)?, word(1)?);
    let home = std::env::var_os("AO_HOME")?;
    let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let hook = SpooledHook {
        session: SessionId::new(variable("AO_SESSION")?),
        launch: LaunchId::new(variable("AO_LAUNCH")?),
        secret: variable("AO_HOOK_SECRET")?,
        agent: agent.to_owned(),
        event: event.to_owned(),
        at_unix_ms: u64::try_from(now.as_millis()).ok()?,
        payload,
    };
    let home = Path::new(&home);
    // A decision says more than the call that asked for it; without one the call is told like every other.
    if decide && let Some(decision) = decided(&home.join("run").join("leave.sock"), &hook) {
        return io::stdout().lock().write_all(decision.as_bytes()).ok();
    }
    let name = format!("{:020}-{}", now.as_nanos(), std::process::id());
    let spooled = home.join("spool");
    spool(&spooled, &name, &serde_json::to_vec(&hook).ok()?).ok()?;
    // Only what nobody takes can grow: a daemon that is there empties it.
    nudge(&home.join("run").join("hooks.sock")).or_else(|_| bound(&spooled, &name)).ok()
}

/// Asks the daemon for a decision about leave: none when there is no daemon, when it does not know, and when it takes long.
fn decided(socket: &Path, hook: &SpooledHook) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(DECIDES_WITHIN)).ok()?;
    stream.set_write_timeout(Some(DECIDES_WITHIN)).ok()?;
    stream.write_all(&serde_json::to_vec(hook).ok()?).ok()?;
    stream.shutdown(Shutdown::Write).ok()?;
    let mut decision = String::new();
    stream.take(LONGEST_DECISION).read_to_string(&mut decision).ok()?;
    // Half an answer is none.
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&decision).ok().map(|_| decision)
}

/// Reads standard input to its end, at most for a while, and keeps its beginning: an agent whose hook stops reading early
/// would see a broken pipe.
fn listen() -> io::Result<Vec<u8>> {
    let stdin = io::stdin();
    let until = Instant::now() + LISTEN;
    let mut kept = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let limit = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        if rustix::event::poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&limit))? == 0 {
            return Ok(kept);
        }
        let count = rustix::io::read(&stdin, &mut buffer)?;
        if count == 0 {
            return Ok(kept);
        }
        let room = MOST - kept.len();
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
}

/// A whole file or none: readers take only names that end in `.json`.
fn spool(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = dir.join(format!("{name}.part"));
    let open = || fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary);
    let mut file = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::DirBuilder::new().mode(0o700).create(dir)?;
            open()?
        }
        opened => opened?,
    };
    let written = file.write_all(bytes).and_then(|()| fs::rename(&temporary, dir.join(format!("{name}.json"))));
    if written.is_err() {
        // What is not whole must not stay; a failure to remove it changes nothing for the reader.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Takes the call back when there are too many already: the oldest tell how everything began, and the screen tells how it
/// stands.
fn bound(dir: &Path, name: &str) -> io::Result<()> {
    if fs::read_dir(dir)?.take(MOST_WAITING + 1).count() > MOST_WAITING {
        fs::remove_file(dir.join(format!("{name}.json")))?;
    }
    Ok(())
}

/// Tells a daemon that is there; one that is not looks into the spool when it starts.
fn nudge(socket: &Path) -> io::Result<()> {
    let datagram = UnixDatagram::unbound()?;
    datagram.set_nonblocking(true)?;
    datagram.send_to(&[], socket).map(|_| ())
}
