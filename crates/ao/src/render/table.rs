//! Tables: columns as wide as what they hold, the last one cut at the edge of a terminal and never elsewhere.

use super::words::cut;
use crate::output::{Style, paint};
use unicode_width::UnicodeWidthStr as _;

/// Between two columns.
const GAP: usize = 2;
/// The last column keeps at least this many characters, however narrow the terminal is.
const LAST: usize = 12;

/// One cell.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    style: Option<Style>,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self { text: super::words::line(text), style: None }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

/// A cell that is set off.
#[must_use]
pub fn styled(text: &str, style: Style) -> Cell {
    Cell { text: super::words::line(text), style: Some(style) }
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these columns.
    #[must_use]
    pub fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row with a cell for each column.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The lines, headings first. `width` is the terminal's; none means that nothing is cut.
    #[must_use]
    pub fn lines(&self, width: Option<usize>, colour: bool) -> Vec<String> {
        let headings: Vec<Cell> = self.headings.iter().map(|h| styled(h, Style::Dim)).collect();
        let all: Vec<&Vec<Cell>> = std::iter::once(&headings).chain(&self.rows).collect();
        let widths: Vec<usize> = (0..self.headings.len())
            .map(|c| all.iter().filter_map(|row| row.get(c)).map(|cell| cell.text.width()).max().unwrap_or(0))
            .collect();
        let before: usize = widths.iter().take(widths.len().saturating_sub(1)).map(|w| w + GAP).sum();
        let room = width.map(|w| w.saturating_sub(before).max(LAST));
        all.into_iter().map(|row| draw(row, &widths, room, colour)).collect()
    }
}

fn draw(row: &[Cell], widths: &[usize], room: Option<usize>, colour: bool) -> String {
    let mut out = String::new();
    for (c, cell) in row.iter().enumerate() {
        let last = c + 1 == widths.len();
        let text = match room {
            Some(room) if last => cut(&cell.text, room),
            Some(_) | None => cell.text.clone(),
        };
        let pad = widths.get(c).copied().unwrap_or(0).saturating_sub(text.width()) + GAP;
        out.push_str(&cell.style.map_or_else(|| text.clone(), |style| paint(colour, style, &text)));
        if !last {
            out.push_str(&" ".repeat(pad));
        }
    }
    out.trim_end().to_owned()
}
