//! Random terminal streams that know the grammar: every byte of entropy chooses what comes next, so that margins,
//! charsets, both screens and wide characters at the edges are met often. Needs nothing of the engine: the example
//! `replay` and the fuzz targets use it, too.

/// Who is to read the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Our engine alone: everything.
    Engine,
    /// xterm.js beside it: what `docs/fidelity.md` ("Where xterm.js differs") lists is left out or made harmless.
    XtermJs,
}

struct Source<'a> {
    entropy: &'a [u8],
    reader: Reader,
    /// Whether there are wide characters.
    wide: bool,
    /// Whether there are colours, attributes and links.
    pens: bool,
    out: Vec<u8>,
}

/// The stream that `entropy` stands for.
pub fn stream(entropy: &[u8], reader: Reader) -> Vec<u8> {
    // Habit: the half of a wide character that is not overwritten takes the pen in xterm.js, here it keeps its background
    // (no manual says): a stream for both has either wide characters or pens.
    let both = reader == Reader::Engine;
    let wide = entropy.first().is_some_and(|first| first % 2 == 0);
    let mut source = Source { entropy, reader, wide: both || wide, pens: both || !wide, out: Vec::new() };
    while !source.entropy.is_empty() {
        source.piece();
    }
    source.out
}

const NARROW: [&str; 11] = [
    "a",
    "bc",
    "plain text ",
    "a line that is long enough to wrap",
    "─│┌",
    "é",
    "e\u{301}",
    "x\u{301}\u{302}",
    "·\u{a0}",
    "~`qx",
    "#",
];
const WIDE: [&str; 7] = ["漢", "字漢", "한", "🙂", "👍🏽", "👩\u{200d}👧", "ｶ👩"];
/// What becomes wide by what is added to it, and the blank of DEC special graphics.
const WIDENED: [&str; 4] = ["🇩🇪", "⚠\u{fe0f}", "1\u{fe0f}\u{20e3}", "_"];
/// Halves of clusters, and what our engine joins by rules of its own.
const ODD_TEXT: [&str; 8] = ["\u{301}", "\u{200d}", "\u{fe0f}", "🏽", "🇩", "❤", "🏳\u{fe0f}\u{200d}🌈", "\u{7f}"];
const MODES: [u16; 17] = [1, 5, 7, 7, 7, 12, 25, 45, 66, 1000, 1002, 1003, 1004, 1006, 1007, 2004, 2031];
const SGR: [&str; 24] = [
    "",
    "0",
    "1",
    "2",
    "3",
    "4",
    "4:3",
    "5",
    "7",
    "8",
    "9",
    "21",
    "22",
    "24",
    "27",
    "31",
    "42",
    "38;5;200",
    "48;5;17",
    "38;2;1;2;3",
    "48:2::4:5:6",
    "58:5:9",
    "53",
    "91;102",
];

