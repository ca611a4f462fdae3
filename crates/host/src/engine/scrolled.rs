//! Rows that left the top of the primary screen, as text that can be written to a file as it is.
//!
//! One buffer for all of them: a flood scrolls tens of thousands of rows a second.

use super::format;
use super::grid::Row;

/// Rows in the order in which they left, each as a line with SGR sequences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrolled {
    /// Every row ends with a line feed; none holds another one.
    text: String,
    rows: usize,
}

impl Scrolled {
    /// Adds a row.
    pub fn push(&mut self, row: &Row) {
        format::push_row_sgr(&mut self.text, row);
        self.text.push('\n');
        self.rows += 1;
    }

    /// Adds rows that come after these.
    pub fn append(&mut self, next: Self) {
        if self.rows == 0 {
            *self = next;
        } else {
            self.text.push_str(&next.text);
            self.rows += next.rows;
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// All of them, each ended by a line feed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// One after the other, without their line feeds.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.split_terminator('\n')
    }
}

/// For tests and tools: rows that are given as text.
impl<S: AsRef<str>> FromIterator<S> for Scrolled {
    fn from_iter<I: IntoIterator<Item = S>>(rows: I) -> Self {
        let mut scrolled = Self::default();
        for row in rows {
            scrolled.text.extend(row.as_ref().chars().filter(|c| *c != '\n'));
            scrolled.text.push('\n');
            scrolled.rows += 1;
        }
        scrolled
    }
}
