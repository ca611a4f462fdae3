//! Draws: a transcript that scrolls away like any program's output, and below it a live part that is redrawn in place.

use std::collections::VecDeque;
use unicode_width::UnicodeWidthChar;

/// Transcript lines kept for drawing everything again after a change of size.
const KEPT: usize = 500;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// Less important.
    Dim,
    /// What was asked.
    Bold,
    /// What went wrong.
    Red,
}

impl Style {
    const fn sgr(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "\x1b[2m",
            Self::Bold => "\x1b[1m",
            Self::Red => "\x1b[31m",
        }
    }
}

/// What the live part shows.
pub struct Live<'a> {
    /// The line above the box; empty for none.
    pub status: String,
    /// What is asked instead of the box.
    pub question: Option<&'a str>,
    /// What the composer shows.
    pub composer: String,
}

/// What the empty composer shows.
pub const PLACEHOLDER: &str = "Type a prompt; the script answers it";

/// The state of the drawing.
pub struct View {
    cols: usize,
    rows: usize,
    kept: VecDeque<(Style, String)>,
    fresh: Vec<(Style, String)>,
    /// Rows of the live part above the cursor, as drawn last.
    above_cursor: usize,
}

impl View {
    /// For a screen of this size.
    pub fn new((cols, rows): (usize, usize)) -> Self {
        Self { cols, rows, kept: VecDeque::new(), fresh: Vec::new(), above_cursor: 0 }
    }

    /// Adds text to the transcript, to be drawn next time. Control characters are left out.
    pub fn say(&mut self, style: Style, text: &str) {
        for line in text.lines() {
            let clean: String =
                line.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect();
            self.fresh.push((style, clean));
        }
    }

    /// Notes the screen's size; a new one means that everything is drawn again. Says whether it is new.
    pub fn resize(&mut self, (cols, rows): (usize, usize)) -> bool {
        let new = (cols, rows) != (self.cols, self.rows);
        if new {
            (self.cols, self.rows) = (cols, rows);
            let fresh = std::mem::take(&mut self.fresh);
            self.fresh = self.kept.drain(..).chain(fresh).collect();
        }
        new
    }

    /// The bytes that bring the screen up to date, `marks` among them, as one synchronized update. `whole` clears the
    /// screen first.
    pub fn frame(&mut self, live: &Live<'_>, marks: &str, whole: bool) -> String {
        let (live_rows, cursor) = self.live(live);
        let mut out = format!("\x1b[?2026h\x1b[?25l{marks}");
        if whole {
            out.push_str("\x1b[H\x1b[2J");
            self.forget_what_does_not_fit(live_rows.len());
        } else {
            out.push('\r');
            if self.above_cursor > 0 {
                out.push_str(&format!("\x1b[{}A", self.above_cursor));
            }
            out.push_str("\x1b[J");
        }
        for (style, line) in self.fresh.drain(..) {
            for row in wrap(&line, self.cols.saturating_sub(1)) {
                push_row(&mut out, style, &row);
                out.push_str("\r\n");
            }
            self.kept.push_back((style, line));
        }
        while self.kept.len() > KEPT {
            self.kept.pop_front();
        }
        for (n, (style, row)) in live_rows.iter().enumerate() {
            if n > 0 {
                out.push_str("\r\n");
            }
            push_row(&mut out, *style, row);
        }
        let below = live_rows.len() - 1 - cursor.0;
        if below > 0 {
            out.push_str(&format!("\x1b[{below}A"));
        }
        out.push('\r');
        if cursor.1 > 0 {
            out.push_str(&format!("\x1b[{}C", cursor.1));
        }
        out.push_str("\x1b[?25h\x1b[?2026l");
        self.above_cursor = cursor.0;
        out
    }

    /// The last bytes: the live part goes, the transcript stays.
    pub fn farewell(&mut self) -> String {
        let up = if self.above_cursor > 0 { format!("\x1b[{}A", self.above_cursor) } else { String::new() };
        let mut out = format!("\r{up}\x1b[J");
        for (style, line) in self.fresh.drain(..) {
            push_row(&mut out, style, &line);
            out.push_str("\r\n");
        }
        out
    }

    // After a change of size only the transcript's end is drawn again: the rest is in the terminal's history already.
    fn forget_what_does_not_fit(&mut self, live: usize) {
        let room = self.rows.saturating_sub(live);
        let mut used = 0;
        let keep = self
            .fresh
            .iter()
            .rev()
            .take_while(|(_, line)| {
                used += wrap(line, self.cols.saturating_sub(1)).len();
                used <= room
            })
            .count();
        self.fresh.drain(..self.fresh.len() - keep);
    }

    /// The live rows and where the cursor stands in them.
    fn live(&self, live: &Live<'_>) -> (Vec<(Style, String)>, (usize, usize)) {
        let width = self.cols.saturating_sub(1).max(4);
        let rule = (Style::Dim, "─".repeat(width));
        let mut rows = vec![(Style::Plain, String::new())];
        if !live.status.is_empty() {
            rows.push((Style::Bold, cut(&live.status, width)));
            rows.push((Style::Plain, String::new()));
        }
        rows.push(rule.clone());
        if let Some(question) = live.question {
            rows.push((Style::Bold, cut(&format!(" {question}"), width)));
            rows.push((Style::Plain, " ❯ 1. Yes".to_owned()));
            rows.push((Style::Plain, "   2. No".to_owned()));
            let cursor = (rows.len() - 2, 1);
            rows.push((Style::Dim, cut(" Enter or 1 to allow · Esc or 2 to refuse", width)));
            return (rows, cursor);
        }
        let mut text = Vec::new();
        for line in live.composer.split('\n') {
            text.extend(wrap(line, width - 2));
        }
        // The box never takes more than half the screen: the end of a long text is shown.
        let most = (self.rows / 2).max(1);
        let hidden = text.len().saturating_sub(most);
        let shown = &text[hidden..];
        let last = shown.last().map_or(0, |row| columns(row));
        for (n, row) in shown.iter().enumerate() {
            let sign = if n == 0 { "> " } else { "  " };
            let empty = live.composer.is_empty();
            let row = if empty { cut(&format!("{sign}{PLACEHOLDER}"), width) } else { format!("{sign}{row}") };
            rows.push((if empty { Style::Dim } else { Style::Plain }, row));
        }
        let cursor = (rows.len() - 1, 2 + last);
        rows.push(rule);
        rows.push((Style::Dim, cut("  scripted stand-in, no model · Esc interrupts · /exit leaves", width)));
        (rows, cursor)
    }
}

fn push_row(out: &mut String, style: Style, row: &str) {
    out.push_str(style.sgr());
    out.push_str(row);
    if style != Style::Plain {
        out.push_str("\x1b[m");
    }
}

fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The beginning of a text that fits into `width` columns.
fn cut(text: &str, width: usize) -> String {
    wrap(text, width).swap_remove(0)
}

/// Cuts a line into rows of at most `width` columns; an empty line is one row. A tab counts as one column.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    let mut used = 0;
    for c in line.chars() {
        let c = if c == '\t' { ' ' } else { c };
        let wide = c.width().unwrap_or(0);
        if used + wide > width.max(1) {
            rows.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(row) = rows.last_mut() {
            row.push(c);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_by_columns_not_by_characters() {
        assert_eq!(wrap("日本語a", 4), ["日本", "語a"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(cut("abcdef", 3), "abc");
    }
}