impl Source<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.entropy.split_first() else { return 0 };
        self.entropy = rest;
        *first
    }

    fn below(&mut self, most: usize) -> usize {
        usize::from(self.byte()) % most
    }

    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn for_engine(&self) -> bool {
        self.reader == Reader::Engine
    }

    /// A parameter: often none or small, seldom huge.
    fn parameter(&mut self) -> String {
        match self.byte() {
            0..=79 => String::new(),
            byte @ 80..=229 => (byte % 25).to_string(),
            230..=245 => "0".into(),
            246..=252 => "999".into(),
            _ => "65535".into(),
        }
    }

    fn csi(&mut self, last: &str, parameters: usize) {
        let list: Vec<String> = (0..parameters).map(|_| self.parameter()).collect();
        self.put(&format!("\x1b[{}{last}", list.join(";")));
    }

    fn choose(&mut self, list: &[&str]) {
        let chosen = list[self.below(list.len())];
        self.put(chosen);
    }

    fn piece(&mut self) {
        match self.byte() % 32 {
            0..=8 => self.text(),
            9 => self.choose(&["\r\n", "\n", "\r", "\x08", "\t", "\x0b", "\x0c", "\r\n"]),
            10 | 11 => self.csi("H", 2),
            12 => {
                let last = ["A", "B", "C", "D", "E", "F", "G", "`", "d", "a", "e"][self.below(11)];
                self.relative(last);
            }
            13 => self.erase(),
            14 => {
                let last = ["@", "P", "X", "L", "M"][self.below(5)];
                // Habit: IL and DL outside the margins give up a pending wrap.
                if !self.for_engine() {
                    self.put("\r");
                }
                self.csi(last, 1);
            }
            15 | 16 if self.pens => {
                let code = SGR[self.below(SGR.len())];
                self.put(&format!("\x1b[{code}m"));
            }
            17 => self.margins(),
            18 => self.scroll(),
            19 => self.charset(),
            20 => self.saved(),
            21 => self.mode(),
            22 => self.screens(),
            23 => self.tabs(),
            24 => self.lines(),
            25 => self.names(),
            26 => self.keyboard(),
            27 if self.for_engine() => self.choose(&ODD_TEXT),
            28 if self.for_engine() => self.rare(),
            29 if self.for_engine() => self.c1(),
            30 if self.for_engine() => {
                for _ in 0..self.below(4) {
                    let byte = self.byte();
                    self.out.push(byte);
                }
            }
            _ => self.put("word "),
        }
    }

    fn text(&mut self) {
        match self.byte() % 3 {
            1 if self.wide => self.choose(&WIDE),
            2 if self.for_engine() => self.choose(&WIDENED),
            2 if self.wide => {
                // Habits: in insert mode xterm.js does not make room for the second column; it draws _ for the blank.
                self.put("\x1b[4l");
                self.choose(&WIDENED[..3]);
            }
            _ => self.choose(&NARROW),
        }
    }

    fn relative(&mut self, last: &str) {
        // Habit: with origin mode on, relative movements of xterm.js count from the top margin once more.
        if !self.for_engine() {
            self.put("\x1b[?6l");
        }
        self.csi(last, 1);
    }

    fn erase(&mut self) {
        let what = ["J", "1J", "2J", "K", "1K", "2K", "?J", "?1K", "?2K"];
        // Habit: xterm.js cannot protect, so its selective erasing is not known to be any.
        let count = if self.for_engine() { what.len() } else { 6 };
        let what = what[self.below(count)];
        self.put(&format!("\x1b[{what}"));
    }

    fn margins(&mut self) {
        match self.below(4) {
            0 => self.put("\x1b[r"),
            1 | 2 => self.csi("r", 2),
            _ if self.for_engine() => {
                // Habit: xterm.js has no left and right margins.
                self.choose(&["\x1b[?69h", "\x1b[?69l", "\x1b[?69h\x1b[2;9s", "\x1b[?69h\x1b[3;6s\x1b[4H"]);
                self.csi("s", 2);
            }
            _ => self.put("\x1b[2;4r"),
        }
    }

    fn scroll(&mut self) {
        // Habits: blank rows of SU and SD come without the background; DECIC, DECDC ignore the rows outside.
        if !self.for_engine() {
            self.put("\x1b[m");
            let last = ["S", "T"][self.below(2)];
            return self.csi(last, 1);
        }
        let last = ["S", "T", "'}", "'~"][self.below(4)];
        self.csi(last, 1);
    }

    fn charset(&mut self) {
        self.choose(&[
            "\x1b(0", "\x1b(B", "\x1b(A", "\x1b)0", "\x1b)B", "\x0e", "\x0f", "\x1b*0", "\x1b+0", "\x1bn", "\x1bo",
        ]);
        if self.for_engine() && self.byte() < 60 {
            // Habit: xterm.js has no single shifts.
            self.choose(&["\x1bN", "\x1bO"]);
        }
    }

    fn saved(&mut self) {
        // Habits: DECRC restores neither origin mode, nor a pending wrap, nor G0–G3 apart from the set in use, nor
        // underline style and colour, nor the link.
        if !self.for_engine() {
            self.put("\x1b[?6l\x1b(B\x1b)B\x1b*B\x1b+B\x0f\x1b[24;59m\x1b]8;;\x07\r");
        }
        self.choose(&["\x1b7", "\x1b8", "\x1b[s", "\x1b[u"]);
    }

    fn mode(&mut self) {
        let on = ["h", "l"][self.below(2)];
        match self.below(8) {
            0 => self.put(&format!("\x1b[4{on}")),
            1 => self.put(&format!("\x1b[?6{on}")),
            2 => self.put(&format!("\x1b[20{on}")),
            _ => {
                let mode = MODES[self.below(MODES.len())];
                // Habits: 45 has rules of its own; with DECAWM off wide characters at the edge fall into other cells.
                if self.for_engine() || mode != 45 && (mode != 7 || !self.wide) {
                    self.put(&format!("\x1b[?{mode}{on}"));
                }
            }
        }
    }

    fn screens(&mut self) {
        let switch =
            ["\x1b[?1049h", "\x1b[?1049l", "\x1b[?47h", "\x1b[?47l", "\x1b[?1047h", "\x1b[?1047l"][self.below(6)];
        if self.for_engine() {
            return self.put(switch);
        }
        // Habits: margins and tab stops belong to each screen apart.
        self.put("\x1b[?6l\x1b[r\x1b[3g\x1b(B\x1b)B\x1b*B\x1b+B\x0f\x1b[m\x1b]8;;\x07");
        self.put(switch);
        // What DECSC saved on the alternate screen outlasts it.
        self.put("\x1b[3g\x1b[H\x1b7");
    }

    fn tabs(&mut self) {
        match self.below(6) {
            0 => self.put("\x1bH"),
            1 => self.put("\x1b[g"),
            2 => self.put("\x1b[3g"),
            3 => self.put("\t"),
            4 => self.csi("I", 1),
            _ => {
                // Habit: CBT does nothing in xterm.js while a wrap is pending.
                if !self.for_engine() {
                    self.put("\x1b[?6l\x1b[D");
                }
                self.csi("Z", 1);
            }
        }
    }

    fn lines(&mut self) {
        let all = ["\x1bD", "\x1bE", "\x1bM", "\x1b[b", "\x1b[9b", "\x1b6", "\x1b9", "\x1b#8"];
        // Habits: REP does nothing but right after a character, with its marks; DECALN fills with the pen; no DECBI, DECFI.
        let count = if self.for_engine() { all.len() } else { 5 };
        let at = self.below(count);
        if !self.for_engine() && at > 2 {
            self.put("+");
        }
        self.put(all[at]);
    }

    fn names(&mut self) {
        if self.pens && self.byte() < 90 {
            return self.choose(&["\x1b]8;;http://a/\x07", "\x1b]8;id=1;http://b/\x1b\\", "\x1b]8;;\x07"]);
        }
        self.choose(&[
            "\x1b]0;title\x07",
            "\x1b]2;another\x1b\\",
            "\x1b[22;2t",
            "\x1b[23;2t",
            "\x1b]4;3;#123456\x07",
            "\x1b]11;#fff\x07",
            "\x1b]104\x07",
            "\x1b]9;note\x07",
        ]);
    }

    fn keyboard(&mut self) {
        self.choose(&["\x1b[>1u", "\x1b[<u", "\x1b[=5;1u", "\x1b[>4;2m", "\x1b[5 q", "\x1b[0 q", "\x1b=", "\x1b>"]);
    }

    fn rare(&mut self) {
        self.choose(&[
            "\x1b[?2026h",
            "\x1b[?2026l",
            "\x1b[?2026l",
            "\x1b[1\"q",
            "\x1b[0\"q",
            "\x1b[?1;7;25;2004;6s",
            "\x1b[?47;1049s",
            "\x1b[?1;7;25;2004;6r",
            "\x1b[?1049r",
            "\x1bP$qm\x1b\\",
            "\x1bP$q\"p\x1b\\",
            "\x1b[6n",
            "\x1b[!p",
            "\x1bc",
            "\x1b[3J",
            "\x1b]0;cut",
            "\x1b[12",
            "\x1b",
        ]);
    }

    fn c1(&mut self) {
        self.choose(&[
            "\u{84}",
            "\u{85}",
            "\u{88}",
            "\u{8d}",
            "\u{8e}",
            "\u{9b}31m",
            "\u{9d}0;t\u{9c}",
            "\u{90}$qm\u{9c}",
        ]);
    }
}
