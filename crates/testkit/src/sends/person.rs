//! A person at the composer: types a few words, thinks, and presses Enter until it is taken.

use super::patience::{ARRIVES_WITHIN, LOOK_EVERY};
use super::place::Place;
use crate::tui::{Note, notes};
use std::io;
use std::time::{Duration, Instant};

/// A person presses Enter again when nothing happens for so long.
const AGAIN: Duration = Duration::from_secs(2);

/// Types some words and leaves them there; what they are.
pub fn begins(place: &Place, id: &str, n: usize) -> io::Result<String> {
    let words = format!("a person's note {n}");
    let typed = format!("{{\"text\":\"{words}\"}}");
    let begun = Instant::now();
    // A daemon that dies may have pressed them or not: the person looks, clears the line and begins again.
    while !place.press(id, &typed)? && begun.elapsed() < ARRIVES_WITHIN {
        place.press(id, "{\"keys\":[\"C-u\"]}")?;
    }
    Ok(words)
}

/// Presses Enter until the words are sent.
pub fn ends(place: &Place, id: &str, words: &str) -> io::Result<()> {
    let begun = Instant::now();
    let mut pressed: Option<Instant> = None;
    while begun.elapsed() < ARRIVES_WITHIN {
        let sent = |note: &Note| matches!(note, Note::Submitted { text, .. } if text == words);
        if notes(place.notes(), id)?.iter().any(sent) {
            return Ok(());
        }
        if pressed.is_none_or(|at| at.elapsed() > AGAIN) {
            place.press(id, "{\"keys\":[\"C-o\"]}")?;
            pressed = Some(Instant::now());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Whether a person said this.
#[must_use]
pub fn said(text: &str) -> bool {
    text.starts_with("a person's note ")
}
