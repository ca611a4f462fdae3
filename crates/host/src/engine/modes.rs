//! The modes a program can switch: how each is numbered, its default, and what it is now.
//!
//! Origin mode belongs to the cursor, the alternate screen to the screen, synchronized updates to the engine.

/// A mode that is either on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `?1` DECCKM: cursor keys send application sequences.
    CursorKeys,
    /// `?5` DECSCNM: the whole screen is inverse.
    ReverseScreen,
    /// `?7` DECAWM: text wraps at the right edge.
    Autowrap,
    /// `?12`: the cursor blinks.
    CursorBlink,
    /// `?25` DECTCEM: the cursor is shown.
    CursorShown,
    /// `?45`: BS wraps back to the row before.
    ReverseWrap,
    /// `?69` DECLRMM: there may be left and right margins.
    Sides,
    /// `?66` DECNKM, also `ESC =`: keypad sends application sequences.
    Keypad,
    /// `?1004`: focus changes are reported.
    Focus,
    /// `?1007`: the wheel sends arrow keys on the alternate screen.
    AlternateScroll,
    /// `?2004`: pastes are bracketed.
    BracketedPaste,
    /// `?2031`: changes of the colour scheme are reported.
    ColourScheme,
    /// `4` IRM: text is inserted.
    Insert,
    /// `20` LNM: a line feed also returns the carriage.
    NewLine,
}

/// Private modes (`CSI ? n h`) by number.
pub const PRIVATE: [(u16, Mode); 12] = [
    (1, Mode::CursorKeys),
    (5, Mode::ReverseScreen),
    (7, Mode::Autowrap),
    (12, Mode::CursorBlink),
    (25, Mode::CursorShown),
    (45, Mode::ReverseWrap),
    (66, Mode::Keypad),
    (69, Mode::Sides),
    (1004, Mode::Focus),
    (1007, Mode::AlternateScroll),
    (2004, Mode::BracketedPaste),
    (2031, Mode::ColourScheme),
];

/// ANSI modes (`CSI n h`) by number.
pub const ANSI: [(u16, Mode); 2] = [(4, Mode::Insert), (20, Mode::NewLine)];

/// Mouse tracking modes; setting one replaces another, resetting any ends tracking.
pub const MOUSE: [u16; 4] = [9, 1000, 1002, 1003];
/// Mouse report encodings; setting one replaces another, resetting any goes back to the oldest.
pub const MOUSE_ENCODING: [u16; 4] = [1005, 1006, 1015, 1016];

/// What every mode is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    on: u32,
    /// Mouse tracking mode by number, 0 when off.
    pub mouse: u16,
    /// Mouse encoding by number, 0 for the oldest.
    pub mouse_encoding: u16,
}

impl Default for Modes {
    fn default() -> Self {
        let mut modes = Self { on: 0, mouse: 0, mouse_encoding: 0 };
        modes.set(Mode::Autowrap, true);
        modes.set(Mode::CursorShown, true);
        modes
    }
}

impl Modes {
    fn bit(mode: Mode) -> u32 {
        1 << (mode as u32)
    }

    /// Whether `mode` is on.
    #[must_use]
    pub fn has(&self, mode: Mode) -> bool {
        self.on & Self::bit(mode) != 0
    }

    /// Switches `mode`.
    pub fn set(&mut self, mode: Mode, on: bool) {
        if on {
            self.on |= Self::bit(mode);
        } else {
            self.on &= !Self::bit(mode);
        }
    }

    /// Switches a private mode by number; false when the number is not known here.
    pub fn set_private(&mut self, number: u16, on: bool) -> bool {
        if MOUSE.contains(&number) {
            self.mouse = if on { number } else { 0 };
        } else if MOUSE_ENCODING.contains(&number) {
            self.mouse_encoding = if on { number } else { 0 };
        } else if let Some((_, mode)) = PRIVATE.iter().find(|(known, _)| *known == number) {
            self.set(*mode, on);
        } else {
            return false;
        }
        true
    }

    /// State of a private mode by number; `None` when it is not known here.
    #[must_use]
    pub fn private(&self, number: u16) -> Option<bool> {
        if MOUSE.contains(&number) {
            return Some(self.mouse == number);
        }
        if MOUSE_ENCODING.contains(&number) {
            return Some(self.mouse_encoding == number);
        }
        PRIVATE.iter().find(|(known, _)| *known == number).map(|(_, mode)| self.has(*mode))
    }

    /// State of an ANSI mode by number; `None` when it is not known here.
    #[must_use]
    pub fn ansi(&self, number: u16) -> Option<bool> {
        ANSI.iter().find(|(known, _)| *known == number).map(|(_, mode)| self.has(*mode))
    }
}
