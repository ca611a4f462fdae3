//! `ao attach`: this terminal joined to a session's. The bytes go to the host directly; the daemon only says whose it is.

use crate::compose;
use crate::context::Context;
use crate::exit::Ended;
use crate::recorded::{self, Launch, words};
use crate::render::words::{age, now_ms};
use ao_core::kind::{Fault, Kind};
use ao_host::attach::{AttachEnd, AttachError, AttachOptions, DetachKey, attach_terminal};
use ao_host::client::ClientError;
use ao_host::discover::Standing;
use ao_host::record::ExitRecord;
use ao_host::wire::Access;
use std::process::{Command, ExitCode};

/// What was asked for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Ctrl-\\ leaves: at once with any other key, by itself a moment later. Before that
  Ctrl-\\ again  types it into the session
  PgUp, ↑      scrolls back through the session's history (q comes back)
  Esc          stays
The wheel scrolls back too where the program does not use the mouse; hold Shift to
select text, or give --no-wheel.

The session has the size of whoever typed last. A larger terminal shows it with a
border, a smaller one shows the part with the cursor. Your own screen is as it was
when you leave, whatever ended it.")]
pub struct Args {
    /// Session
    session: String,
    /// Only look
    #[arg(short, long)]
    read_only: bool,
    /// The key that leaves: ctrl- and a letter or one of @ \ ] ^ _
    #[arg(long, value_name = "KEY", default_value = r"ctrl-\")]
    detach_key: DetachKey,
    /// Leave the mouse to this terminal where the program does not use it
    #[arg(long)]
    no_wheel: bool,
}

/// Joins a session's terminal.
pub async fn run(context: &Context, args: Args) -> Ended {
    let out = &context.out;
    if out.is_json() {
        return Err(
            Fault::new(Kind::Unsupported, "a terminal is not JSON").hint("ao logs SESSION --json shows it as text")
        );
    }
    // A live host needs no daemon.
    let id = recorded::session_id(context, &args.session).await?;
    let launch = recorded::launch(context, &id, None)?;
    if compose::is_in_tmux(&launch.found.launch_dir) {
        return join_tmux(context, &id, args.read_only);
    }
    let Some(record) = running(context, &launch)? else { return Err(over(context, &launch)) };
    let options = AttachOptions {
        access: if args.read_only { Access::ReadOnly } else { Access::ReadWrite },
        launch: Some(record.launch.clone()),
        detach: args.detach_key,
        wheel: !args.no_wheel,
        ..AttachOptions::default()
    };
    // Nothing else runs in this process: the terminal may have its thread.
    match attach_terminal(&record.socket, &options) {
        Ok(AttachEnd::Detached) => out.note(&format!("left {id}; it goes on (ao attach {id} comes back)")),
        Ok(AttachEnd::Interrupted) => out.note(&format!("cut off from {id}; it goes on (ao attach {id} comes back)")),
        Ok(AttachEnd::Ended(exit)) => {
            show(context, &exit.screen);
            out.note(&format!("{id} ended: {} (ao restore {id} starts it again)", words(&exit)));
        }
        Err(error) => return Err(fault(&id, &error)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Joins a session of runtime `tmux`, where tmux itself is the terminal: its keys hold, and its prefix and `d` leave.
fn join_tmux(context: &Context, id: &str, read_only: bool) -> Ended {
    let words = joining(context, id, read_only);
    let (program, arguments) = words.split_first().ok_or_else(|| Fault::new(Kind::Bug, "no command"))?;
    // tmux refuses to run inside tmux by this variable; sessions of another server may.
    let ran = Command::new(program).args(arguments).env_remove("TMUX").status();
    match ran {
        Ok(status) if status.success() => Ok(ExitCode::SUCCESS),
        Ok(_) => Err(Fault::unavailable(format!("{} ended badly", words.join(" ")))
            .hint(format!("`ao status {id}` says how it stands"))),
        Err(e) => Err(Fault::unavailable(format!("tmux cannot be run: {e}"))),
    }
}

/// The command that joins a session of runtime `tmux`.
pub fn joining(context: &Context, id: &str, read_only: bool) -> Vec<String> {
    compose::joining_tmux(&context.paths.run(), &format!("{}-{id}", context.paths.label()), read_only)
}

/// The host of a launch that runs; none when it is over.
fn running<'a>(context: &Context, launch: &'a Launch) -> Result<Option<&'a ao_host::record::HostRecord>, Fault> {
    let id = &launch.session;
    match (&launch.found.standing, &launch.found.record) {
        (Standing::Alive { .. }, Some(record)) if launch.exit().is_none() => Ok(Some(record)),
        (Standing::Alive { .. } | Standing::Dead { .. }, Some(_)) => Ok(None),
        (Standing::Unknown { why }, _) => {
            let fault = Fault::unavailable(format!("the host of session {id} does not answer: {why}"));
            Err(fault.hint("it may only be busy: try again; nothing was ended"))
        }
        (Standing::NotStarted | Standing::Alive { .. } | Standing::Dead { .. }, _) => {
            let dir = context.paths.root().display();
            let fault = Fault::conflict(format!("session {id} has no terminal of ours under {dir}"));
            Err(fault
                .hint(format!("`ao status {id}` says why; `ao open {id} --with web` shows other runtimes' terminals")))
        }
    }
}

/// Shows a session that is over, and says how it ended and how to go on.
fn over(context: &Context, launch: &Launch) -> Fault {
    let id = &launch.session;
    show(context, &launch.last_screen());
    let again = format!("ao restore {id} starts it again in its worktree; ao logs {id} shows more of what it printed");
    match launch.exit() {
        Some(exit) => ended(id, exit).hint(again),
        None => Fault::conflict(format!(
            "session {id} is lost: its host died without a word, and what you see is the last it printed"
        ))
        .hint(again),
    }
}

fn ended(id: &str, exit: &ExitRecord) -> Fault {
    Fault::conflict(format!("session {id} ended {} ago: {}", age(exit.at_ms, now_ms()), words(exit)))
}

/// Prints a screen as text.
fn show(context: &Context, screen: &[String]) {
    let end = screen.iter().rposition(|row| !row.trim().is_empty()).map_or(0, |last| last + 1);
    screen.iter().take(end).for_each(|row| context.out.line(row));
}

fn fault(id: &str, error: &AttachError) -> Fault {
    match error {
        AttachError::NoTerminal => Fault::invalid("ao attach needs a terminal on standard input and output")
            .hint(format!("ao logs {id} shows it as text")),
        AttachError::Host(ClientError::Refused(refusal)) => {
            Fault::new(Kind::Denied, format!("session {id}: {refusal}"))
        }
        AttachError::Host(ClientError::Closed) => Fault::unavailable(format!("session {id}: its host went away"))
            .hint(format!("ao attach {id} again says what became of it")),
        AttachError::Host(_) | AttachError::Terminal(_) => {
            Fault::unavailable(format!("session {id}: {error}")).hint("the session itself goes on: try again")
        }
    }
}
