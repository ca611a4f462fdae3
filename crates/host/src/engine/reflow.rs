//! Changing the size of a grid, with or without re-wrapping its lines.
//!
//! It moves rows and says where the cursor went; what becomes of rows pushed out at the top is the caller's affair.

use super::cell::{BLANK, Cell, Width};
use super::grid::{Grid, Row};

/// A place in the grid that must be followed through the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Row, from 0.
    pub row: usize,
    /// Column, from 0; equal to the width when a wrap is pending.
    pub col: usize,
}

/// What a change of size did.
#[derive(Debug)]
pub struct Resized {
    /// Where the cursor is now; its column may equal the width (wrap pending).
    pub cursor: Place,
    /// Rows pushed out at the top, oldest first.
    pub lost: Vec<Row>,
}

struct Line {
    cells: Vec<Cell>,
    cursor: Option<usize>,
}

impl Grid {
    /// Re-wraps every line to `cols` columns (the primary screen).
    pub fn reflow(&mut self, cols: usize, rows: usize, cursor: Place) -> Resized {
        if cols == self.cols {
            return self.fit_height(rows, cursor);
        }
        let lines = self.lines(cursor);
        let mut out: Vec<Row> = Vec::with_capacity(self.rows.len());
        let mut at = Place { row: 0, col: 0 };
        for line in lines {
            let first = out.len();
            let (pieces, place) = split(line, cols);
            out.extend(pieces);
            if let Some(place) = place {
                at = Place { row: first + place.row, col: place.col };
            }
        }
        self.rows = out.into();
        self.cols = cols;
        self.fit_height(rows, at)
    }

    /// Cuts or pads without re-wrapping (the alternate screen).
    pub fn crop(&mut self, cols: usize, rows: usize, cursor: Place) -> Resized {
        if cols < self.cols {
            for row in &mut self.rows {
                row.cut(cols);
            }
        } else if cols > self.cols {
            for row in &mut self.rows {
                row.wrapped = false;
            }
        }
        self.cols = cols;
        let out = cursor.row.saturating_sub(rows - 1);
        let lost = self.rows.drain(..out).collect();
        self.rows.resize(rows, Row::default());
        self.unwrap_last();
        Resized { cursor: Place { row: cursor.row - out, col: cursor.col.min(cols - 1) }, lost }
    }

    /// Blank rows below text and cursor go first, then rows leave at the top, as few as possible.
    fn fit_height(&mut self, rows: usize, cursor: Place) -> Resized {
        let filled = self.rows.iter().rposition(|row| row.used() > 0).map_or(0, |row| row + 1);
        let needed = filled.max(cursor.row + 1);
        let out = needed.saturating_sub(rows).min(cursor.row);
        let lost = self.rows.drain(..out).collect();
        self.rows.resize(rows, Row::default());
        self.unwrap_last();
        Resized { cursor: Place { row: cursor.row - out, col: cursor.col }, lost }
    }

    /// Joins wrapped rows into lines, down to the last row with text or the cursor.
    fn lines(&mut self, cursor: Place) -> Vec<Line> {
        let filled = self.rows.iter().rposition(|row| row.used() > 0).map_or(0, |row| row + 1);
        let end = filled.max(cursor.row + 1).min(self.rows.len());
        let mut lines = Vec::new();
        let mut line = Line { cells: Vec::new(), cursor: None };
        for (index, row) in self.rows.iter().take(end).enumerate() {
            if index == cursor.row {
                line.cursor = Some(line.cells.len() + cursor.col);
            }
            let used = row.used();
            line.cells.extend(row.cells()[..used].iter().cloned());
            if row.wrapped {
                let full = line.cells.len() - used + self.cols;
                line.cells.resize(full, BLANK.clone());
                // The blank left where a wide character did not fit is not part of the text.
                let next_is_wide = self.rows.get(index + 1).is_some_and(|next| next.cell(0).width == Width::Wide);
                if next_is_wide && row.cell(self.cols - 1).width == Width::Narrow && !row.cell(self.cols - 1).has_text()
                {
                    line.cells.pop();
                }
            } else {
                lines.push(std::mem::replace(&mut line, Line { cells: Vec::new(), cursor: None }));
            }
        }
        if !line.cells.is_empty() || line.cursor.is_some() {
            lines.push(line);
        }
        lines
    }
}

/// Cuts one line into rows of `cols` columns and finds the cursor in them.
fn split(line: Line, cols: usize) -> (Vec<Row>, Option<Place>) {
    let text = line.cells.iter().rposition(Cell::has_text).map_or(0, |col| col + 1);
    let mut rows = Vec::new();
    let mut place = None;
    let mut cells: Vec<Cell> = Vec::new();
    let total = line.cells.len();
    for (index, cell) in line.cells.into_iter().enumerate() {
        let needs = if cell.width == Width::Wide { 2 } else { 1 };
        let full = if cell.width == Width::Spacer { false } else { cells.len() + needs > cols };
        if full {
            // Coloured blanks at the end of a line are cut, not wrapped.
            if index >= text && line.cursor.is_none_or(|cursor| cursor < index) {
                break;
            }
            cells.resize(cols, BLANK.clone());
            rows.push(Row::from_cells(std::mem::take(&mut cells), true));
        }
        if line.cursor == Some(index) {
            place = Some(Place { row: rows.len(), col: cells.len().min(cols - 1) });
        }
        // A terminal one column wide cannot hold a wide character.
        if cols == 1 && cell.width != Width::Narrow {
            if cell.width == Width::Wide {
                cells.push(BLANK.clone());
            }
            continue;
        }
        cells.push(cell);
    }
    if let (None, Some(cursor)) = (place, line.cursor) {
        let beyond = cursor.saturating_sub(total);
        let col = if beyond == 0 { cells.len() } else { (cells.len() + beyond).min(cols - 1) };
        place = Some(Place { row: rows.len(), col });
    }
    rows.push(Row::from_cells(cells, false));
    (rows, place)
}
