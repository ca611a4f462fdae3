//! Operating system commands: titles, colours, links; every other one is passed on as an event.
//!
//! The clipboard (52) and colours are not passed on: the first may hold secrets, the second is answered here.

use std::sync::Arc;

use super::TermEvent;
use super::cell::Link;
use super::said::clean;
use super::screen::Screen;

/// Longest address of a link; the usual limit of browsers and terminals.
const MAX_URI: usize = 2083;
/// Longest `id=` of a link (VTE's limit).
const MAX_LINK_ID: usize = 250;
/// First palette key of the dynamic colours OSC 10, 11, 12.
pub const DYNAMIC: u16 = 256;
/// Default foreground answered to OSC 10 and cursor colour answered to OSC 12: light on dark, as the dashboard draws.
const FOREGROUND: [u8; 3] = [0xe5, 0xe5, 0xe5];
/// Default background answered to OSC 11.
const BACKGROUND: [u8; 3] = [0x00, 0x00, 0x00];

/// Executes one OSC. `parts` are its fields between semicolons.
pub fn execute(screen: &mut Screen, parts: &[&[u8]], end: &str) {
    let Some(number) = parts.first().and_then(|field| std::str::from_utf8(field).ok()?.parse::<u16>().ok()) else {
        return;
    };
    let rest = &parts[1..];
    match number {
        0 | 2 => {
            screen.title = clean(&rest.join(&b';'));
            let title = screen.title.clone();
            screen.said.push(TermEvent::Title(title));
        }
        // The icon's name; no icon is drawn.
        1 => {}
        4 => indexed_colours(screen, rest, end),
        8 => link(screen, rest),
        10..=12 => dynamic_colours(screen, number, rest, end),
        104 => reset_indexed(screen, rest),
        110..=112 => {
            screen.palette.remove(&(DYNAMIC + number - 100));
        }
        52 => {}
        _ => screen.said.push(TermEvent::Osc(number, clean(&rest.join(&b';')))),
    }
}

fn link(screen: &mut Screen, rest: &[&[u8]]) {
    let Some((params, uri)) = rest.split_first() else { return };
    let raw = uri.join(&b';');
    let uri = if raw.len() > MAX_URI { String::new() } else { clean(&raw) };
    let id = params.split(|byte| *byte == b':').find_map(|pair| pair.strip_prefix(b"id=")).unwrap_or_default();
    let id = if id.len() > MAX_LINK_ID { String::new() } else { clean(id) };
    let link = if uri.is_empty() { None } else { Some(Arc::new(Link { id, uri })) };
    screen.cursor.pen.set_link(link);
}

fn indexed_colours(screen: &mut Screen, rest: &[&[u8]], end: &str) {
    for pair in rest.chunks_exact(2) {
        let Some(index) = std::str::from_utf8(pair[0]).ok().and_then(|text| text.parse::<u8>().ok()) else { continue };
        if pair[1] == b"?" {
            let rgb = screen.palette.get(&u16::from(index)).copied().unwrap_or_else(|| default_colour(index));
            screen.said.reply(format!("\x1b]4;{index};{}{end}", spell(rgb)));
        } else if let Some(rgb) = parse(pair[1]) {
            screen.palette.insert(u16::from(index), rgb);
        }
    }
}

fn dynamic_colours(screen: &mut Screen, number: u16, rest: &[&[u8]], end: &str) {
    // Further fields belong to the following numbers.
    for (number, field) in (number..=12).zip(rest) {
        if *field == b"?" {
            let default = if number == 11 { BACKGROUND } else { FOREGROUND };
            let rgb = screen.palette.get(&(DYNAMIC + number)).copied().unwrap_or(default);
            screen.said.reply(format!("\x1b]{number};{}{end}", spell(rgb)));
        } else if let Some(rgb) = parse(field) {
            screen.palette.insert(DYNAMIC + number, rgb);
        }
    }
}

fn reset_indexed(screen: &mut Screen, rest: &[&[u8]]) {
    if rest.iter().all(|field| field.is_empty()) {
        screen.palette.retain(|key, _| *key >= DYNAMIC);
    }
    for index in rest.iter().filter_map(|field| std::str::from_utf8(field).ok()?.parse::<u8>().ok()) {
        screen.palette.remove(&u16::from(index));
    }
}

/// A colour as X11 spells it: `rgb:r/g/b` with one to four digits each, scaled, or `#rgb` with as many, which are the highest
/// of each component (`#f80` is `#f08000`).
fn parse(spec: &[u8]) -> Option<[u8; 3]> {
    let spec = std::str::from_utf8(spec).ok()?;
    if let Some(rest) = spec.strip_prefix("rgb:") {
        let [r, g, b] = rest.split('/').collect::<Vec<_>>()[..] else { return None };
        return Some([scaled(r)?, scaled(g)?, scaled(b)?]);
    }
    let rest = spec.strip_prefix('#').filter(|rest| rest.is_ascii() && rest.len() % 3 == 0)?;
    let (r, rest) = rest.split_at(rest.len() / 3);
    let (g, b) = rest.split_at(r.len());
    Some([highest(r)?, highest(g)?, highest(b)?])
}

/// One to four hexadecimal digits and the greatest number that so many can spell.
fn number(digits: &str) -> Option<(u32, u32)> {
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let most = 16u32.pow(u32::try_from(digits.len()).ok()?) - 1;
    Some((u32::from_str_radix(digits, 16).ok()?, most))
}

/// Digits scaled to a byte.
fn scaled(digits: &str) -> Option<u8> {
    let (value, most) = number(digits)?;
    u8::try_from(value * 255 / most).ok()
}

/// The byte that begins with these digits.
fn highest(digits: &str) -> Option<u8> {
    let (value, most) = number(digits)?;
    u8::try_from(value * 256 / (most + 1)).ok()
}

/// A colour as xterm spells it: sixteen bits a component.
#[must_use]
pub fn spell([r, g, b]: [u8; 3]) -> String {
    format!("rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}")
}

/// xterm's palette: sixteen named colours, the 6 × 6 × 6 cube, 24 greys.
fn default_colour(index: u8) -> [u8; 3] {
    const NAMED: [[u8; 3]; 16] = [
        [0x00, 0x00, 0x00],
        [0xcd, 0x00, 0x00],
        [0x00, 0xcd, 0x00],
        [0xcd, 0xcd, 0x00],
        [0x00, 0x00, 0xee],
        [0xcd, 0x00, 0xcd],
        [0x00, 0xcd, 0xcd],
        [0xe5, 0xe5, 0xe5],
        [0x7f, 0x7f, 0x7f],
        [0xff, 0x00, 0x00],
        [0x00, 0xff, 0x00],
        [0xff, 0xff, 0x00],
        [0x5c, 0x5c, 0xff],
        [0xff, 0x00, 0xff],
        [0x00, 0xff, 0xff],
        [0xff, 0xff, 0xff],
    ];
    match index {
        0..=15 => NAMED[usize::from(index)],
        16..=231 => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let n = index - 16;
            [level(n / 36), level(n / 6 % 6), level(n % 6)]
        }
        232..=255 => [8 + 10 * (index - 232); 3],
    }
}
