//! Starts the daemon, top to bottom: lock, journal, facts, loop, actors, doors; and ends it in the other order.

use crate::clock::{self, Clock};
use crate::engine::{Committed, Engine, INBOUND};
use crate::http::{self, Listeners};
use crate::instance::{Instance, InstanceError, start_time};
use crate::journal::Journal;
use crate::journal::recover::{OpenError, Reserve};
use crate::paths::Paths;
use crate::perform::Performer;
use crate::supervisor::{self, Supervisor};
use crate::{leave, projection, spool};
use ao_api::project::DaemonFile;
use ao_core::effect::Effect;
use ao_core::event::Event;
use ao_core::facts::{Delta, Facts};
use ao_core::id::{LaunchId, SessionId};
use ao_core::session::{Phase, Process};
use ao_core::time::Time;
use ao_slots::Registry;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How to start.
pub struct Options {
    /// The data root.
    pub root: PathBuf,
    /// The plugins.
    pub registry: Registry,
    /// Port for browsers.
    pub port: Port,
    /// Version to announce.
    pub version: String,
    /// Sessions that may work at the same time, 0 for no bound.
    pub places: u32,
}

/// Which port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// This one, or an error that names who has it.
    Exactly(u16),
    /// This one, or the next free one.
    From(u16),
}

/// The port when nobody says otherwise.
pub const DEFAULT_PORT: u16 = 3000;

/// Ports tried after the default one.
const PORTS_TRIED: u16 = 100;

/// Why the daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another daemon runs, or the data root cannot be used.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// The journal does not open.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// The configured port is taken.
    #[error("port {port} is taken{by}")]
    PortTaken {
        /// The port.
        port: u16,
        /// ` by …`, when that is known.
        by: String,
    },
    /// Something else of the system failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Runs the daemon until `shutdown`; `ready` is told how to find it.
///
/// # Errors
/// [`StartError`]; then nothing was started.
pub async fn run(
    options: Options,
    shutdown: CancellationToken,
    ready: impl FnOnce(&DaemonFile),
) -> Result<(), StartError> {
    let paths = Paths::new(&options.root);
    let instance = Instance::take(&paths)?;
    let (journal, opened) = Journal::open::<Event, Delta, Effect, Facts>(paths.root())?;
    let (tcp, url) = listen(options.port).await?;
    let unix = listen_unix(&paths)?;

    let mut notes = Vec::new();
    if let Some(cut) = &opened.cut {
        notes.push(format!(
            "a torn last line of {} bytes was cut from {} (line {})",
            cut.bytes,
            cut.path.display(),
            cut.line
        ));
    }
    if let Some(problem) = &opened.snapshot_problem {
        notes.push(format!("the journal's snapshot was not used, the whole history was read instead: {problem}"));
    }
    if let Reserve::Missing(why) = &opened.reserve {
        notes.push(format!("there is no reserve file for a full disk: {why}"));
    }
    for skipped in &opened.skipped {
        notes.push(format!("line {} of the journal is of a newer ao and was skipped", skipped.seq));
    }
    // A snapshot's wall time stands for machine time: after a reboot the clock starts no earlier than either.
    let (mut facts, mut last) = opened.snapshot.map_or_else(|| (Facts::default(), Time(0)), |s| (s.state, Time(s.at)));
    for record in opened.records {
        last = last.max(Time(record.time));
        facts.apply_all(record.delta);
    }
    let boot_id = clock::boot_id();
    let clock = Clock::start(&facts.machine, &boot_id, last);

    let (inbound, receiver) = mpsc::channel(INBOUND);
    let committed = Committed { facts: facts.clone(), seq: journal.committed().last_seq };
    let engine = Engine::new(committed, inbound, journal.reader(), clock, paths.clone(), options.registry);
    let tasks = TaskTracker::new();
    let performer = Performer::new(engine.clone(), tokio::runtime::Handle::current(), tasks.clone(), shutdown.clone());

    let all = facts.sessions.keys().cloned().collect();
    projection::write(&facts, &all, engine.now());
    let pending: Vec<Effect> = facts
        .pending
        .values()
        .filter(|p| p.again.is_none())
        .filter(|p| recoverable(p))
        .map(|p| p.effect.clone())
        .collect();
    let launches = launches(&facts);

    let (supervisor, due) = Supervisor::new(facts, journal, engine.clone(), performer.clone(), receiver);
    let timer = tasks.spawn(supervisor::timer(engine.clone(), due));
    let supervising = std::thread::Builder::new()
        .name("supervisor".to_owned())
        .spawn(move || supervisor.run())
        .map_err(|source| StartError::Io { what: "the loop's thread".to_owned(), source })?;

    let started = Event::DaemonStarted { version: options.version.clone(), boot_id, clock_base: clock.base() };
    for event in [started, Event::PlacesMeasured { places: options.places }] {
        if let Err(fault) = engine.command(event).await {
            notes.push(fault.message);
        }
    }
    let watcher = performer.watcher();
    for (session, launch) in launches {
        watcher.adopt(session, launch);
    }
    for effect in pending {
        performer.perform(effect);
    }
    let spooling = tasks.spawn(spool::follow(engine.clone(), shutdown.clone()));
    let leaving = tasks.spawn(leave::answer(engine.clone(), shutdown.clone()));

    let pid = std::process::id();
    let file = DaemonFile {
        pid,
        started: start_time(pid).unwrap_or(0),
        version: options.version.clone(),
        url: url.clone(),
        socket: paths.daemon_socket().display().to_string(),
    };
    instance
        .announce(&paths, &file)
        .map_err(|source| StartError::Io { what: paths.daemon_file().display().to_string(), source })?;
    ready(&file);
    let about = http::About { version: options.version, url, notes };
    let served = http::serve(engine.clone(), Listeners { tcp, unix }, about, shutdown.clone()).await;

    // Doors are closed. Effects that are cut off stay pending; the loop ends after what was sent before.
    shutdown.cancel();
    timer.abort();
    if let Ok(Err(e)) = spooling.await {
        tracing::warn!(error = %e, "the hook spool was not followed");
    }
    if let Ok(Err(e)) = leaving.await {
        tracing::warn!(error = %e, "hooks that asked for leave were not answered");
    }
    tasks.close();
    tasks.wait().await;
    engine.finish().await;
    drop((engine, performer, watcher));
    let joined = tokio::task::spawn_blocking(move || supervising.join()).await;
    if !matches!(joined, Ok(Ok(()))) {
        tracing::error!("the loop ended badly");
    }
    // A daemon that is gone is not announced.
    let _ = std::fs::remove_file(paths.daemon_file());
    for socket in [paths.daemon_socket(), paths.hook_socket(), paths.leave_socket()] {
        let _ = std::fs::remove_file(socket);
    }
    drop(instance);
    served.map_err(|source| StartError::Io { what: "serving".to_owned(), source })
}

