//! Tells a new host what the last one wrote down, so that screen and history go on.

use super::files::Files;
use super::tty::Tty;
use ao_host::files::read_output;
use std::io;

/// Bytes per read.
const READ: usize = 64 << 10;

/// What stands before it: nobody can say how much is missing behind it. Not there, because what follows, such as a prompt
/// that waits, must stay the last on the screen.
const GAP: &str = "[ao: a new session host took over; what was printed while there was none is not kept]\r\n";

/// Prints it, from the oldest byte that was kept.
///
/// # Errors
/// When it cannot be read, or the new host is gone.
pub(super) async fn print(files: &Files, tty: &Tty) -> io::Result<()> {
    let Some(dir) = files.before() else { return Ok(()) };
    tty.write(GAP.as_bytes()).await?;
    let mut offset = 0;
    loop {
        let (from, bytes) = read_output(&dir, offset, READ)?;
        if bytes.is_empty() {
            return Ok(());
        }
        tty.write(&bytes).await?;
        offset = from + bytes.len() as u64;
    }
}
