//! Starting a program that shows something and goes on by itself.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;
use tokio::sync::oneshot;

/// A program that fails does so within this time; one that still runs after it shows what it should.
const FAILS_WITHIN: Duration = Duration::from_secs(3);

/// Starts a program by argv, in a process group of its own; why it failed, in words.
pub(super) async fn start(mut command: Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C in the terminal that asked must not end it.
    let mut child = command.process_group(0).spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no {name}"),
        _ => format!("{name}: {error}"),
    })?;
    let (ended, end) = oneshot::channel();
    // Waits as long as the program lives, so that it never becomes a zombie; nobody may listen any more then.
    std::thread::spawn(move || ended.send(child.wait()));
    match tokio::time::timeout(FAILS_WITHIN, end).await {
        Ok(Ok(Ok(status))) => judge(&name, status),
        Ok(Ok(Err(error))) => Err(error.to_string()),
        Ok(Err(_)) => Err("nobody saw its end".to_owned()),
        Err(_) => Ok(()),
    }
}

fn judge(name: &str, status: ExitStatus) -> Result<(), String> {
    if status.success() { Ok(()) } else { Err(format!("{name} failed ({status})")) }
}
