//! Asks a person for a yes; a program that nobody watches is never taken for one.

use ao_core::kind::{Fault, Kind};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Whether somebody can be asked.
#[must_use]
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks; no answer is a no.
///
/// # Errors
/// `denied` when nobody can be asked, with `instead` as the hint.
pub fn ask(question: &str, instead: &str) -> Result<bool, Fault> {
    if !can_ask() {
        return Err(Fault::new(Kind::Denied, format!("{question} Nobody can be asked here")).hint(instead));
    }
    let mut err = io::stderr();
    let asked = write!(err, "{question} [y/N] ").and_then(|()| err.flush());
    let mut answer = String::new();
    let read = asked.and_then(|()| io::stdin().lock().read_line(&mut answer));
    read.map_err(|e| Fault::unavailable(format!("the answer cannot be read: {e}")).hint(instead))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
