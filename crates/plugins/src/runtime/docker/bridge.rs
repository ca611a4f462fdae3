//! The process between a session host and a container: the host's child, which passes bytes both ways.
//!
//! The host keeps log, screen and history as for any program; the container belongs to the engine. So neither the daemon's
//! death nor the host's ends the agent, and the bridge ends a container only by passing on the signals that it gets.

use super::attach::{Attached, attach};
use super::end::{End, State};
use super::engine::Engine;
use super::files::{Files, GATE, Record};
use super::relay;
use super::replay;
use super::tty::Tty;
use bollard::query_parameters::StartContainerOptions;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::signal::unix::{SignalKind, signal};

/// Exit code when there is no container to speak of; `docker run` has the same.
const NO_CONTAINER: u8 = 125;

/// Bytes per read; a Linux terminal takes no more at once.
const READ: usize = 4096;

/// How long a container whose terminal was closed may take to be over before the terminal is asked for again.
const SETTLES_WITHIN: Duration = Duration::from_secs(2);

/// The first pause before an engine that does not answer is asked again; it doubles up to [`LONGEST_PAUSE`], for ever: an
/// engine that is away says nothing about the agent.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long a terminal has another size so that the program draws everything again.
const OTHER_SIZE: Duration = Duration::from_millis(100);

/// Why the bridge leaves.
enum Leave {
    /// The container ended.
    Ended(End),
    /// The host is gone: the container stays for the next one.
    HostGone,
}

struct Bridge {
    files: Files,
    record: Record,
    tty: Tty,
}

/// Runs the bridge of the launch in this directory, on the terminal that is its standard input. Its exit code is the
/// container's; what lies behind the code is in the launch's directory.
#[must_use]
pub fn bridge(launch_dir: &Path) -> ExitCode {
    let files = Files::new(launch_dir);
    let record = match files.record() {
        Ok(Some(record)) => record,
        Ok(None) => return failed("the launch has no container"),
        Err(error) => return failed(&error.to_string()),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.to_string()),
    };
    let code = runtime.block_on(async {
        let tty = match Tty::raw() {
            Ok(tty) => tty,
            Err(error) => return failed(&format!("standard input is no terminal: {error}")),
        };
        Bridge { files, record, tty }.run().await
    });
    // A signal's future may still hold a thread; nothing is left to wait for.
    runtime.shutdown_background();
    code
}

fn failed(why: &str) -> ExitCode {
    // Standard error is the session's terminal: the person who looks at it reads why there is nothing else.
    drop(writeln!(io::stderr(), "ao container-bridge: {why}"));
    ExitCode::from(NO_CONTAINER)
}

impl Bridge {
    async fn run(self) -> ExitCode {
        let leave = tokio::select! {
            leave = self.carry() => leave,
            () = relay::pass_on(self.files.clone(), self.record.clone()) => Leave::HostGone,
            () = self.signals() => Leave::HostGone,
        };
        match leave {
            Leave::HostGone => ExitCode::from(NO_CONTAINER),
            Leave::Ended(end) => self.ended(end).await,
        }
    }

    /// Records the end, says what a code does not, and removes the container.
    async fn ended(&self, end: End) -> ExitCode {
        relay::collect(&self.files, &self.record);
        let end = self.files.completed(end);
        let Record { program, image, memory, .. } = &self.record;
        if let Some(words) = end.words(program, image, *memory) {
            self.say(&words).await;
        }
        // Only what is written down may be removed: the engine's memory is the other record.
        if self.files.keep_end(&end).is_ok()
            && let Ok(engine) = Engine::open(&self.record.socket).await
        {
            // What stays is removed by the daemon.
            let _ = engine.remove(&self.record.id).await;
        }
        ExitCode::from(u8::try_from(end.code).unwrap_or(NO_CONTAINER))
    }

    async fn say(&self, words: &str) {
        // A host that is gone has nobody to tell.
        let _ = self.tty.write(format!("\r\n[ao: {words}]\r\n").as_bytes()).await;
    }

