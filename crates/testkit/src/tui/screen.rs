//! The picture: a transcript, a composer between two rules, or a question instead of it.

use super::mode::Mode;
use rustix::termios::tcgetwinsize;
use std::fmt::Write as _;
use std::io::{self, Write as _};

/// A paste with more characters or lines than this is shown as a sign, as Claude Code does.
const SHOWN: (usize, usize) = (800, 4);
/// Rows of the transcript that are drawn.
const TRANSCRIPT: usize = 6;

/// What is to be seen.
#[derive(Debug, Default)]
pub struct View {
    said: Vec<String>,
    composer: Vec<Part>,
    pastes: usize,
    frame: usize,
}

#[derive(Debug)]
struct Part {
    text: String,
    /// What stands there for it.
    sign: Option<String>,
}

/// Bracketed paste on, everything cleared.
pub fn begin() -> io::Result<()> {
    write(b"\x1b[?2004h\x1b[2J\x1b[H")
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

impl View {
    pub fn typed(&mut self, text: &str) {
        match self.composer.last_mut() {
            Some(last) if last.sign.is_none() => last.text.push_str(text),
            _ => self.composer.push(Part { text: text.to_owned(), sign: None }),
        }
    }

    pub fn pasted(&mut self, text: String) {
        let lines = text.lines().count();
        if text.chars().count() <= SHOWN.0 && lines <= SHOWN.1 {
            return self.typed(&text);
        }
        self.pastes += 1;
        let more = if lines > 1 { format!(" +{} lines", lines - 1) } else { String::new() };
        self.composer.push(Part { text, sign: Some(format!("[Pasted text #{}{more}]", self.pastes)) });
    }

    pub fn clear(&mut self) {
        self.composer.clear();
    }

    /// Empties the composer; nothing when it held nothing.
    pub fn take(&mut self) -> Option<String> {
        let text: String = self.composer.drain(..).map(|part| part.text).collect();
        (!text.is_empty()).then_some(text)
    }

    pub fn said(&mut self, text: &str) {
        let line: String = text.lines().next().unwrap_or_default().chars().take(60).collect();
        self.said.push(line);
    }

    pub fn draw(&mut self, mode: Mode, choices: &[&str]) -> io::Result<()> {
        let size = tcgetwinsize(io::stdout())?;
        let (cols, rows) = (usize::from(size.ws_col.max(20)), usize::from(size.ws_row.max(10)));
        self.frame += 1;
        let mut lines = vec!["A scripted agent".to_owned(), String::new()];
        lines.extend(self.said.iter().rev().take(TRANSCRIPT).rev().map(|text| format!("❯ {text}")));
        let rule = "─".repeat(cols);
        match mode {
            Mode::Starting { .. } => lines = vec!["Loading…".to_owned()],
            Mode::Question { .. } => {
                let dialog = [
                    rule.as_str(),
                    " Bash command",
                    "",
                    "   make everything",
                    "",
                    " Do you want to proceed?",
                    " ❯ 1. Yes",
                    "   2. No",
                    "",
                    " Esc to cancel",
                ];
                lines.extend(dialog.map(str::to_owned));
            }
            Mode::Permission { selected, .. } => {
                let words = [rule.as_str(), " Bash command", "", "   make everything", "", " Do you want to proceed?"];
                lines.extend(words.map(str::to_owned));
                let sign = |n| if n == selected { '❯' } else { ' ' };
                lines.extend(choices.iter().enumerate().map(|(n, label)| format!(" {} {}. {label}", sign(n), n + 1)));
                lines.extend(["", " Esc to cancel · Tab to amend"].map(str::to_owned));
            }
            Mode::Idle | Mode::Turn { .. } => {
                if let Mode::Turn { .. } = mode {
                    let sign = ['·', '✢', '✳', '✶', '✻', '✽'][self.frame % 6];
                    lines.extend([String::new(), format!("{sign} Pondering… ({} frames)", self.frame)]);
                }
                lines.extend([String::new(), rule.clone()]);
                lines.extend(self.boxed(cols));
                lines.extend([rule, "  ? for shortcuts".to_owned()]);
            }
        }
        // What does not fit is cut at the top, as it would have scrolled.
        let cut = lines.len().saturating_sub(rows - 1);
        let mut out = String::from("\x1b[?25l\x1b[H");
        for line in lines.iter().skip(cut) {
            // A String takes everything.
            let _ = write!(out, "{line}\x1b[K\r\n");
        }
        out.push_str("\x1b[J\x1b[?25h");
        write(out.as_bytes())
    }

    /// The composer's rows: the sign on the first one, the others indented.
    fn boxed(&self, cols: usize) -> Vec<String> {
        let text: String = self.composer.iter().map(|part| part.sign.as_deref().unwrap_or(&part.text)).collect();
        let width = cols.saturating_sub(4).max(1);
        let mut rows = Vec::new();
        for line in text.split('\n') {
            let chars: Vec<char> = line.chars().collect();
            rows.extend(chars.chunks(width).map(|row| row.iter().collect::<String>()));
            if chars.is_empty() {
                rows.push(String::new());
            }
        }
        rows.iter().enumerate().map(|(n, row)| format!("{} {row}", if n == 0 { '❯' } else { ' ' })).collect()
    }
}
