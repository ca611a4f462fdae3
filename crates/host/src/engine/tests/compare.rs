//! Says in words how two terminals differ.

use std::collections::VecDeque;
use std::fmt::Debug;

use ao_host::engine::Engine;
use ao_host::engine::screen::{Page, Screen};
use ao_host::engine::terminal::Terminal;

fn part<T: PartialEq + Debug>(name: &str, a: &T, b: &T) -> Result<(), String> {
    if a == b { Ok(()) } else { Err(format!("{name}: {a:?} and {b:?}")) }
}

fn pages(name: &str, a: &Page, b: &Page) -> Result<(), String> {
    part(&format!("{name} height"), &a.grid.height(), &b.grid.height())?;
    for row in 0..a.grid.height() {
        part(&format!("{name} row {row} wrapped"), &a.grid.row(row).wrapped, &b.grid.row(row).wrapped)?;
        for col in 0..a.grid.width() {
            part(&format!("{name} cell {row},{col}"), a.grid.row(row).cell(col), b.grid.row(row).cell(col))?;
        }
    }
    part(&format!("{name} saved cursor"), &a.saved, &b.saved)?;
    part(&format!("{name} keyboard"), &a.kitty, &b.kitty)
}

/// The first difference between two screens.
pub fn screens(a: &Screen, b: &Screen) -> Result<(), String> {
    part("size", &a.size, &b.size)?;
    part("alternate", &a.behind.is_some(), &b.behind.is_some())?;
    pages("shown", &a.page, &b.page)?;
    if let (Some(a), Some(b)) = (&a.behind, &b.behind) {
        pages("behind", a, b)?;
    }
    part("cursor", &a.cursor, &b.cursor)?;
    part("margins", &a.margins, &b.margins)?;
    part("sides", &a.sides, &b.sides)?;
    part("single shift", &a.single_shift, &b.single_shift)?;
    part("drawn before the cursor", &a.drawn_before(), &b.drawn_before())?;
    part("saved modes", &a.saved_modes, &b.saved_modes)?;
    part("tabs", &a.tabs, &b.tabs)?;
    part("modes", &a.modes, &b.modes)?;
    part("cursor style", &a.cursor_style, &b.cursor_style)?;
    part("title", &a.title, &b.title)?;
    part("titles", &a.titles, &b.titles)?;
    part("palette", &a.palette, &b.palette)?;
    part("other keys", &a.other_keys, &b.other_keys)
}

/// A fresh terminal that was given the snapshot of `engine`.
pub fn rebuilt(engine: &Terminal) -> Terminal {
    let mut fresh = Terminal::new(engine.size());
    fresh.feed(&engine.serialise());
    fresh
}

/// How many bytes a rebuilt terminal is followed for.
const AHEAD: usize = 4096;

/// Feeds `bytes` in chunks of `chunk`; after each the snapshot must rebuild the same screen, and the rebuilt terminal
/// must show the same as the original after the next 4 KB, too.
pub fn follow(engine: &mut Terminal, bytes: &[u8], chunk: usize) -> Result<(), String> {
    let base = engine.ground_offset();
    let mut copies: VecDeque<(usize, Terminal)> = VecDeque::new();
    let mut fed = 0;
    while fed < bytes.len() {
        let next = (fed + chunk).min(bytes.len());
        engine.feed(&bytes[fed..next]);
        for (_, copy) in &mut copies {
            copy.feed(&bytes[fed..next]);
        }
        fed = next;
        while copies.front().is_some_and(|(from, _)| from + AHEAD <= fed || fed == bytes.len()) {
            let (from, copy) = copies.pop_front().expect("there is a front");
            screens(engine.screen(), copy.screen()).map_err(|why| format!("at {fed}, rebuilt at {from}: {why}"))?;
        }
        let ground = usize::try_from(engine.ground_offset() - base).expect("test streams are short");
        let mut copy = rebuilt(engine);
        screens(engine.screen(), copy.screen()).map_err(|why| format!("rebuilt at {fed} (G {ground}): {why}"))?;
        copy.feed(&bytes[ground..fed]);
        copies.push_back((fed, copy));
        engine.take_events();
        engine.take_scrolled();
    }
    Ok(())
}
