//! Short streams in which a snapshot may be taken after every byte: what follows must land where it would have landed.
//!
//! The example `replay` gives them to xterm.js, too; needs nothing of the engine.

/// Read by xterm.js with its own widths: there a mark joins only what was printed right before it.
pub const MARKED: [&str; 9] = [
    "e\u{301}x",
    "x\x1b[31;1me\u{301}\u{302}\x1b[mx",
    "123456789012345678901e\u{301}",
    "12345678901234567890\u{301}z",
    "\x1b[?7l12345678901234567890\u{301}\x1b[?7hz",
    "abc\x1b[H\x1b[4he\u{301}x\x1b[4l",
    "\x1b[2;5r\x1b[?6h\x1b[2;4He\u{301}x\x1b[?6l\x1b[r",
    "x\x1b[3b\x1b[31mwide\x1b[2b 漢\x1b[2b",
    "\x1b[?1049h\x1b[6;20He\u{301}z\x1b[?1049l",
];

/// Read by xterm.js with the widths of the page.
pub const CUTS: [&str; 12] = [
    "e\x1b[m\u{301}x\x1b[31me\x1b[m\u{301}",
    "12345678901234567890\x1b[m\u{301}z",
    "1234567890123456789漢\u{301}z漢\x1b[m\u{301}z",
    "1\u{fe0f}\u{20e3}x#\u{fe0f}",
    "👩\u{200d}👧x👍🏽🇩🇪\x1b[1m🇩🇪",
    "e\u{301}\x1b7\u{302}",
    "\x1b[6;1H1234567890123456789\x1b[?7l+\x1b[?7h\x1b[m",
    "\x1b[6;1H1234567890123456789\x1b[?7l+\x1b[?7h\x1b[mscrolls",
    "\x1b[?7l\x1b[44m123456789012345678901234\x1b[m\x1b[K\x1b[?7hx",
    "\x1b[31m12345678901234567890\x1b[?7l\x1b[mxy\x1b[?7hz",
    "\x1b[3;5r\x1b[5;20He\u{301}\u{302}x\x1b[r",
    "\x1b[?1049h\x1b[7m12345678901234567890\x1b[?25l\x1b[m\x1b[?1049l",
];
