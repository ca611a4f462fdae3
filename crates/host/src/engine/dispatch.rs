//! Escape sequences to operations on the screen.
//!
//! One match per kind of sequence; what an operation does lives in `screen`, what is answered in `answers`.

use vte::{Params, Perform};

use super::cell::{Attrs, Cell};
use super::grid::Row;
use super::modes::Mode;
use super::screen::{Charset, Kitty, MAX_KITTY, MAX_TITLES, Screen};
use super::{TermEvent, answers, modes, osc, sgr};

/// Bytes of a DECRQSS that are kept: no setting has a longer name.
const MAX_ASKED: usize = 4;

/// Parameter `index` as a count: absent or 0 is 1.
fn count(params: &Params, index: usize) -> usize {
    usize::from(number(params, index)).max(1)
}

fn number(params: &Params, index: usize) -> u16 {
    params.iter().nth(index).and_then(|param| param.first().copied()).unwrap_or(0)
}

impl Perform for Screen {
    fn print(&mut self, c: char) {
        Screen::print(self, c);
    }

    fn execute(&mut self, byte: u8) {
        self.drawn_last = None;
        match byte {
            0x07 => self.said.push(TermEvent::Bell),
            0x08 => self.back(1),
            0x09 => self.tab(1),
            0x0a..=0x0c => {
                self.index();
                if self.modes.has(modes::Mode::NewLine) {
                    self.carriage_return();
                }
            }
            0x0d => self.carriage_return(),
            0x0e => self.cursor.gl = 1,
            0x0f => self.cursor.gl = 0,
            _ => {}
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], ignore: bool, byte: u8) {
        self.drawn_last = None;
        if ignore {
            return;
        }
        match (intermediates, byte) {
            ([], b'7') => self.save(),
            ([], b'8') => self.restore(),
            ([], b'D') => self.index(),
            ([], b'E') => {
                self.index();
                self.carriage_return();
            }
            ([], b'M') => self.reverse_index(),
            ([], b'H') => self.tabs[self.cursor.col] = true,
            ([], b'Z') => answers::primary_attributes(self),
            ([], b'c') => self.reset(),
            ([], b'=') => self.modes.set(modes::Mode::Keypad, true),
            ([], b'>') => self.modes.set(modes::Mode::Keypad, false),
            ([], b'N') => self.single_shift = 2,
            ([], b'O') => self.single_shift = 3,
            ([], b'6') => self.back_index(),
            ([], b'9') => self.forward_index(),
            ([], b'n') => self.cursor.gl = 2,
            ([], b'o') => self.cursor.gl = 3,
            (b"#", b'8') => self.alignment_test(),
            ([set @ b'('..=b'+'], name) => {
                self.cursor.charsets[usize::from(set - b'(')] = match name {
                    b'0' => Charset::Drawing,
                    b'A' => Charset::British,
                    _ => Charset::Ascii,
                };
            }
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        self.drawn_last = None;
        // `ignore` also says that there were more than 32 parameters: those that there are still count.
        if ignore && intermediates.len() > 1 {
            return;
        }
        match intermediates {
            [] => plain(self, params, action),
            b"?" => private(self, params, action),
            b">" => greater(self, params, action),
            b"!" if action == 'p' => self.soft_reset(),
            b" " if action == 'q' => self.cursor_style = u8::try_from(number(params, 0)).unwrap_or(0).min(6),
            b"\"" if action == 'q' => protect(&mut self.cursor.pen, number(params, 0)),
            b"'" if action == '}' => self.shift_columns(self.cursor.col, count(params, 0), Row::insert_between),
            b"'" if action == '~' => self.shift_columns(self.cursor.col, count(params, 0), Row::delete_between),
            b"$" if action == 'p' => answers::ansi_mode(self, number(params, 0)),
            b"?$" if action == 'p' => answers::private_mode(self, number(params, 0)),
            b"=" if action == 'u' => set_kitty(&mut self.page.kitty, number(params, 0), number(params, 1)),
            b"<" if action == 'u' => {
                for _ in 0..count(params, 0).min(MAX_KITTY + 1) {
                    self.page.kitty.flags = self.page.kitty.stack.pop().unwrap_or(0);
                }
            }
            _ => {}
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], bell_terminated: bool) {
        self.drawn_last = None;
        osc::execute(self, params, if bell_terminated { "\x07" } else { "\x1b\\" });
    }

    fn hook(&mut self, _params: &Params, intermediates: &[u8], _ignore: bool, action: char) {
        self.drawn_last = None;
        match (intermediates, action) {
            (b"$", 'q') => self.asked = Some(Vec::new()),
            (b"+", 'q') => answers::refuse_capability(self),
            _ => {}
        }
    }

    fn put(&mut self, byte: u8) {
        if let Some(asked) = self.asked.as_mut().filter(|asked| asked.len() < MAX_ASKED) {
            asked.push(byte);
        }
    }

    fn unhook(&mut self) {
        if let Some(asked) = self.asked.take() {
            answers::setting(self, &asked);
        }
    }
}

fn plain(screen: &mut Screen, params: &Params, action: char) {
    match action {
        '@' => screen.insert_chars(count(params, 0)),
        'A' => screen.up(count(params, 0)),
        'B' => screen.down(count(params, 0)),
        'C' => screen.forward(count(params, 0)),
        // HPR and VPR are the relative forms of HPA and VPA: unlike CUF and CUD they heed margins only in origin mode.
        'a' => screen.column(screen.reported_place().1.saturating_add(count(params, 0))),
        'e' => screen.row_only(screen.reported_place().0.saturating_add(count(params, 0))),
        'D' => screen.back(count(params, 0)),
        'E' => {
            screen.down(count(params, 0));
            screen.carriage_return();
        }
        'F' => {
            screen.up(count(params, 0));
            screen.carriage_return();
        }
        'G' | '`' => screen.column(count(params, 0) - 1),
        'H' | 'f' => screen.go(count(params, 0) - 1, count(params, 1) - 1),
        'I' => screen.tab(count(params, 0)),
        'J' => screen.erase_display(number(params, 0)),
        'K' => screen.erase_line(number(params, 0)),
        'L' => screen.shift_lines(count(params, 0), Screen::scroll_down),
        'M' => screen.shift_lines(count(params, 0), Screen::scroll_up),
        'P' => screen.delete_chars(count(params, 0)),
        'S' => screen.scroll_up(screen.margins.start, count(params, 0)),
        // With more parameters this is the old request for mouse highlighting.
        'T' if params.len() <= 1 => screen.scroll_down(screen.margins.start, count(params, 0)),
        'X' => screen.erase_chars(count(params, 0)),
        'Z' => screen.tab_back(count(params, 0)),
        'b' => screen.repeat(count(params, 0)),
        'c' if number(params, 0) == 0 => answers::primary_attributes(screen),
        'd' => screen.row_only(count(params, 0) - 1),
        'g' => match number(params, 0) {
            0 => screen.tabs[screen.cursor.col] = false,
            3 => screen.tabs.fill(false),
            _ => {}
        },
        'h' | 'l' => {
            for param in params.iter().filter_map(|param| param.first()) {
                if let Some((_, mode)) = modes::ANSI.iter().find(|(known, _)| known == param) {
                    screen.modes.set(*mode, action == 'h');
                }
            }
        }
        'm' => sgr::apply(&mut screen.cursor.pen, params),
        'n' => answers::status(screen, number(params, 0)),
        'r' => screen.set_margins(usize::from(number(params, 0)), usize::from(number(params, 1))),
        's' if screen.modes.has(Mode::Sides) => {
            screen.set_sides(usize::from(number(params, 0)), usize::from(number(params, 1)));
        }
        's' => screen.save(),
        't' => window(screen, number(params, 0), number(params, 1)),
        'u' => screen.restore(),
        _ => {}
    }
}

fn private(screen: &mut Screen, params: &Params, action: char) {
    match action {
        'h' | 'l' => {
            for param in params.iter().filter_map(|param| param.first().copied()) {
                set_private_mode(screen, param, action == 'h');
            }
        }
        'J' => screen.erase_display_selectively(number(params, 0)),
        'K' => screen.erase_line_selectively(number(params, 0)),
        'n' => answers::private_status(screen, number(params, 0)),
        'u' => answers::kitty_flags(screen),
        's' => {
            for mode in params.iter().filter_map(|param| param.first().copied()) {
                if let Some(on) = screen.private_mode(mode) {
                    screen.saved_modes.insert(mode, on);
                }
            }
        }
        'r' => {
            for mode in params.iter().filter_map(|param| param.first().copied()) {
                if let Some(on) = screen.saved_modes.get(&mode).copied() {
                    set_private_mode(screen, mode, on);
                }
            }
        }
        _ => {}
    }
}

impl Screen {
    /// State of a private mode by number; `None` when it is not known here.
    #[must_use]
    pub fn private_mode(&self, mode: u16) -> Option<bool> {
        match mode {
            6 => Some(self.cursor.origin),
            47 | 1047 | 1049 => Some(self.behind.is_some()),
            _ => self.modes.private(mode),
        }
    }
}

/// DECSCA.
fn protect(pen: &mut Cell, how: u16) {
    match how {
        1 => pen.attrs.0 |= Attrs::PROTECTED,
        0 | 2 => pen.attrs.0 &= !Attrs::PROTECTED,
        _ => {}
    }
}

fn set_private_mode(screen: &mut Screen, mode: u16, on: bool) {
    match (mode, on) {
        (6, _) => {
            screen.cursor.origin = on;
            screen.go(0, 0);
        }
        (47 | 1047, true) => screen.enter_alternate(),
        (47 | 1047, false) => screen.leave_alternate(),
        (1048, true) => screen.save(),
        (1048, false) => screen.restore(),
        (1049, true) => {
            screen.save();
            screen.enter_alternate();
        }
        (1049, false) => {
            screen.leave_alternate();
            screen.restore();
        }
        _ => {
            screen.modes.set_private(mode, on);
            if mode == 69 && !on {
                screen.forget_sides();
            }
        }
    }
}

fn greater(screen: &mut Screen, params: &Params, action: char) {
    match action {
        'c' if number(params, 0) == 0 => answers::secondary_attributes(screen),
        'q' if number(params, 0) == 0 => answers::version(screen),
        'u' => {
            let kitty = &mut screen.page.kitty;
            if kitty.stack.len() == MAX_KITTY {
                kitty.stack.remove(0);
            }
            kitty.stack.push(kitty.flags);
            kitty.flags = kitty_bits(number(params, 0));
        }
        'm' if number(params, 0) == 4 => screen.other_keys = u8::try_from(number(params, 1)).unwrap_or(0).min(3),
        'n' if number(params, 0) == 4 => screen.other_keys = 0,
        _ => {}
    }
}

/// The five flags that the protocol defines.
fn kitty_bits(flags: u16) -> u8 {
    u8::try_from(flags & 0x1f).unwrap_or(0)
}

fn set_kitty(kitty: &mut Kitty, flags: u16, how: u16) {
    let flags = kitty_bits(flags);
    match how {
        0 | 1 => kitty.flags = flags,
        2 => kitty.flags |= flags,
        3 => kitty.flags &= !flags,
        _ => {}
    }
}

fn window(screen: &mut Screen, operation: u16, what: u16) {
    match (operation, what) {
        // 1 is the icon's title, which is not kept.
        (22, 0 | 2) => {
            if screen.titles.len() == MAX_TITLES {
                screen.titles.remove(0);
            }
            screen.titles.push(screen.title.clone());
        }
        (23, 0 | 2) => {
            if let Some(title) = screen.titles.pop() {
                screen.title.clone_from(&title);
                screen.said.push(TermEvent::Title(title));
            }
        }
        _ => answers::window(screen, operation),
    }
}