    /// Passes bytes until the container has ended.
    async fn carry(&self) -> Leave {
        let (mut pause, mut seen, mut told) = (FIRST_PAUSE, false, false);
        loop {
            match self.round(&mut seen).await {
                Ok(Some(leave)) => return leave,
                Ok(None) => (pause, told) = (FIRST_PAUSE, false),
                Err(why) => {
                    if !self.tty.is_open() {
                        return Leave::HostGone;
                    }
                    if !std::mem::replace(&mut told, true) {
                        self.say(&format!("{why}; it is asked again until it answers")).await;
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// One attachment from its beginning to its end. `seen`: what the container printed so far was passed on.
    async fn round(&self, seen: &mut bool) -> Result<Option<Leave>, String> {
        let engine = Engine::open(&self.record.socket).await.map_err(|fault| fault.message)?;
        let id = &self.record.id;
        let begins = match engine.state(id).await.map_err(|fault| fault.message)? {
            State::Absent => return Ok(Some(Leave::Ended(End::lost()))),
            State::Ended(end) => return Ok(Some(Leave::Ended(end))),
            State::Created => true,
            State::Running { .. } => false,
        };
        if !begins && !std::mem::replace(seen, true) {
            replay::print(&self.files, &self.tty).await.map_err(|e| e.to_string())?;
        }
        // Attached before it starts, so that its first byte is not missed.
        let attached = attach(&self.record.socket, id).await.map_err(|e| e.to_string())?;
        if begins {
            *seen = true;
            if let Err(error) = engine.docker().start_container(id, None::<StartContainerOptions>).await {
                let fault = engine.fault("start its container", &error);
                return match engine.state(id).await.map_err(|fault| fault.message)? {
                    State::Created | State::Ended(_) => Ok(Some(Leave::Ended(End {
                        code: NO_CONTAINER.into(),
                        error: fault.message,
                        ..End::default()
                    }))),
                    State::Running { .. } | State::Absent => Err(fault.message),
                };
            }
        }
        let pass = async {
            self.fit(&engine, begins).await;
            // Open until the bridge leaves: the agent's start waits for somebody at this end of the pipe.
            let _gate = self.open_gate();
            std::future::pending::<()>().await;
        };
        let leave = tokio::select! {
            leave = self.copy(attached) => leave,
            () = pass => None,
        };
        if leave.is_some() {
            return Ok(leave);
        }
        match engine.ended_within(id, SETTLES_WITHIN).await.map_err(|fault| fault.message)? {
            State::Ended(end) => Ok(Some(Leave::Ended(end))),
            State::Absent => Ok(Some(Leave::Ended(End::lost()))),
            State::Created | State::Running { .. } => Ok(None),
        }
    }

    /// Gives the container's terminal this one's size. A program that runs already is made to draw everything again.
    async fn fit(&self, engine: &Engine, begins: bool) {
        let Some((cols, rows)) = self.tty.size() else { return };
        // A program that has ended meanwhile has no terminal.
        if !begins {
            let _ = engine.resize(&self.record.id, cols, rows.saturating_sub(1).max(1)).await;
            tokio::time::sleep(OTHER_SIZE).await;
        }
        let _ = engine.resize(&self.record.id, cols, rows).await;
    }

    /// Reading and writing at once: opening it never waits, whoever is there.
    fn open_gate(&self) -> io::Result<File> {
        File::options().read(true).write(true).open(self.files.gate().join(GATE))
    }

    /// Copies until one end is closed; `None` when that is the container's.
    async fn copy(&self, attached: Attached) -> Option<Leave> {
        let Attached { stream, first } = attached;
        let (output, input) = stream.into_split();
        tokio::select! {
            leave = self.print(&first, output) => leave,
            leave = self.type_in(input) => leave,
        }
    }

    async fn print(&self, first: &[u8], mut output: OwnedReadHalf) -> Option<Leave> {
        if self.tty.write(first).await.is_err() {
            return Some(Leave::HostGone);
        }
        let mut bytes = [0; READ];
        loop {
            match output.read(&mut bytes).await {
                Ok(0) | Err(_) => return None,
                Ok(count) => {
                    if self.tty.write(&bytes[..count]).await.is_err() {
                        return Some(Leave::HostGone);
                    }
                }
            }
        }
    }

    async fn type_in(&self, mut input: OwnedWriteHalf) -> Option<Leave> {
        let mut bytes = [0; READ];
        loop {
            let count = match self.tty.read(&mut bytes).await {
                Ok(0) | Err(_) => return Some(Leave::HostGone),
                Ok(count) => count,
            };
            if input.write_all(&bytes[..count]).await.is_err() {
                // The other direction reads what was printed last, and finds the end.
                return std::future::pending().await;
            }
        }
    }

    /// Passes on what the bridge is told: sizes, and the wish that it ends. Returns when the host is gone.
    async fn signals(&self) {
        let caught =
            (signal(SignalKind::window_change()), signal(SignalKind::hangup()), signal(SignalKind::terminate()));
        let (Ok(mut size), Ok(mut hangup), Ok(mut terminate)) = caught else { return std::future::pending().await };
        loop {
            let name = tokio::select! {
                _ = size.recv() => None,
                _ = hangup.recv() => Some("HUP"),
                _ = terminate.recv() => Some("TERM"),
            };
            if !self.tty.is_open() {
                return;
            }
            // An engine that is away cannot be told; the host goes on to force by itself.
            let Ok(engine) = Engine::open(&self.record.socket).await else { continue };
            let _ = match (name, self.tty.size()) {
                (Some(name), _) => engine.signal(&self.record.id, name).await,
                (None, Some((cols, rows))) => engine.resize(&self.record.id, cols, rows).await,
                (None, None) => Ok(()),
            };
        }
    }
}
