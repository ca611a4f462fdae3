//! Opens a session in any terminal emulator or editor, by a command of the person's.

use super::start::start;
use super::template::Template;
use super::wanted::attach_words;
use ao_slots::terminal::{Opening, Terminal};
use ao_slots::{Answer, Fault, Kind};
use async_trait::async_trait;
use std::process::Command;

/// A program with places for a session.
#[derive(Clone, Debug)]
pub struct Emulator {
    template: Template,
}

impl Emulator {
    /// From the configured command.
    #[must_use]
    pub fn new(template: Template) -> Self {
        Self { template }
    }
}

#[async_trait]
impl Terminal for Emulator {
    async fn open(&self, opening: &Opening) -> Answer<()> {
        attach_words(opening)?;
        let words = self.template.fill(opening);
        let Some((program, rest)) = words.split_first() else {
            return Err(Fault::invalid("the command of the terminal is empty"));
        };
        let mut command = Command::new(program);
        command.args(rest);
        if let Some(dir) = opening.dir.as_ref().filter(|dir| std::path::Path::new(dir).is_dir()) {
            command.current_dir(dir);
        }
        start(command).await.map_err(|why| {
            Fault::new(Kind::Unsupported, format!("nothing was opened: {why}"))
                .hint(format!("mend `terminal.command`, or by hand: {}", opening.attach.join(" ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening() -> Opening {
        let attach = ["ao", "attach", "app-1"].map(str::to_owned).to_vec();
        Opening { session: Some("app-1".to_owned()), attach, ..Opening::default() }
    }

    #[tokio::test]
    async fn the_program_gets_its_words_and_no_shell_sees_them() {
        let dir = tempfile::tempdir().unwrap();
        let said = dir.path().join("said");
        let write = format!("for word; do echo \"$word\"; done > {}", said.display());
        let text = format!("sh -c '{write}' - $(id) {{attach}} '*'");
        Emulator::new(text.parse().unwrap()).open(&opening()).await.unwrap();
        assert_eq!(std::fs::read_to_string(said).unwrap(), "$(id)\nao\nattach\napp-1\n*\n");
    }

    #[tokio::test]
    async fn a_program_that_fails_or_is_not_there_is_told() {
        for (text, why) in [("/nowhere/term {attach}", "there is no /nowhere/term"), ("false {attach}", "false failed")]
        {
            let fault = Emulator::new(text.parse().unwrap()).open(&opening()).await.unwrap_err();
            assert!(fault.message.contains(why), "{fault}");
            assert!(fault.hint.unwrap().ends_with("ao attach app-1"));
        }
        let board = Opening { url: "http://127.0.0.1:3000".to_owned(), ..Opening::default() };
        let fault = Emulator::new("true {url}".parse().unwrap()).open(&board).await.unwrap_err();
        assert_eq!(fault.kind, Kind::Unsupported);
    }
}
