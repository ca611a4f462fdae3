//! An engine that is not ours: `alacritty_terminal` with a parser of its own version. xterm.js judges the same in `make slow-chaos`.

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::Processor;

struct Dim {
    cols: usize,
    rows: usize,
}

impl Dimensions for Dim {
    fn total_lines(&self) -> usize {
        self.rows
    }
    fn screen_lines(&self) -> usize {
        self.rows
    }
    fn columns(&self) -> usize {
        self.cols
    }
}

pub struct Judge {
    term: Term<VoidListener>,
    parser: Processor,
    size: Dim,
}

impl Judge {
    pub fn new(cols: u16, rows: u16) -> Self {
        let config = Config { scrolling_history: 0, ..Config::default() };
        let size = Dim { cols: cols.into(), rows: rows.into() };
        Self { term: Term::new(config, &size, VoidListener), parser: Processor::new(), size }
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.term, bytes);
    }

    /// Takes a snapshot, the beginning of everything. This engine knows the alternate screen by mode 1049 alone, which is
    /// 1047 and a saved cursor; a snapshot has saved the cursor by then.
    pub fn begin(&mut self, snapshot: &[u8]) {
        let known = String::from_utf8(snapshot.to_vec()).expect("snapshots are UTF-8");
        let known = known.replace("\x1b[?1047h", "\x1b8\x1b[?1049h\x1b[m");
        self.feed(known.as_bytes());
    }

    fn cell(&self, row: usize, col: usize) -> &Cell {
        &self.term.grid()[Line(i32::try_from(row).expect("a row"))][Column(col)]
    }

    /// Text of a row without trailing blanks.
    pub fn row(&self, row: usize) -> String {
        let mut text = String::new();
        for cell in (0..self.size.cols).map(|col| self.cell(row, col)) {
            if !cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
                text.push(if cell.c == '\t' { ' ' } else { cell.c });
                text.extend(cell.zerowidth().unwrap_or_default());
            }
        }
        text.trim_end_matches(' ').to_owned()
    }

    /// Row and column of the cursor.
    pub fn cursor(&self) -> (usize, usize) {
        let point = self.term.grid().cursor.point;
        (usize::try_from(point.line.0).expect("a row"), point.column.0)
    }

    /// How two of them differ: cells with their looks, cursor, pending wrap, modes.
    pub fn differs(&self, other: &Self) -> Option<String> {
        for row in 0..self.size.rows {
            for col in 0..self.size.cols {
                let look = |judge: &Self| {
                    let cell = judge.cell(row, col);
                    // Which rows belong together is no part of what is seen.
                    let flags = cell.flags - Flags::WRAPLINE - Flags::LEADING_WIDE_CHAR_SPACER;
                    // A tab leaves a sign of its own in cells that it passes.
                    let c = if cell.c == '\t' { ' ' } else { cell.c };
                    // What this engine blanks keeps looks that nobody draws; others keep the background alone.
                    let shown = (c != ' ').then_some((cell.fg, flags));
                    (c, cell.zerowidth().map(<[char]>::to_vec), cell.bg, shown)
                };
                let (ours, theirs) = (look(self), look(other));
                if ours != theirs {
                    return Some(format!("cell {row},{col}: {ours:?} and {theirs:?}"));
                }
            }
        }
        let rest = |judge: &Self| (judge.cursor(), judge.term.grid().cursor.input_needs_wrap, *judge.term.mode());
        (rest(self) != rest(other)).then(|| format!("{:?} and {:?}", rest(self), rest(other)))
    }
}
