//! A new host for a container that lost its own.
//!
//! It takes the place of the old one: the same directory, launch and socket. What the old one left is moved aside, but for
//! the stages that it typed: they stay typed.

use super::files::Files;
use super::standing::standing;
use crate::runtime::process::ProcessRuntime;
use ao_core::id::{LaunchId, SessionId};
use ao_core::kind::{Fault, Kind};
use ao_core::limits::Limits;
use ao_host::discover::Standing;
use ao_host::record::{EXIT_FILE, HOST_FILE};
use ao_host::spec::LaunchSpec;
use ao_host::wire::Child;
use ao_slots::Answer;
use ao_slots::runtime::{LaunchPlace, LaunchPlan, Runtime as _};
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// How long a host whose bridge is gone may take to leave; it needs milliseconds.
const LEAVES_WITHIN: Duration = Duration::from_secs(10);

/// Time between two looks for that.
const LOOK: Duration = Duration::from_millis(10);

/// Starts a new host and bridge, if the launch lacks one of them.
///
/// # Errors
/// When somebody else does that at the moment, or the old host's files cannot be moved.
pub(super) async fn revive(process: &ProcessRuntime, place: &LaunchPlace, files: &Files) -> Answer<()> {
    if !lacks_bridge(&standing(&place.dir).await) {
        return Ok(());
    }
    let failed = |e: io::Error| Fault::new(Kind::StorageFailed, format!("{}: {e}", place.dir.display()));
    let starting = || Fault::unavailable(format!("a new session host of {} is being started", place.launch));
    let _lock = lock(&files.lock()).map_err(failed)?.ok_or_else(starting)?;
    if !lacks_bridge(&standing(&place.dir).await) {
        return Ok(());
    }
    dismiss(process, place).await?;
    let spec = LaunchSpec::read(&place.dir).map_err(failed)?;
    tracing::warn!(launch = %place.launch, "its container runs without a session host: a new one takes over");
    set_aside(&place.dir, &files.next_before()).map_err(failed)?;
    process.ensure(&plan(place, spec)).await
}

fn lacks_bridge(standing: &Standing) -> bool {
    match standing {
        Standing::Alive { hello } => matches!(hello.child, Child::Ended { .. }),
        Standing::Dead { .. } | Standing::NotStarted => true,
        Standing::Unknown { .. } => false,
    }
}

/// Lets a host go that has lost its bridge, and waits until it is gone.
async fn dismiss(process: &ProcessRuntime, place: &LaunchPlace) -> Answer<()> {
    let until = Instant::now() + LEAVES_WITHIN;
    while let Standing::Alive { .. } | Standing::Unknown { .. } = standing(&place.dir).await {
        if Instant::now() > until {
            return Err(Fault::unavailable(format!("the session host of {} does not leave", place.launch)));
        }
        if let Ok(link) = process.connect(place).await {
            // A host that is on its way answers nobody.
            let _ = link.control.acknowledge_exit().await;
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Moves what a host wrote; what says that there was one goes last, so that a move that was cut short is taken up again.
fn set_aside(dir: &Path, to: &Path) -> io::Result<()> {
    ao_host::files::private_dir(to)?;
    let mut names: Vec<String> = std::fs::read_dir(dir)?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with("out") || name.starts_with("rows-"))
        .collect();
    names.extend([EXIT_FILE, HOST_FILE].map(str::to_owned));
    for name in names {
        match std::fs::rename(dir.join(&name), to.join(&name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// The launch as its host was told it the first time.
fn plan(place: &LaunchPlace, spec: LaunchSpec) -> LaunchPlan {
    LaunchPlan {
        session: SessionId::new(spec.session),
        launch: LaunchId::new(spec.launch),
        label: String::new(),
        dir: place.dir.clone(),
        socket: spec.socket,
        argv: spec.argv,
        cwd: spec.cwd,
        env: spec.env,
        cols: spec.size.cols,
        rows: spec.size.rows,
        limits: Limits::default(),
        container: None,
        reach: Vec::new(),
    }
}
