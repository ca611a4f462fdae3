//! Opens a session in a tab of iTerm2, by AppleScript.
//!
//! It was written from iTerm2's scripting reference and has not been run: there is no macOS where ao is built. What is tested
//! is the command line.

use super::start::start;
use super::template::quoted;
use super::wanted::attach_words;
use ao_slots::terminal::{Opening, Terminal};
use ao_slots::{Answer, Fault, Kind};
use async_trait::async_trait;
use std::process::Command;

/// The command is an argument of the script and never part of its text, so that nothing in it is AppleScript.
const SCRIPT: [&str; 10] = [
    "on run argv",
    "tell application \"iTerm2\"",
    "activate",
    "if (count of windows) is 0 then",
    "create window with default profile command (item 1 of argv)",
    "else",
    "tell current window to create tab with default profile command (item 1 of argv)",
    "end if",
    "end tell",
    "end run",
];

/// iTerm2 on this Mac.
#[derive(Clone, Copy, Debug, Default)]
pub struct Iterm2;

/// Program and arguments that open the command in a tab.
fn argv(attach: &[String]) -> Vec<String> {
    let mut argv = vec!["osascript".to_owned()];
    for line in SCRIPT {
        argv.extend(["-e".to_owned(), line.to_owned()]);
    }
    // iTerm2 splits it into words as a shell does.
    argv.push(attach.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "));
    argv
}

#[async_trait]
impl Terminal for Iterm2 {
    async fn open(&self, opening: &Opening) -> Answer<()> {
        let words = attach_words(opening)?;
        let by_hand = |why: String| {
            Fault::new(Kind::Unsupported, format!("iTerm2 opened nothing: {why}"))
                .hint(format!("by hand: {}", words.join(" ")))
        };
        if !cfg!(target_os = "macos") {
            return Err(by_hand("it runs on macOS only".to_owned()));
        }
        let argv = argv(words);
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]);
        start(command).await.map_err(by_hand)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What osascript is given, compared with the text that iTerm2's scripting reference was read for.
    #[test]
    fn the_script_makes_a_tab_or_the_first_window() {
        let attach = ["/opt/ao", "attach", "app-1"].map(str::to_owned);
        let argv = argv(&attach);
        let script: Vec<&str> =
            argv[1..argv.len() - 1].iter().filter(|word| *word != "-e").map(String::as_str).collect();
        let wanted = r#"on run argv
tell application "iTerm2"
activate
if (count of windows) is 0 then
create window with default profile command (item 1 of argv)
else
tell current window to create tab with default profile command (item 1 of argv)
end if
end tell
end run"#;
        assert_eq!(script.join("\n"), wanted);
        assert_eq!(argv.last().map(String::as_str), Some("/opt/ao attach app-1"));
    }

    #[test]
    fn the_command_is_an_argument_and_no_script() {
        let attach = ["/opt/x y/ao", "attach", "app\"-1"].map(str::to_owned);
        let argv = argv(&attach);
        assert_eq!(argv.first().map(String::as_str), Some("osascript"));
        assert_eq!(argv.iter().filter(|word| *word == "-e").count(), 10);
        assert_eq!(argv.last().map(String::as_str), Some("'/opt/x y/ao' attach 'app\"-1'"));
        assert!(argv[..argv.len() - 1].iter().all(|word| !word.contains("app\"-1")));
    }

    #[tokio::test]
    async fn elsewhere_it_says_so() {
        if !cfg!(target_os = "macos") {
            let attach = vec!["ao".to_owned()];
            let fault = Iterm2.open(&Opening { attach, ..Opening::default() }).await.unwrap_err();
            assert_eq!(fault.kind, Kind::Unsupported);
        }
    }
}
