//! What is answered to a program that asks its terminal something.
//!
//! Only what is true of every viewer is claimed; what is not known is not answered, or refused where the protocol can.

use super::cell::Attrs;
use super::modes::Modes;
use super::screen::Screen;
use super::sgr;

/// Pixels of a cell (width, height). Nothing is drawn here, so the figure is nominal.
const CELL_PIXELS: (u16, u16) = (8, 16);

/// DA1: a VT100 with advanced video.
pub fn primary_attributes(screen: &mut Screen) {
    screen.said.reply("\x1b[?1;2c");
}

/// DA2: a VT100; the version is the crate's, as a number below those at which programs assume xterm's habits.
pub fn secondary_attributes(screen: &mut Screen) {
    screen.said.reply("\x1b[>0;1;0c");
}

/// XTVERSION.
pub fn version(screen: &mut Screen) {
    screen.said.reply(concat!("\x1bP>|ao ", env!("CARGO_PKG_VERSION"), "\x1b\\"));
}

/// DSR: 5 is the terminal's health, 6 the cursor.
pub fn status(screen: &mut Screen, what: u16) {
    match what {
        5 => screen.said.reply("\x1b[0n"),
        6 => {
            let position = position(screen);
            screen.said.reply(format!("\x1b[{position}R"));
        }
        _ => {}
    }
}

/// DSR with `?`: 6 is the extended cursor report; 996 (colour scheme) is 1, dark, as OSC 11 says.
pub fn private_status(screen: &mut Screen, what: u16) {
    match what {
        6 => {
            let position = position(screen);
            screen.said.reply(format!("\x1b[?{position}R"));
        }
        996 => screen.said.reply("\x1b[?997;1n"),
        _ => {}
    }
}

fn position(screen: &Screen) -> String {
    let (row, col) = screen.reported_place();
    format!("{};{}", row + 1, col + 1)
}

fn report(state: Option<bool>) -> u8 {
    match state {
        None => 0,
        Some(true) => 1,
        Some(false) => 2,
    }
}

/// DECRQM of an ANSI mode.
pub fn ansi_mode(screen: &mut Screen, mode: u16) {
    let state = report(Modes::ansi(&screen.modes, mode));
    screen.said.reply(format!("\x1b[{mode};{state}$y"));
}

/// DECRQM of a private mode.
pub fn private_mode(screen: &mut Screen, mode: u16) {
    let state = match mode {
        // Supported; what follows an open update is held back, so it is always seen closed here.
        2026 => 2,
        // Emoji sequences always take two columns (`cluster`): permanently set.
        2027 => 3,
        _ => report(screen.private_mode(mode)),
    };
    screen.said.reply(format!("\x1b[?{mode};{state}$y"));
}

/// Kitty keyboard flags in force.
pub fn kitty_flags(screen: &mut Screen) {
    let flags = screen.page.kitty.flags;
    screen.said.reply(format!("\x1b[?{flags}u"));
}

/// Window reports: 14 text area in pixels, 16 cell in pixels, 18 text area in cells.
pub fn window(screen: &mut Screen, operation: u16) {
    let (rows, cols) = (screen.size.rows, screen.size.cols);
    let (width, height) = CELL_PIXELS;
    match operation {
        14 => screen.said.reply(format!("\x1b[4;{};{}t", rows * height, cols * width)),
        16 => screen.said.reply(format!("\x1b[6;{height};{width}t")),
        18 => screen.said.reply(format!("\x1b[8;{rows};{cols}t")),
        _ => {}
    }
}

/// DECRQSS: a setting as the sequence that would set it; 1 says that it is known (xterm's reading, not DEC's).
pub fn setting(screen: &mut Screen, name: &[u8]) {
    let (margins, sides, rows) = (&screen.margins, &screen.sides, screen.size.rows);
    let setting = match name {
        b"m" => format!("{}m", sgr::parameters(&screen.cursor.pen)),
        b"r" => format!("{};{}r", margins.start + 1, margins.end),
        b"s" => format!("{};{}s", sides.start + 1, sides.end),
        // The terminal's own style is a blinking block.
        b" q" => format!("{} q", screen.cursor_style.max(1)),
        b"\"q" => format!("{}\"q", u8::from(screen.cursor.pen.attrs.has(Attrs::PROTECTED))),
        // A VT100, as DA1 says.
        b"\"p" => "61;1\"p".to_owned(),
        b"t" => format!("{rows}t"),
        b"*|" => format!("{rows}*|"),
        _ => return screen.said.reply("\x1bP0$r\x1b\\"),
    };
    screen.said.reply(format!("\x1bP1$r{setting}\x1b\\"));
}

/// XTGETTCAP: no capability is known.
pub fn refuse_capability(screen: &mut Screen) {
    screen.said.reply("\x1bP0+r\x1b\\");
}
