//! The part of a session's screen that fits into the person's terminal.

use super::canvas::{Picture, painted};
use crate::engine::Size;
use crate::engine::cell::{Attrs, Cell};
use crate::engine::screen::Screen;

/// The session's screen from the top left as far as it fits, the cursor always in it; a line shows where a smaller one ends.
/// Beside it the row and column of the session that stand in the terminal's top left corner.
pub(super) fn picture(screen: &Screen, size: Size) -> (Picture, (usize, usize)) {
    let mut picture = Picture::new(size);
    let (rows, cols) = (screen.rows(), screen.cols());
    let (height, width) = (picture.rows.len(), picture.cols);
    let at = (screen.cursor.row, screen.cursor.col);
    let corner = ((at.0 + 1).saturating_sub(height), (at.1 + 1).saturating_sub(width));
    for row in 0..height.min(rows - corner.0) {
        let line = screen.page.grid.row(corner.0 + row);
        let cells = (corner.1..cols).map(|col| line.cell(col));
        if screen.palette.is_empty() {
            picture.put(row, cells);
        } else {
            let painted: Vec<Cell> = cells.map(|cell| painted(cell, &screen.palette)).collect();
            picture.put(row, painted.iter());
        }
    }
    let dim = |c| Cell { c, attrs: Attrs(Attrs::DIM), ..Cell::default() };
    if cols < width {
        picture.rows.iter_mut().take(rows + 1).for_each(|line| line[cols] = dim('│'));
    }
    if rows < height {
        picture.rows[rows].iter_mut().take(cols).for_each(|cell| *cell = dim('─'));
        if cols < width {
            picture.rows[rows][cols] = dim('┘');
        }
    }
    // A hidden one has its place, too: what a person composes (input methods) is shown there.
    picture.cursor = Some((at.0 - corner.0, at.1 - corner.1));
    (picture, corner)
}
