//! The reader of last resort: how a check ended, and the end of what it printed.

use super::finding::{CheckOutput, Kind, Reader, TAIL_LINES};
use super::scan::{Draft, Found};

/// Signals by their usual numbers on Linux and macOS, as far as those agree.
const SIGNALS: [(i32, &str); 8] = [
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (6, "SIGABRT"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (11, "SIGSEGV"),
    (15, "SIGTERM"),
];

/// The failure that the check as a whole is. `clean` is its output without escape sequences; `notes` may name tests that
/// were slow.
pub(super) fn draft(check: &CheckOutput<'_>, clean: &str, notes: &[String]) -> Draft {
    let (name, identity, headline) = ending(check);
    let mut draft = Draft::new(Reader::Exit, Kind::Exit, name);
    draft.identity = Some(identity.to_owned());
    draft.headline = headline;
    if check.timed_out && !notes.is_empty() {
        draft.headline = format!("{}; {}", draft.headline, notes.join("; "));
    }
    let lines: Vec<&str> = clean.trim_end().lines().collect();
    let tail = &lines[lines.len().saturating_sub(TAIL_LINES)..];
    if let Some(said) = last_error(tail).filter(|_| identity == "exit") {
        draft.headline = format!("{}: {said}", draft.headline);
    }
    draft.detail = if tail.is_empty() { "It printed nothing.".to_owned() } else { tail.join("\n") };
    draft
}

/// The last line that calls itself an error; tools agree on that much.
fn last_error<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let calls_itself = |line: &&&str| {
        let word = line.trim_start().get(..5).unwrap_or("").to_ascii_lowercase();
        word == "error" || word == "fatal"
    };
    lines.iter().rfind(calls_itself).map(|line| line.trim())
}

/// A name, what identifies it in the next run, and one sentence.
fn ending(check: &CheckOutput<'_>) -> (String, &'static str, String) {
    if check.timed_out {
        return (
            "the check timed out".to_owned(),
            "timeout",
            "the check did not end in its time and was stopped".to_owned(),
        );
    }
    if let Some(signal) = check.signal {
        let name = SIGNALS.iter().find(|(number, _)| *number == signal).map_or("", |(_, name)| name);
        let name = format!("the check was ended by signal {signal} {name}").trim_end().to_owned();
        return (name.clone(), "signal", name);
    }
    match check.exit_code {
        // What a shell says about a command that it cannot run.
        Some(127) => (
            "the check's command was not found (exit code 127)".to_owned(),
            "command",
            "the shell did not find a command of the check".to_owned(),
        ),
        Some(126) => (
            "the check's command cannot be run (exit code 126)".to_owned(),
            "command",
            "the shell may not run a command of the check".to_owned(),
        ),
        Some(code) => {
            (format!("the check ended with exit code {code}"), "exit", format!("the check ended with exit code {code}"))
        }
        None => ("the check did not run".to_owned(), "start", "the check could not be started".to_owned()),
    }
}

/// A `Found` with nothing but this failure.
pub(super) fn found(check: &CheckOutput<'_>, clean: &str, notes: &[String]) -> Found {
    Found { drafts: vec![draft(check, clean, notes)], partial: true, ..Found::default() }
}
