//! How a verb ends: its exit code, and the words for a failure.

use crate::output::{Out, Style};
use ao_api::fault::{ErrorBody, ErrorView};
use ao_core::kind::Fault;
use std::process::ExitCode;

/// What a verb ends with.
pub type Ended = Result<ExitCode, Fault>;

/// What was asked for is not there: a run that did not end green, a repository that is not in order.
pub const NOT_GREEN: u8 = 1;

/// Ended by a person's Ctrl-C: 128 + SIGINT, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// The table of exit codes for `ao --help`; the codes themselves are `ao_core::kind::Kind`'s.
pub const TABLE: &str = "\
Exit codes:
  0    done
  1    a defect in ao; for `fix` and `doctor`: not everything is green
  2    the request is wrong
  3    the thing named does not exist
  4    it exists, but in a state that forbids this
  5    not allowed
  6    not possible here
  7    not possible now: try again later, or the time was up
  8    a rate limit: try again after a pause
  9    a file could not be written
  130  interrupted";

/// Says what went wrong and returns the exit code.
pub fn fail(out: &Out, fault: &Fault) -> ExitCode {
    if out.is_json() {
        let body = ErrorBody { error: ErrorView::from(fault) };
        out.note(&serde_json::to_string(&body).unwrap_or_else(|_| fault.message.clone()));
    } else {
        out.note(&format!("{} {}", out.paint_err(Style::Red, "error:"), plain(&fault.message)));
        if let Some(hint) = &fault.hint {
            out.note(&format!("{} {}", out.paint_err(Style::Yellow, "hint:"), plain(hint)));
        }
    }
    ExitCode::from(fault.kind.exit_code())
}

/// Messages quote names that others chose: control characters would reach the terminal. Line breaks stay.
fn plain(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ao_core::kind::Kind;

    #[test]
    fn the_table_names_every_code_that_a_kind_has() {
        let kinds = [
            Kind::NotFound,
            Kind::Conflict,
            Kind::Unavailable,
            Kind::RateLimited { retry_after: None },
            Kind::Denied,
            Kind::Unsupported,
            Kind::Invalid,
            Kind::StorageFailed,
            Kind::Bug,
        ];
        for kind in kinds {
            let row = format!("\n  {:<5}", kind.exit_code());
            assert!(TABLE.contains(&row), "{} ({}) is missing", kind.exit_code(), kind.name());
        }
    }

    #[test]
    fn a_quoted_name_cannot_move_the_cursor() {
        assert_eq!(plain("there is no \u{1b}[2J\nx"), "there is no [2J\nx");
    }
}
