//! `ao attach`: this terminal joined to a session's. The bytes go to the host directly; the daemon only says whose it is.

use crate::context::Context;
use crate::exit::Ended;
use crate::{ask, connect};
use ao_core::kind::{Fault, Kind};
use ao_host::attach::{AttachEnd, AttachError, AttachOptions, attach_terminal};
use ao_host::client::ClientError;
use ao_host::discover::{Standing, probe};
use ao_host::record::{Ending, ExitRecord, HostRecord};
use ao_host::wire::Access;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Session
    session: String,
    /// Only look
    #[arg(short, long)]
    read_only: bool,
}

/// Joins a session's terminal.
pub async fn run(context: &Context, args: Args) -> Ended {
    let out = &context.out;
    if out.is_json() {
        return Err(
            Fault::new(Kind::Unsupported, "a terminal is not JSON").hint("ao logs SESSION --json shows it as text")
        );
    }
    // A live host needs no daemon; without one the id itself must be given.
    let id = match connect::running(context).await? {
        Some(client) => ask::session(&client, &args.session).await?.id,
        None => args.session,
    };
    let record = host(context, &id)?;
    let access = if args.read_only { Access::ReadOnly } else { Access::ReadWrite };
    let options = AttachOptions { access, launch: Some(record.launch) };
    // Nothing else runs in this process: the terminal may have its thread.
    match attach_terminal(&record.socket, &options) {
        Ok(AttachEnd::Detached) => out.note(&format!("left {id}; it goes on (ao attach {id} comes back)")),
        Ok(AttachEnd::Interrupted) => out.note(&format!("cut off from {id}; it goes on (ao attach {id} comes back)")),
        Ok(AttachEnd::Ended(exit)) => out.note(&format!("{id} ended: {}", words(&exit))),
        Err(error) => return Err(fault(&id, &error)),
    }
    Ok(ExitCode::SUCCESS)
}

/// The host of the session's running launch.
///
/// # Errors
/// `not_found` for a session that left no files, `conflict` when it does not run.
pub fn host(context: &Context, id: &str) -> Result<HostRecord, Fault> {
    ao_core::id::checked_name("session", id).map_err(|e| Fault::invalid(e.to_string()))?;
    let mut known = false;
    let mut doubt = None;
    for dir in launches(context.paths.root(), id) {
        let launch = probe(&dir);
        let Some(record) = launch.record else { continue };
        known = true;
        match launch.standing {
            Standing::Alive { .. } => return Ok(record),
            Standing::Unknown { why } => doubt = Some(why),
            Standing::NotStarted | Standing::Dead { .. } => {}
        }
    }
    if let Some(why) = doubt {
        return Err(Fault::unavailable(format!("the host of session {id} does not answer: {why}")).hint("try again"));
    }
    if known {
        let fault = Fault::conflict(format!("session {id} has no running agent"));
        return Err(fault.hint(format!("ao logs {id} shows what it printed; ao restore {id} starts it again")));
    }
    let fault = Fault::not_found(format!("session {id:?} has no terminal"));
    Err(fault.hint("ao list --all shows every session; without a daemon only an exact id is found"))
}

/// Directories of the session's launches: `{project}/sessions/{id}.d/{launch}`.
fn launches(root: &Path, id: &str) -> Vec<PathBuf> {
    let inside = |dir: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect()
    };
    inside(root).iter().flat_map(|project| inside(&project.join("sessions").join(format!("{id}.d")))).collect()
}

fn words(exit: &ExitRecord) -> String {
    match &exit.ending {
        Ending::Exited { code } => format!("exit code {code}"),
        Ending::Signaled { signal } => format!("signal {signal}"),
        Ending::NotStarted { reason } => format!("it could not be started: {reason}"),
    }
}

fn fault(id: &str, error: &AttachError) -> Fault {
    match error {
        AttachError::NoTerminal => Fault::invalid("ao attach needs a terminal on standard input and output")
            .hint(format!("ao logs {id} shows it as text")),
        AttachError::Host(ClientError::Refused(refusal)) => {
            Fault::new(Kind::Denied, format!("session {id}: {refusal}"))
        }
        AttachError::Host(_) | AttachError::Terminal(_) => {
            Fault::unavailable(format!("session {id}: {error}")).hint("the session itself goes on: try again")
        }
    }
}
