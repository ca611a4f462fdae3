//! Tables: columns as wide as what they hold, cut where a terminal ends and never elsewhere.

use super::words::cut;
use crate::output::{Style, paint};
use unicode_width::UnicodeWidthStr as _;

/// Between two columns.
const GAP: usize = 2;
/// The last column keeps at least this many columns, however narrow the terminal is.
const LAST: usize = 16;
/// No other column is made narrower than this.
const NARROWEST: usize = 8;

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
        let mut widths: Vec<usize> = (0..self.headings.len())
            .map(|c| all.iter().filter_map(|row| row.get(c)).map(|cell| cell.text.width()).max().unwrap_or(0))
            .collect();
        if let Some(width) = width {
            fit(&mut widths, width);
        }
        all.into_iter().map(|row| draw(row, &widths, colour)).collect()
    }
}

/// Makes the last column fit, and takes from the widest of the others what it needs to be of use.
fn fit(widths: &mut [usize], width: usize) {
    let Some((last, others)) = widths.split_last_mut() else { return };
    let gaps = others.len() * GAP;
    let wanted = (*last).min(LAST);
    while others.iter().sum::<usize>() + gaps + wanted > width {
        match others.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            Some(_) | None => break,
        }
    }
    let room = width.saturating_sub(others.iter().sum::<usize>() + gaps);
    *last = (*last).min(room.max(wanted));
}

fn draw(row: &[Cell], widths: &[usize], colour: bool) -> String {
    let mut out = String::new();
    for (c, (cell, width)) in row.iter().zip(widths).enumerate() {
        let text = cut(&cell.text, *width);
        let pad = if c + 1 == widths.len() { 0 } else { width.saturating_sub(text.width()) + GAP };
        out.push_str(&cell.style.map_or_else(|| text.clone(), |style| paint(colour, style, &text)));
        out.push_str(&" ".repeat(pad));
    }
    out.trim_end().to_owned()
}
