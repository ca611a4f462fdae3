//! What is being written and not sent yet. The cursor is always at its end.

/// Pastes of more lines than this are shown by a sign instead of their text.
const SHOWN_LINES: usize = 10;
/// Pastes longer than this many characters are, too.
const SHOWN_CHARS: usize = 1000;

/// A part of what is being written.
#[derive(Debug)]
enum Part {
    Typed(String),
    /// A long paste, the nth of the session.
    Pasted {
        n: u32,
        text: String,
    },
}

/// The text being written.
#[derive(Debug, Default)]
pub struct Composer {
    parts: Vec<Part>,
    pastes: u32,
}

impl Composer {
    /// Adds a typed character.
    pub fn push(&mut self, c: char) {
        match self.parts.last_mut() {
            Some(Part::Typed(text)) => text.push(c),
            Some(Part::Pasted { .. }) | None => self.parts.push(Part::Typed(c.to_string())),
        }
    }

    /// Adds a paste.
    pub fn paste(&mut self, text: String) {
        if text.lines().count() > SHOWN_LINES || text.chars().count() > SHOWN_CHARS {
            self.pastes += 1;
            self.parts.push(Part::Pasted { n: self.pastes, text });
        } else {
            text.chars().for_each(|c| self.push(c));
        }
    }

    /// Takes back the last character, or the last long paste whole.
    pub fn backspace(&mut self) {
        match self.parts.last_mut() {
            Some(Part::Typed(text)) => {
                text.pop();
                if text.is_empty() {
                    self.parts.pop();
                }
            }
            Some(Part::Pasted { .. }) => drop(self.parts.pop()),
            None => {}
        }
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.parts.clear();
    }

    /// Empties it and gives the exact text.
    pub fn take(&mut self) -> String {
        let parts = std::mem::take(&mut self.parts);
        parts
            .into_iter()
            .map(|part| match part {
                Part::Typed(text) | Part::Pasted { text, .. } => text,
            })
            .collect()
    }

    /// What is shown of it.
    pub fn shown(&self) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Typed(text) => out.push_str(text),
                Part::Pasted { n, text } => {
                    let more = text.trim_end_matches('\n').matches('\n').count();
                    out.push_str(&format!("[Pasted text #{n} +{more} lines]"));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_paste_is_shown_by_a_sign_and_sent_whole() {
        let mut composer = Composer::default();
        let long = (0..13).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
        composer.push('>');
        composer.paste(long.clone());
        assert_eq!(composer.shown(), ">[Pasted text #1 +12 lines]");
        assert_eq!(composer.take(), format!(">{long}"));
        assert!(composer.is_empty());
    }

    #[test]
    fn backspace_takes_a_long_paste_back_whole() {
        let mut composer = Composer::default();
        composer.paste("x".repeat(2000));
        composer.push('y');
        composer.backspace();
        composer.backspace();
        assert!(composer.is_empty());
    }
}