/// What may simply be done again; an effect of class `once` that was on its way is not.
fn recoverable(pending: &ao_core::facts::Pending) -> bool {
    use ao_core::effect::Recovery;
    match pending.effect.recovery() {
        Recovery::Converge | Recovery::Keyed | Recovery::Probe => true,
        Recovery::Once => false,
    }
}

/// Launches that may still run.
fn launches(facts: &Facts) -> Vec<(SessionId, LaunchId)> {
    let open = facts.sessions.values().filter(|s| match (&s.phase, &s.process) {
        (Phase::Live | Phase::Launching | Phase::Stopping { .. }, Process::Alive | Process::ProbeFailed { .. }) => true,
        (Phase::Live | Phase::Stopping { .. }, Process::Unknown | Process::Missing) => true,
        (
            Phase::Queued { .. }
            | Phase::Preparing
            | Phase::Launching
            | Phase::Ended { .. }
            | Phase::Live
            | Phase::Stopping { .. },
            _,
        ) => false,
    });
    open.filter_map(|s| s.launch.clone().map(|l| (s.id.clone(), l))).collect()
}

/// Whether a daemon could serve on a port.
///
/// # Errors
/// [`StartError::PortTaken`], with the program that has it where that is known.
pub async fn can_listen(port: u16) -> Result<(), StartError> {
    listen(Port::Exactly(port)).await.map(drop)
}

async fn listen(port: Port) -> Result<(TcpListener, String), StartError> {
    let (first, last) = match port {
        Port::Exactly(port) => (port, port),
        Port::From(port) => (port, port.saturating_add(PORTS_TRIED)),
    };
    for port in first..=last {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => {
                let port = listener.local_addr().map_or(port, |a| a.port());
                return Ok((listener, format!("http://127.0.0.1:{port}")));
            }
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => {}
            Err(source) => return Err(StartError::Io { what: format!("listening on port {port}"), source }),
        }
    }
    Err(StartError::PortTaken {
        port: first,
        by: crate::access::owner_of_port(first).map(|who| format!(" by {who}")).unwrap_or_default(),
    })
}

fn listen_unix(paths: &Paths) -> Result<UnixListener, StartError> {
    let path = paths.daemon_socket();
    let io = |source| StartError::Io { what: path.display().to_string(), source };
    match std::fs::remove_file(&path) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(io(e)),
    }
    let listener = UnixListener::bind(&path).map_err(io)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(io)?;
    Ok(listener)
}
