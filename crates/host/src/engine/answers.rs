//! What is answered to a program that asks its terminal something.
//!
//! Only what is true of every viewer is claimed; what is not known is not answered, or refused where the protocol can.

use super::modes::Modes;
use super::screen::Screen;

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
    format!("{};{}", screen.reported_row() + 1, screen.cursor.col + 1)
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
        6 => Some(screen.cursor.origin),
        47 | 1047 | 1049 => Some(screen.behind.is_some()),
        // Supported; what follows an open update is held back, so it is always seen closed here.
        2026 => Some(false),
        _ => screen.modes.private(mode),
    };
    screen.said.reply(format!("\x1b[?{mode};{}$y", report(state)));
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

/// DECRQSS: no setting can be asked for.
pub fn refuse_setting(screen: &mut Screen) {
    screen.said.reply("\x1bP0$r\x1b\\");
}

/// XTGETTCAP: no capability is known.
pub fn refuse_capability(screen: &mut Screen) {
    screen.said.reply("\x1bP0+r\x1b\\");
}
