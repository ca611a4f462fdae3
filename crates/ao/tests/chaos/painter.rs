//! Draws at random what full-screen programs draw: both screens, margins, scrolling, colours, wide characters.
//!
//! Only what every judge draws alike, so that a difference is the host's: what they do not agree on is in `docs/fidelity.md`.

use ao_testkit::dice::Dice;

/// Size of a session that nobody looks at.
pub const COLS: u64 = 120;
/// Its rows.
pub const ROWS: u64 = 40;

/// Text of every width; no emoji, whose width depends on the judge's age.
const WORDS: [&str; 12] = [
    "ab",
    "error[E0308]",
    "漢字",
    "かな",
    "한글",
    "─│┌┘",
    "e\u{301}t\u{e9}",
    "ひらがな",
    "wide 幅 wide",
    "ｆｕｌｌ",
    "x",
    "the quick brown fox ",
];
/// Looks.
const STYLES: [&str; 13] = [
    "0",
    "1",
    "3",
    "7",
    "9",
    "31",
    "44",
    "92",
    "38;5;208",
    "48;5;17",
    "38;2;1;2;3",
    "48;2;200;100;50",
    "22;23;27;29;39;49",
];

/// A program that draws for ever.
pub struct Painter {
    dice: Dice,
    alternate: bool,
}

impl Painter {
    pub fn new(dice: Dice) -> Self {
        Self { dice, alternate: false }
    }

    /// Appends one thing that a program may do.
    pub fn stroke(&mut self, out: &mut Vec<u8>) {
        let text = match self.dice.below(16) {
            0..=4 => format!("{}{}", self.place(), self.words(1)),
            5..=6 => format!("{}{}{}", self.place(), self.style(), self.words(3)),
            // A long text runs over the edge, a wide character does not fit there.
            7 => format!("\x1b[{};{}H{}", self.row(), COLS - self.dice.below(4), self.words(4)),
            8 => format!("{}{}", self.style(), self.words(6)),
            9 => format!("\x1b[{};1H{}", self.row(), self.dice.one(&["\x1b[K", "\x1b[2K", "\x1b[J"])),
            10 => self.margins(),
            11 => self.scroll(),
            12 => format!("\x1b[{};1H\x1b[{}{}", self.row(), 1 + self.dice.below(4), self.dice.one(&["L", "M"])),
            13 => {
                let (row, by) = (self.row(), 1 + self.dice.below(5));
                format!(
                    "\x1b[{row};1H\x1b[2Kinsert and delete\x1b[{row};5H\x1b[{by}{}",
                    self.dice.one(&["@", "P", "X"])
                )
            }
            14 => {
                let (place, control) = (self.place(), *self.dice.one(&["\r\n", "\n", "\t", "\r"]));
                // Where a wrap is pending, judges disagree on what a line feed and a tab do.
                let place = if control.starts_with('\r') { "" } else { &place };
                format!("\x1b]2;title {}\x07{place}{control}", self.dice.below(100))
            }
            _ if self.dice.below(4) == 0 => {
                self.alternate = !self.alternate;
                // Programs leave margins and pen as they found them.
                format!("\x1b[r\x1b[m\x1b[?1049{}", if self.alternate { "h" } else { "l" })
            }
            _ => format!("\x1b[?25{}\x1b[?2004{}", self.switch(), self.switch()),
        };
        out.extend(text.bytes());
    }

    fn row(&mut self) -> u64 {
        1 + self.dice.below(ROWS)
    }

    fn place(&mut self) -> String {
        format!("\x1b[{};{}H", self.row(), 1 + self.dice.below(COLS))
    }

    fn words(&mut self, count: u64) -> String {
        (0..=self.dice.below(count)).map(|_| *self.dice.one(&WORDS)).collect()
    }

    fn style(&mut self) -> String {
        format!("\x1b[{}m", self.dice.one(&STYLES))
    }

    fn switch(&mut self) -> &'static str {
        if self.dice.below(2) == 0 { "h" } else { "l" }
    }

    fn margins(&mut self) -> String {
        let top = 1 + self.dice.below(ROWS - 8);
        let bottom = top + 3 + self.dice.below(ROWS - top - 3);
        if self.dice.below(4) == 0 { "\x1b[r".to_owned() } else { format!("\x1b[{top};{bottom}r") }
    }

    fn scroll(&mut self) -> String {
        let by = 1 + self.dice.below(3);
        match self.dice.below(4) {
            0 => format!("\x1b[{by}S"),
            // xterm.js fills these rows with no background, others with the pen's.
            1 => format!("\x1b[m\x1b[{by}T"),
            2 => format!("\x1b[{ROWS};1H{}", "\n".repeat(usize::try_from(by).expect("small"))),
            _ => format!("\x1b[1;1H{}", "\x1bM".repeat(usize::try_from(by).expect("small"))),
        }
    }
}
