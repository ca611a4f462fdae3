//! What agents print, made up: numbered log lines, a live region that is drawn anew, text of many scripts.
//!
//! Synthetic and the same in every run; recordings of real agents are fixtures of other crates.

use std::fmt::Write as _;

/// Kinds of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Numbered ASCII lines of 20 to 110 columns.
    Plain,
    /// Twelve rows redrawn inside synchronized updates, in colours and boxes, with lines scrolling above them.
    Tui,
    /// Wide, combining and joined characters of many scripts.
    Unicode,
}

impl Stream {
    pub const ALL: [Self; 3] = [Self::Plain, Self::Tui, Self::Unicode];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tui => "tui",
            Self::Unicode => "unicode",
        }
    }

    /// So many bytes of it, a few more to end a line.
    pub fn bytes(self, count: usize) -> Vec<u8> {
        let mut out = String::with_capacity(count + 4096);
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let mut number = 0;
        while out.len() < count {
            number += 1;
            match self {
                Self::Plain => plain(&mut out, &mut dice, number),
                Self::Tui => tui(&mut out, &mut dice, number),
                Self::Unicode => unicode(&mut out, &mut dice, number),
            }
        }
        out.into_bytes()
    }
}

/// Numbers that look like chance and are always the same (xorshift, Marsaglia 2003).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

const WORDS: [&str; 8] = ["compiling", "warning:", "src/lib.rs", "passed", "0x7f3a", "retrying", "--flag=value", "ok"];

fn words(out: &mut String, dice: &mut Dice, columns: u64) {
    let until = out.len() + usize::try_from(columns).unwrap_or(0);
    while out.len() < until {
        out.push_str(WORDS[usize::try_from(dice.below(8)).unwrap_or(0)]);
        out.push(' ');
    }
}

fn plain(out: &mut String, dice: &mut Dice, number: u64) {
    let columns = 12 + dice.below(90);
    // Writing into a string cannot fail.
    let _ = write!(out, "{number:08} ");
    words(out, dice, columns);
    out.push('\n');
}

fn tui(out: &mut String, dice: &mut Dice, number: u64) {
    out.push_str("\x1b[?2026h");
    let _ = write!(out, "\x1b[12A\x1b[J\x1b[32m+\x1b[0m ");
    words(out, dice, 60);
    out.push_str("\r\n\x1b[38;2;90;90;90m╭");
    out.push_str(&"─".repeat(98));
    out.push_str("╮\x1b[0m\r\n");
    for row in 0..10 {
        let (red, green) = (dice.below(256), dice.below(256));
        let _ = write!(out, "\x1b[38;2;90;90;90m│\x1b[38;2;{red};{green};200m {row:2} ");
        words(out, dice, 40);
        out.push_str("\x1b[0m\x1b[K\r\n");
    }
    out.push_str("\x1b[2m  esc to interrupt\x1b[22m\x1b[K\r");
    if number.is_multiple_of(8) {
        let _ = write!(out, "\x1b]0;working {number}\x07");
    }
    out.push_str("\x1b[?2026l");
}

const SCRIPTS: [&str; 8] =
    ["日本語の文字列", "中文终端", "👩‍👩‍👧‍👦🚀", "e\u{301}a\u{308}o\u{302}", "Привет мир", "مرحبا", "한국어", "ﬀ→≠∞"];

fn unicode(out: &mut String, dice: &mut Dice, number: u64) {
    let _ = write!(out, "{number} ");
    for _ in 0..4 + dice.below(6) {
        out.push_str(SCRIPTS[usize::try_from(dice.below(8)).unwrap_or(0)]);
        out.push(' ');
    }
    out.push('\n');
}
