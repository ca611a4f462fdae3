//! Opens a session in a window of the person's own tmux; a second time it goes to the window that is there.
//!
//! Windows are found by their exact name and addressed by their id, so that tmux never guesses.

use super::wanted::attach_words;
use ao_slots::terminal::{Opening, Terminal};
use ao_slots::{Answer, Fault, Kind};
use async_trait::async_trait;
use std::ffi::OsString;
use std::time::Duration;
use tokio::process::Command;

/// tmux answers at once; one that hangs is not waited for.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// The tmux that ao was called in.
#[derive(Clone, Debug)]
pub struct TmuxWindow {
    program: OsString,
    inside: bool,
}

impl TmuxWindow {
    /// The tmux around this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self { program: "tmux".into(), inside: std::env::var_os("TMUX").is_some_and(|value| !value.is_empty()) }
    }

    #[cfg(test)]
    pub(super) fn by(program: impl Into<OsString>, inside: bool) -> Self {
        Self { program: program.into(), inside }
    }

    async fn ask(&self, words: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command.args(words).stdin(std::process::Stdio::null()).kill_on_drop(true);
        let done = tokio::time::timeout(ANSWERS_WITHIN, command.output()).await;
        let output = match done {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Err(format!("tmux: {error}")),
            Err(_) => return Err("tmux does not answer".to_owned()),
        };
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }

    async fn show(&self, name: &str, attach: &[String]) -> Result<(), String> {
        let all = self.ask(&["list-windows", "-a", "-F", "#{window_id} #{window_name}"]).await?;
        let known = all.lines().find_map(|line| line.split_once(' ').filter(|(_, window)| *window == name));
        if let Some((id, _)) = known {
            self.ask(&["select-window", "-t", id]).await?;
            // Where nobody is attached, nobody has to be led to it.
            return match self.ask(&["switch-client", "-t", id]).await {
                Err(why) if !why.contains("no current client") => Err(why),
                Ok(_) | Err(_) => Ok(()),
            };
        }
        let mut words = vec!["new-window", "-n", name, "--"];
        words.extend(attach.iter().map(String::as_str));
        self.ask(&words).await.map(drop)
    }
}

#[async_trait]
impl Terminal for TmuxWindow {
    async fn open(&self, opening: &Opening) -> Answer<()> {
        let words = attach_words(opening)?;
        let by_hand = |why: String| {
            Fault::new(Kind::Unsupported, format!("tmux opened nothing: {why}"))
                .hint(format!("by hand: {}", words.join(" ")))
        };
        if !self.inside {
            return Err(by_hand("this is no terminal inside tmux".to_owned()));
        }
        let name = format!("ao-{}", opening.session.as_deref().unwrap_or_default());
        self.show(&name, words).await.map_err(by_hand)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// A stand-in that writes down how it is called; it knows one window.
    fn stand_in(dir: &Path) -> TmuxWindow {
        let program = dir.join("tmux");
        let text = format!(
            "#!/bin/sh\necho \"$#:$*\" >> {}\n[ \"$1\" = list-windows ] && printf '@1 ao-app-12\\n@7 ao-app-2\\n@9 a shell\\n'\nexit 0\n",
            dir.join("said").display()
        );
        // Written by another process: a file that this one has open for writing cannot be run by a thread of it.
        let write = std::process::Command::new("sh")
            .args(["-c", "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\""])
            .arg(&program)
            .arg(text)
            .status();
        assert!(write.unwrap().success());
        TmuxWindow { program: program.into(), inside: true }
    }

    fn opening(session: &str) -> Opening {
        let attach = ["/opt/a b/ao", "attach", session].map(str::to_owned).to_vec();
        Opening { session: Some(session.to_owned()), attach, ..Opening::default() }
    }

    #[tokio::test]
    async fn a_new_session_gets_a_window_and_a_known_one_is_gone_to() {
        let dir = tempfile::tempdir().unwrap();
        let tmux = stand_in(dir.path());
        tmux.open(&opening("app-1")).await.unwrap();
        tmux.open(&opening("app-2")).await.unwrap();
        let said = std::fs::read_to_string(dir.path().join("said")).unwrap();
        let asked = "4:list-windows -a -F #{window_id} #{window_name}\n";
        // `ao-app-12` is not `ao-app-1`.
        let made = "7:new-window -n ao-app-1 -- /opt/a b/ao attach app-1\n";
        assert_eq!(said, format!("{asked}{made}{asked}3:select-window -t @7\n3:switch-client -t @7\n"));
    }

    #[tokio::test]
    async fn outside_of_tmux_it_says_what_to_do() {
        let tmux = TmuxWindow { program: "tmux".into(), inside: false };
        let fault = tmux.open(&opening("app-1")).await.unwrap_err();
        assert_eq!((fault.kind, fault.hint.as_deref()), (Kind::Unsupported, Some("by hand: /opt/a b/ao attach app-1")));
    }
}
