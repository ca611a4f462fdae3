//! The rows of the fidelity table: input to a terminal of 20 × 6, and what must be seen afterwards.

/// One thing that must be seen.
pub enum Expect {
    /// Text of a row.
    Row(usize, &'static str),
    /// The cursor's place, from 0.
    At(usize, usize),
    /// SGR parameters of a cell.
    Style(usize, usize, &'static str),
    /// Link of a cell.
    Link(usize, usize, &'static str),
    /// All that was answered; escapes are `^[`.
    Reply(&'static str),
    /// The title.
    Title(&'static str),
}

use Expect::{At, Link, Reply, Row, Style, Title};

/// Group, name, input, expectations.
type Entry = (&'static str, &'static str, &'static str, &'static [Expect]);

/// Six numbered rows, the cursor at the top left.
macro_rules! numbered {
    ($rest:literal) => {
        concat!("1\r\n2\r\n3\r\n4\r\n5\r\n6\x1b[H", $rest)
    };
}

/// Rows that this engine is known to fail.
pub const GAPS: &[Entry] = &[];

/// Rows that this engine must pass.
pub const ROWS: &[Entry] = &[
    ("charsets", "line drawing in G0", "\x1b(0lqk\x1b(Bq", &[Row(0, "┌─┐q")]),
    ("charsets", "line drawing in G1 by SO and SI", "\x1b)0a\x0eqx\x0fb", &[Row(0, "a─│b")]),
    ("charsets", "G2 and G3 by LS2 and LS3", "\x1b*0\x1bnq\x1b+0\x1box\x0fq", &[Row(0, "─│q")]),
    ("charsets", "British", "\x1b(A#\x1b(B#", &[Row(0, "£#")]),
    ("lines", "IND keeps the column", "ab\x1bDc", &[Row(1, "  c"), At(1, 3)]),
    ("lines", "NEL returns the carriage", "ab\x1bEc", &[Row(1, "c")]),
    ("lines", "RI at the top scrolls down", numbered!("\x1bM"), &[Row(0, ""), Row(1, "1"), Row(5, "5")]),
    ("lines", "IND at the bottom scrolls up", numbered!("\x1b[6H\x1bD"), &[Row(0, "2"), Row(5, "")]),
    ("lines", "VT and FF are line feeds", "a\x0bb\x0cc", &[Row(0, "a"), Row(1, " b"), Row(2, "  c")]),
    ("lines", "LNM", "\x1b[20hab\ncd\x1b[20l\nef", &[Row(0, "ab"), Row(1, "cd"), Row(2, "  ef")]),
    ("lines", "IL returns the carriage", numbered!("\x1b[2;5H\x1b[Lx"), &[Row(1, "x"), Row(2, "2"), Row(5, "5")]),
    (
        "lines",
        "DL returns the carriage",
        numbered!("\x1b[2;5H\x1b[M\x1b[2Cx"),
        &[Row(1, "3 x"), Row(4, "6"), Row(5, "")],
    ),
    ("lines", "SU and SD", numbered!("\x1b[2S\x1b[T"), &[Row(0, ""), Row(1, "3"), Row(4, "6")]),
    ("insert", "IRM", "abc\r\x1b[4hXY\x1b[4lZ", &[Row(0, "XYZbc")]),
    ("insert", "ICH, DCH, ECH", "abcdef\r\x1b[2C\x1b[2@\x1b[2C\x1b[P\x1b[X", &[Row(0, "ab   ef")]),
    (
        "insert",
        "IRM pushes over the edge",
        "12345678901234567890\r\x1b[4hX",
        &[Row(0, "X1234567890123456789"), Row(1, "")],
    ),
    (
        "wrap",
        "DECAWM off overwrites the last column",
        "\x1b[?7l1234567890123456789xyz",
        &[Row(0, "1234567890123456789z"), At(0, 19)],
    ),
    (
        "wrap",
        "a wrap waits with DECAWM off, too",
        "\x1b[?7l12345678901234567890\x1b[?7hx",
        &[Row(0, "12345678901234567890"), Row(1, "x"), At(1, 1)],
    ),
    (
        "wrap",
        "what does not fit gives it up",
        "\x1b[?7l12345678901234567890漢\x1b[?7hx",
        &[Row(0, "1234567890123456789x"), Row(1, ""), At(0, 19)],
    ),
    (
        "wrap",
        "a full row and CR LF leave no blank row",
        "12345678901234567890\r\nx",
        &[Row(0, "12345678901234567890"), Row(1, "x")],
    ),
    (
        "wrap",
        "a pending wrap is given up by a movement",
        "12345678901234567890\x1b[Dx",
        &[Row(0, "123456789012345678x0"), Row(1, "")],
    ),
    ("wrap", "SGR does not give it up", "12345678901234567890\x1b[1mx", &[Row(1, "x"), Style(1, 0, "1")]),
    (
        "wrap",
        "EL behind the last column erases nothing",
        "12345678901234567890\x1b[K",
        &[Row(0, "12345678901234567890")],
    ),
    ("wrap", "ED behind the last column keeps it", "12345678901234567890\x1b[J", &[Row(0, "12345678901234567890")]),
    ("margins", "DECSTBM homes the cursor", "ab\x1b[2;4r", &[At(0, 0)]),
    (
        "margins",
        "line feeds scroll only between them",
        numbered!("\x1b[2;4r\x1b[4H\n"),
        &[Row(0, "1"), Row(1, "3"), Row(2, "4"), Row(3, ""), Row(4, "5")],
    ),
    (
        "margins",
        "RI scrolls only between them",
        numbered!("\x1b[2;4r\x1b[2H\x1bM"),
        &[Row(0, "1"), Row(1, ""), Row(2, "2"), Row(3, "3"), Row(4, "5")],
    ),
    ("margins", "CUD stops at the bottom one", "\x1b[2;4r\x1b[3H\x1b[9B", &[At(3, 0)]),
    ("margins", "CUU stops at the top one", "\x1b[2;4r\x1b[3H\x1b[9A", &[At(1, 0)]),
    (
        "margins",
        "below them a line feed does not scroll",
        numbered!("\x1b[2;4r\x1b[6H\n"),
        &[Row(0, "1"), Row(5, "6"), At(5, 0)],
    ),
    ("margins", "IL outside does nothing", numbered!("\x1b[2;4r\x1b[6;3H\x1b[L"), &[Row(5, "6"), At(5, 2)]),
    ("margins", "one row is refused", numbered!("\x1b[3;3r\x1b[6H\n"), &[Row(0, "2")]),
    (
        "origin",
        "CUP counts from the top margin and stays inside",
        "\x1b[2;4r\x1b[?6h\x1b[2;3Hx\x1b[9;1Hy",
        &[Row(2, "  x"), Row(3, "y")],
    ),
    ("origin", "setting and resetting it homes", "\x1b[2;4r\x1b[3;3H\x1b[?6h\x1b[?6lx", &[Row(0, "x")]),
    ("origin", "the cursor report counts from the margin", "\x1b[2;4r\x1b[?6h\x1b[2;3H\x1b[6n", &[Reply("^[[2;3R")]),
    (
        "saved cursor",
        "DECSC keeps place, pen and charset",
        "\x1b[2;3H\x1b[31m\x1b(0\x1b7\x1b[H\x1b[m\x1b(B\x1b8q",
        &[Row(1, "  ─"), Style(1, 2, "31")],
    ),
    ("saved cursor", "SCOSC keeps the place", "\x1b[2;3H\x1b[s\x1b[H\x1b[ux", &[Row(1, "  x")]),
    ("saved cursor", "DECSC keeps origin mode", "\x1b[2;4r\x1b[?6h\x1b7\x1b[?6l\x1b8\x1b[1;1Hx", &[Row(1, "x")]),
    ("saved cursor", "DECSC keeps a pending wrap", "12345678901234567890\x1b7\x1b[H\x1b8x", &[Row(1, "x")]),
    ("tabs", "every eight columns", "\tx\ty", &[Row(0, "        x       y")]),
    ("tabs", "HTS and TBC", "\x1b[3g\x1b[5G\x1bH\r\tx\r\x1b[3g\ty", &[Row(0, "    x              y")]),
    ("tabs", "CHT and CBT", "\x1b[2Ix\x1b[Zy", &[Row(0, "                y"), At(0, 17)]),
    ("tabs", "a tab writes nothing", "abcdefghij\r\tX", &[Row(0, "abcdefghXj")]),
    ("repeat", "REP", "ab\x1b[3b", &[Row(0, "abbbb")]),
    ("repeat", "REP wraps", "x\x1b[21b", &[Row(0, "xxxxxxxxxxxxxxxxxxxx"), Row(1, "xx")]),
    (
        "reset",
        "DECALN fills, homes and resets margins",
        "\x1b[2;4r\x1b[3;3H\x1b#8",
        &[Row(0, "EEEEEEEEEEEEEEEEEEEE"), Row(5, "EEEEEEEEEEEEEEEEEEEE"), At(0, 0)],
    ),
    (
        "reset",
        "DECSTR resets pen, margins, IRM and keeps text",
        "ab\x1b[31;4m\x1b[4h\x1b[?7l\x1b[!p\rx",
        &[Row(0, "xb"), Style(0, 0, "")],
    ),
    ("reset", "RIS clears all", "ab\x1b[31m\x1b[2;4r\x1b)0\x0e\x1bcq", &[Row(0, "q"), Style(0, 0, "")]),
    ("SGR", "1 bold, 2 faint", "\x1b[1mx\x1b[2my\x1b[22mz", &[Style(0, 0, "1"), Style(0, 1, "1;2"), Style(0, 2, "")]),
    ("SGR", "3 italic", "\x1b[3mx\x1b[23my", &[Style(0, 0, "3"), Style(0, 1, "")]),
    (
        "SGR",
        "4 underline, 21 double",
        "\x1b[4mx\x1b[21my\x1b[24mz",
        &[Style(0, 0, "4"), Style(0, 1, "4:2"), Style(0, 2, "")],
    ),
    (
        "SGR",
        "4:3, 4:4, 4:5",
        "\x1b[4:3mx\x1b[4:4my\x1b[4:5mz\x1b[4:0mw",
        &[Style(0, 0, "4:3"), Style(0, 1, "4:4"), Style(0, 2, "4:5"), Style(0, 3, "")],
    ),
    ("SGR", "5 blink, 6 rapid", "\x1b[5mx\x1b[25;6my\x1b[25mz", &[Style(0, 0, "5"), Style(0, 1, "6"), Style(0, 2, "")]),
    ("SGR", "7 inverse, 8 hidden, 9 struck", "\x1b[7;8;9mx\x1b[27;28;29my", &[Style(0, 0, "7;8;9"), Style(0, 1, "")]),
    ("SGR", "53 overline", "\x1b[53mx\x1b[55my", &[Style(0, 0, "53"), Style(0, 1, "")]),
    ("SGR", "16 colours", "\x1b[31;102mx\x1b[39;49my", &[Style(0, 0, "31;102"), Style(0, 1, "")]),
    ("SGR", "256 colours", "\x1b[38;5;200;48:5:17mx", &[Style(0, 0, "38;5;200;48;5;17")]),
    ("SGR", "true colour", "\x1b[38;2;1;2;3;48:2::4:5:6mx", &[Style(0, 0, "38;2;1;2;3;48;2;4;5;6")]),
    (
        "SGR",
        "58 underline colour",
        "\x1b[4;58:2::1:2:3mx\x1b[58;5;9my\x1b[59mz",
        &[Style(0, 0, "4;58:2::1:2:3"), Style(0, 1, "4;58:5:9"), Style(0, 2, "4")],
    ),
    (
        "SGR",
        "erasing paints the background",
        "\x1b[44m\x1b[K\x1b[mx",
        &[Style(0, 0, ""), Style(0, 1, "44"), Style(0, 19, "44")],
    ),
    (
        "links",
        "OSC 8 with and without id",
        "\x1b]8;;http://a/\x07x\x1b]8;id=1;http://b/?c;d\x1b\\y\x1b]8;;\x07z",
        &[Link(0, 0, "http://a/"), Link(0, 1, "http://b/?c;d"), Link(0, 2, "")],
    ),
    ("text", "a wide character takes two columns", "漢x", &[Row(0, "漢x"), At(0, 3)]),
    ("text", "overwriting half of it blanks the other", "漢字\x1b[2Gx\x1b[3Gy", &[Row(0, " xy")]),
    ("text", "erasing half of it blanks the other", "漢字\x1b[2G\x1b[X", &[Row(0, "  字")]),
    ("text", "it does not straddle the edge", "1234567890123456789漢", &[Row(0, "1234567890123456789"), Row(1, "漢")]),
    ("text", "combining characters join", "e\u{301}x", &[Row(0, "e\u{301}x"), At(0, 2)]),
    (
        "text",
        "they join the last column with DECAWM off",
        "\x1b[?7l12345678901234567890\u{301}",
        &[Row(0, "12345678901234567890\u{301}"), At(0, 19)],
    ),
    (
        "text",
        "they join a character in the last column",
        "1234567890123456789e\u{301}",
        &[Row(0, "1234567890123456789e\u{301}"), Row(1, "")],
    ),
    ("alternate", "1049 keeps screen and cursor", "ab\x1b[?1049h\x1b[3;3Hcd\x1b[?1049lx", &[Row(0, "abx"), Row(2, "")]),
    ("alternate", "1049 shows an empty screen", "ab\x1b[?1049hx\x1b[?1049l\x1b[?1049h", &[Row(0, ""), At(0, 2)]),
    ("alternate", "1047 keeps the screen", "ab\x1b[?1047h\x1b[2J\x1b[?1047l", &[Row(0, "ab")]),
    ("alternate", "47 keeps the screen", "ab\x1b[?47h\x1b[2J\x1b[?47l", &[Row(0, "ab")]),
    ("alternate", "1048 saves the cursor", "\x1b[2;3H\x1b[?1048h\x1b[H\x1b[?1048lx", &[Row(1, "  x")]),
    (
        "alternate",
        "the primary cursor's DECSC survives a visit",
        "\x1b[2;3H\x1b7\x1b[H\x1b[?47h\x1b[4;4H\x1b7\x1b[?47l\x1b8x",
        &[Row(1, "  x")],
    ),
    ("modes", "2004 is known", "\x1b[?2004h\x1b[?2004$p", &[Reply("^[[?2004;1$y")]),
    ("modes", "1004 is known", "\x1b[?1004$p", &[Reply("^[[?1004;2$y")]),
    ("modes", "2026 is known", "\x1b[?2026$p", &[Reply("^[[?2026;2$y")]),
    ("modes", "an unknown one is said to be so", "\x1b[?7777$p", &[Reply("^[[?7777;0$y")]),
    ("modes", "a synchronized update is drawn at its end", "a\x1b[?2026hb\x1b[?2026lc", &[Row(0, "abc")]),
    ("kitty", "push, set, pop, query", "\x1b[>1u\x1b[=4;2u\x1b[?u\x1b[<u\x1b[?u", &[Reply("^[[?5u^[[?0u")]),
    (
        "kitty",
        "each screen has its own flags",
        "\x1b[>1u\x1b[?1049h\x1b[?u\x1b[?1049l\x1b[?u",
        &[Reply("^[[?0u^[[?1u")],
    ),
    ("reports", "DSR 5 and 6", "ab\x1b[5n\x1b[6n", &[Reply("^[[0n^[[1;3R")]),
    ("reports", "18 t", "\x1b[18t", &[Reply("^[[8;6;20t")]),
    ("titles", "0 and 2", "\x1b]0;a\x07\x1b]2;b;c\x1b\\", &[Title("b;c")]),
    ("titles", "the stack", "\x1b]2;a\x07\x1b[22;2t\x1b]2;b\x07\x1b[23;2t", &[Title("a")]),
    ("charsets", "SS2 draws one character from G2", "\x1b*0\x1bNqq", &[Row(0, "─q")]),
    ("charsets", "CSI as the character U+009B", "\u{9b}31mx", &[Row(0, "x"), Style(0, 0, "31")]),
    ("wrap", "BS wraps back in mode 45", "\x1b[?45h12345678901234567890x\r\x08y", &[Row(0, "1234567890123456789y")]),
    ("margins", "DECSLRM, left and right ones", "\x1b[?69h\x1b[3;5sabcdef", &[Row(0, "abcde"), Row(1, "  f")]),
    ("reset", "DECSCA protects from selective erasing", "\x1b[1\"qab\x1b[0\"q\r\x1b[?2K", &[Row(0, "ab")]),
    ("text", "emoji joined by ZWJ take two columns", "👩\u{200d}👧x", &[At(0, 3)]),
    (
        "modes",
        "XTSAVE and XTRESTORE",
        "\x1b[?2004h\x1b[?2004s\x1b[?2004l\x1b[?2004r\x1b[?2004$p",
        &[Reply("^[[?2004;1$y")],
    ),
    ("reports", "DECRQSS of SGR", "\x1b[1m\x1bP$qm\x1b\\", &[Reply("^[P1$r0;1m^[\\")]),
    ("charsets", "SS3 draws one character from G3", "\x1b+0\x1bOqq", &[Row(0, "─q")]),
    ("charsets", "ST as the character U+009C ends a title", "\u{9d}2;t\u{9c}x", &[Title("t"), Row(0, "x")]),
    ("charsets", "IND, NEL, RI as characters", "ab\u{84}c\u{85}d\u{8d}e", &[Row(0, "ab"), Row(1, " ec"), Row(2, "d")]),
    ("wrap", "BS stops at a row that was not wrapped", "\x1b[?45hab\r\n\x08x", &[Row(0, "ab"), Row(1, "x")]),
    ("margins", "DECSLRM homes, refuses one column", "ab\x1b[?69h\x1b[3;3sx\x1b[3;9sy", &[Row(0, "ybx")]),
    (
        "margins",
        "IND scrolls only between left and right ones",
        numbered!("\x1b[?69h\x1b[1;2s\x1b[6;1H\x1bD\x1b[?69l\x1b[1;3Hx"),
        &[Row(0, "2 x"), Row(5, "")],
    ),
    (
        "margins",
        "IL and DL shift only between left and right ones",
        "abcdef\r\nghijkl\x1b[?69h\x1b[3;4s\x1b[1;3H\x1b[L\x1b[2M",
        &[Row(0, "abijef"), Row(1, "gh  kl")],
    ),
    (
        "margins",
        "ICH and DCH end at the right one",
        "abcdef\x1b[?69h\x1b[2;4s\x1b[1;2H\x1b[@x\x1b[P",
        &[Row(0, "axc ef")],
    ),
    (
        "margins",
        "the carriage returns to the left one",
        "\x1b[?69h\x1b[3;9s\x1b[1;5Ha\rb\x1b[1;1H\rc",
        &[Row(0, "c b a")],
    ),
    ("origin", "CUP counts from the left margin", "\x1b[?69h\x1b[3;9s\x1b[?6h\x1b[1;2Hx", &[Row(0, "   x")]),
    ("reset", "DECSED keeps what is protected", "\x1b[1\"qab\x1b[0\"qcd\x1b[1;1H\x1b[?J", &[Row(0, "ab")]),
    ("reset", "ED erases what is protected", "\x1b[1\"qab\x1b[2J", &[Row(0, "")]),
    ("text", "a flag takes two columns", "🇩🇪x", &[Row(0, "🇩🇪x"), At(0, 3)]),
    ("text", "a skin tone joins its emoji", "👍🏽x", &[Row(0, "👍🏽x"), At(0, 3)]),
    ("text", "VS16 makes an emoji of two columns", "⚠\u{fe0f}x", &[Row(0, "⚠\u{fe0f}x"), At(0, 3)]),
    ("text", "a movement keeps emoji apart", "👩\u{200d}\x1b[m👧x", &[At(0, 5)]),
    ("modes", "2027 is permanently set", "\x1b[?2027$p", &[Reply("^[[?2027;3$y")]),
    ("reports", "DECRQSS of DECSTBM", "\x1b[2;4r\x1bP$qr\x1b\\", &[Reply("^[P1$r2;4r^[\\")]),
    ("reports", "DECRQSS of DECSLRM", "\x1b[?69h\x1b[2;9s\x1bP$qs\x1b\\", &[Reply("^[P1$r2;9s^[\\")]),
    ("reports", "DECRQSS of DECSCUSR", "\x1b[5 q\x1bP$q q\x1b\\", &[Reply("^[P1$r5 q^[\\")]),
    ("reports", "DECRQSS of DECSCL", "\x1bP$q\"p\x1b\\", &[Reply("^[P1$r61;1\"p^[\\")]),
    ("reports", "DECRQSS of DECSCA", "\x1b[1\"q\x1bP$q\"q\x1b\\", &[Reply("^[P1$r1\"q^[\\")]),
    ("margins", "VPR passes the bottom one", "\x1b[2;4r\x1b[9ex", &[Row(5, "x")]),
    ("reports", "DECRQSS of nothing known", "\x1bP$qx\x1b\\", &[Reply("^[P0$r^[\\")]),
];
