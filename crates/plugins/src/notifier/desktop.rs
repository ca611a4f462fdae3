//! Notifications of the desktop: `notify-send` where there is a session bus, `osascript` on macOS.
//!
//! It never starts a desktop: on a machine without one it says so, and the note stays visible in `ao`.

use crate::exec::{self, Environment, NotRun, Program};
use ao_core::effect::Priority;
use ao_core::prompt;
use ao_slots::notifier::{Note, Notifier};
use ao_slots::{Answer, Fault, Kind};
use async_trait::async_trait;
use std::ffi::OsString;
use std::time::Duration;

/// One attempt may take this long; both programs only hand the note over.
const LIMIT: Duration = Duration::from_secs(10);

/// Longest headline and text, in characters: servers cut longer ones.
const LONGEST_TITLE: usize = 120;
const LONGEST_BODY: usize = 400;

/// Variables that lead to a desktop.
const DESKTOP: [&str; 4] = ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"];

/// Any of these means that there is one (XDG base directories and D-Bus put the bus into the runtime directory).
const SIGNS: [&str; 3] = ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"];

/// The desktop of whoever started this process.
#[derive(Clone, Debug)]
pub struct Desktop {
    env: Environment,
    macos: bool,
}

impl Desktop {
    /// The desktop that this process's environment leads to.
    #[must_use]
    pub fn of_process() -> Self {
        let mut env = Environment::of_process();
        for name in DESKTOP {
            if let Some(value) = std::env::var_os(name) {
                env.set(name, value);
            }
        }
        Self { env, macos: cfg!(target_os = "macos") }
    }

    /// The desktop that exactly this environment leads to.
    #[must_use]
    pub fn of(env: Environment) -> Self {
        Self { env, macos: cfg!(target_os = "macos") }
    }

    fn argv(&self, note: &Note) -> Vec<OsString> {
        let title = shown(&note.title, LONGEST_TITLE);
        let body = shown(&note.body, LONGEST_BODY);
        if self.macos {
            let script =
                ["on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run"];
            let lines = script.iter().flat_map(|line| ["-e", line]);
            return std::iter::once("osascript")
                .chain(lines)
                .map(OsString::from)
                .chain([title.into(), body.into()])
                .collect();
        }
        let urgency = match note.priority {
            Priority::Urgent => "critical",
            Priority::Action | Priority::Warning => "normal",
            Priority::Info => "low",
        };
        ["notify-send", "--app-name=ao", "--urgency", urgency, "--", &title, &escaped(&body)]
            .iter()
            .map(OsString::from)
            .collect()
    }
}

#[async_trait]
impl Notifier for Desktop {
    async fn notify(&self, note: &Note) -> Answer<()> {
        if !self.macos && SIGNS.iter().all(|name| self.env.get(name).is_none_or(|value| value.is_empty())) {
            return Err(none("there is no desktop session to notify"));
        }
        let program = Program {
            argv: self.argv(note),
            dir: std::env::temp_dir(),
            env: self.env.clone(),
            stdin: Vec::new(),
            limit: LIMIT,
            keep: 4096,
        };
        let ran = match exec::run(&program).await {
            Ok(ran) => ran,
            Err(error @ NotRun::NotInstalled { .. }) => return Err(none(&error.to_string())),
            Err(error) => return Err(Fault::unavailable(error.to_string())),
        };
        if ran.timed_out {
            return Err(Fault::unavailable(format!("the desktop did not take the note within {} s", LIMIT.as_secs())));
        }
        if ran.code == Some(0) {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&ran.stderr.bytes);
        Err(Fault::unavailable(format!("the desktop refused the note: {}", said.trim())))
    }
}

fn none(why: &str) -> Fault {
    Fault::new(Kind::Unsupported, format!("no desktop notification: {why}"))
        .hint("set `notifiers` in agent-orchestrator.yaml, for example to a webhook; `ao next` lists who needs you")
}

/// Text of a note for a screen: no control characters, at most `longest` characters.
fn shown(text: &str, longest: usize) -> String {
    let clean = prompt::clean(text);
    if clean.chars().count() <= longest {
        return clean;
    }
    clean.chars().take(longest.saturating_sub(1)).chain(std::iter::once('…')).collect()
}

/// Notification servers may read markup in the body.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn note() -> Note {
        Note {
            id: "n1".to_owned(),
            project: "app".to_owned(),
            session: Some("app-1".to_owned()),
            priority: Priority::Urgent,
            title: "-app: needs\u{1b}[2J you".to_owned(),
            body: "may I <run> `rm`?".to_owned(),
        }
    }

    /// A desktop whose `notify-send` is this script.
    fn desktop(dir: &Path, script: &str) -> Desktop {
        // Written by another process: a file that this one has open for writing cannot be run by a thread of it.
        let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$0\" && chmod 755 \"$0\"";
        let program = dir.join("notify-send");
        let written = std::process::Command::new("sh").args(["-c", write]).arg(program).arg(script).status();
        assert!(written.unwrap().success());
        let env =
            Environment::exactly([("PATH", format!("{}:/usr/bin:/bin", dir.display())), ("DISPLAY", ":9".to_owned())]);
        Desktop { env, macos: false }
    }

    #[tokio::test]
    async fn a_note_reaches_the_program_cleaned_and_never_as_an_option() {
        let dir = tempfile::tempdir().unwrap();
        let script = format!("for a in \"$@\"; do echo \"$a\"; done > {}/said", dir.path().display());
        desktop(dir.path(), &script).notify(&note()).await.unwrap();
        let said = std::fs::read_to_string(dir.path().join("said")).unwrap();
        let want = "--app-name=ao\n--urgency\ncritical\n--\n-app: needs[2J you\nmay I &lt;run&gt; `rm`?\n";
        assert_eq!(said, want);
    }

    #[tokio::test]
    async fn a_refusal_is_told_in_the_programs_words() {
        let dir = tempfile::tempdir().unwrap();
        let fault = desktop(dir.path(), "echo 'no server' >&2; exit 1").notify(&note()).await.unwrap_err();
        assert_eq!(
            (fault.kind, fault.message.as_str()),
            (Kind::Unavailable, "the desktop refused the note: no server")
        );
    }

    #[tokio::test]
    async fn without_a_desktop_or_its_program_it_is_unsupported_and_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let bare = Desktop { env: Environment::exactly([("PATH", dir.path())]), macos: false };
        let display = Desktop { env: bare.env.clone().with("DISPLAY", ":9"), macos: false };
        for desktop in [bare, display] {
            let fault = desktop.notify(&note()).await.unwrap_err();
            assert_eq!(fault.kind, Kind::Unsupported, "{fault}");
            assert!(fault.hint.is_some());
        }
    }

    #[test]
    fn on_macos_the_words_are_arguments_of_the_script_and_not_part_of_it() {
        let argv = Desktop { env: Environment::default(), macos: true }.argv(&note());
        assert_eq!(argv[0], "osascript");
        assert_eq!(argv[argv.len() - 2..], [OsString::from("-app: needs[2J you"), OsString::from("may I <run> `rm`?")]);
    }
}
