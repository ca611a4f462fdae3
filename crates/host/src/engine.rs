//! The screen engine behind one trait, so that the rest of the host never names a terminal library.
//!
//! The engine keeps the screen and a serialiser that can rebuild it; it does no input or output.

pub mod answers;
pub mod c1;
pub mod cell;
pub mod cluster;
pub mod dispatch;
pub mod draw;
pub mod format;
pub mod grid;
pub mod ground;
pub mod guarded;
pub mod lexer;
pub mod modes;
pub mod osc;
pub mod queries;
pub mod reflow;
pub mod said;
pub mod screen;
pub mod scrolled;
pub mod serialise;
pub mod sgr;
pub mod sides;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod text;

/// Terminal size in cells, always within [`Size::MAX_COLS`] × [`Size::MAX_ROWS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Size {
    /// Columns, 1..=500.
    pub cols: u16,
    /// Rows, 1..=300.
    pub rows: u16,
}

impl Size {
    /// Widest terminal accepted (`docs/design/host.md`).
    pub const MAX_COLS: u16 = 500;
    /// Tallest terminal accepted (`docs/design/host.md`).
    pub const MAX_ROWS: u16 = 300;

    /// Clamps any request into the accepted range: the only place where sizes are checked.
    #[must_use]
    pub fn clamped(cols: u16, rows: u16) -> Self {
        Self { cols: cols.clamp(1, Self::MAX_COLS), rows: rows.clamp(1, Self::MAX_ROWS) }
    }
}

/// Something the terminal stream said besides drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TermEvent {
    /// OSC 0/2 title; empty when it was reset.
    Title(String),
    /// Any other OSC, by number and text (7501, 9, 777, 133, 7 …), at most 4 KiB of text.
    Osc(u16, String),
    /// BEL.
    Bell,
    /// Bytes the terminal must answer to the program (DA1, DSR, …).
    Reply(Vec<u8>),
}

/// One terminal: bytes in, a screen out.
pub trait Engine: Send {
    /// Interprets `bytes`; what was scrolled off or said is collected until taken.
    fn feed(&mut self, bytes: &[u8]);
    /// Tells the time, in milliseconds of any clock that does not go back, before a feed and at [`Engine::deadline`]:
    /// a synchronized update that has been open for too long is drawn as it is.
    fn tick(&mut self, now_ms: u64);
    /// When [`Engine::tick`] should be called at the latest, if something is held back.
    fn deadline(&self) -> Option<u64>;
    /// G: how many of the bytes fed so far the screen stands for. What follows is a sequence or a synchronized update
    /// that is still open; a snapshot and the bytes from G on give the same screen.
    fn ground_offset(&self) -> u64;
    /// Changes the size; the content is reflowed or cut as the engine does.
    fn resize(&mut self, size: Size);
    /// Current size.
    fn size(&self) -> Size;
    /// Escape sequences that rebuild the whole state in a fresh terminal of the same size.
    fn serialise(&self) -> Vec<u8>;
    /// Text of one visible row, without attributes, trailing blanks removed.
    fn row_text(&self, row: u16) -> String;
    /// Text of one visible row with SGR sequences, trailing blanks removed.
    fn row_sgr(&self, row: u16) -> String;
    /// Cursor position `(row, col)`, zero based, and whether it is shown.
    fn cursor(&self) -> (u16, u16, bool);
    /// Current title.
    fn title(&self) -> &str;
    /// Whether the program asked for bracketed paste (mode 2004).
    fn bracketed_paste(&self) -> bool;
    /// Whether the alternate screen is shown.
    fn alternate_screen(&self) -> bool;
    /// Rows that left the top of the primary screen since the last call, oldest first, one SGR text line each.
    fn take_scrolled(&mut self) -> scrolled::Scrolled;
    /// What the stream said since the last call.
    fn take_events(&mut self) -> Vec<TermEvent>;
}
