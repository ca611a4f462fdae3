//! Attaches in the terminal where the person is, until they leave.

use super::wanted::attach_words;
use ao_slots::terminal::{Opening, Terminal};
use ao_slots::{Answer, Fault};
use async_trait::async_trait;
use std::process::Command;

/// The terminal that ao was called in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Here;

#[async_trait]
impl Terminal for Here {
    async fn open(&self, opening: &Opening) -> Answer<()> {
        let words = attach_words(opening)?;
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        // The program has the terminal until it ends; it says itself what was wrong.
        let status = tokio::task::spawn_blocking(move || command.status()).await;
        match status {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(Fault::conflict(format!("it was not attached ({status})"))),
            Ok(Err(error)) => Err(Fault::unavailable(format!("{}: {error}", words[0]))),
            Err(error) => Err(Fault::unavailable(format!("{}: {error}", words[0]))),
        }
    }

    fn takes_over(&self) -> bool {
        true
    }
}
