//! Turns bytes of a terminal into keys and pastes. Sequences it has no use for are swallowed whole.

/// Marks around pasted text (xterm, mode 2004).
const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// Bytes of an unfinished paste or sequence that are kept: far more than any prompt that is typed.
const MAX_PENDING: usize = 4 << 20;

/// Something a person or a program typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A printable character or tab.
    Char(char),
    /// A bracketed paste, line ends as `\n`.
    Paste(String),
    /// Return.
    Enter,
    /// Ctrl-J or Alt-Return: a new line in the composer.
    NewLine,
    /// Backspace.
    Backspace,
    /// Ctrl-U.
    Clear,
    /// Esc alone.
    Escape,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    End,
}

/// Bytes that were not understood yet.
#[derive(Debug, Default)]
pub struct Keys {
    pending: Vec<u8>,
    pasting: bool,
}

/// What the beginning of the pending bytes is.
enum Piece {
    /// Not all there yet.
    Unfinished,
    /// This many bytes that mean nothing.
    Nothing(usize),
    /// This many bytes that are this key.
    Key(usize, Key),
    /// The beginning of a paste.
    PasteBegins,
}

impl Keys {
    /// Takes bytes in; gives what is complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Key> {
        self.pending.extend_from_slice(bytes);
        let mut keys = Vec::new();
        loop {
            if self.pasting {
                let Some(end) = find(&self.pending, PASTE_END) else { break };
                keys.push(Key::Paste(text(&self.pending[..end])));
                self.pending.drain(..end + PASTE_END.len());
                self.pasting = false;
            } else {
                match piece(&self.pending) {
                    Piece::Unfinished => break,
                    Piece::Nothing(length) => drop(self.pending.drain(..length)),
                    Piece::Key(length, key) => {
                        self.pending.drain(..length);
                        keys.push(key);
                    }
                    Piece::PasteBegins => {
                        self.pending.drain(..PASTE_BEGIN.len());
                        self.pasting = true;
                    }
                }
            }
        }
        if self.pending.len() > MAX_PENDING {
            self.pending.clear();
            self.pasting = false;
        }
        keys
    }

    /// Whether a lone Esc waits to become a key.
    pub fn undecided(&self) -> bool {
        !self.pasting && self.pending.first() == Some(&0x1b)
    }

    /// Nothing followed for a while: a lone Esc was the key, an unfinished sequence is dropped.
    pub fn settle(&mut self) -> Option<Key> {
        if !self.undecided() {
            return None;
        }
        let lone = self.pending.len() == 1;
        self.pending.clear();
        lone.then_some(Key::Escape)
    }
}

fn piece(bytes: &[u8]) -> Piece {
    let Some(&first) = bytes.first() else { return Piece::Unfinished };
    match first {
        0x1b => escape(bytes),
        b'\r' => Piece::Key(1, Key::Enter),
        b'\n' => Piece::Key(1, Key::NewLine),
        b'\t' => Piece::Key(1, Key::Char('\t')),
        0x7f | 0x08 => Piece::Key(1, Key::Backspace),
        0x15 => Piece::Key(1, Key::Clear),
        0x03 => Piece::Key(1, Key::Interrupt),
        0x04 => Piece::Key(1, Key::End),
        0..0x20 => Piece::Nothing(1),
        _ => character(bytes, first),
    }
}

fn escape(bytes: &[u8]) -> Piece {
    match bytes.get(1) {
        None => Piece::Unfinished,
        Some(b'\r' | b'\n') => Piece::Key(2, Key::NewLine),
        Some(b'O') => {
            if bytes.len() < 3 {
                Piece::Unfinished
            } else {
                Piece::Nothing(3)
            }
        }
        Some(b'[') => match bytes.iter().skip(2).position(|b| (0x40..=0x7e).contains(b)) {
            None => Piece::Unfinished,
            Some(at) if bytes.starts_with(PASTE_BEGIN) && at + 3 == PASTE_BEGIN.len() => Piece::PasteBegins,
            Some(at) => Piece::Nothing(at + 3),
        },
        Some(_) => Piece::Key(1, Key::Escape),
    }
}

fn character(bytes: &[u8], first: u8) -> Piece {
    let length = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let Some(whole) = bytes.get(..length) else { return Piece::Unfinished };
    match std::str::from_utf8(whole).ok().and_then(|s| s.chars().next()) {
        Some(c) if c.is_control() => Piece::Nothing(length),
        Some(c) => Piece::Key(length, Key::Char(c)),
        None => Piece::Key(1, Key::Char('\u{fffd}')),
    }
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

// Terminals send the ends of pasted lines as CR, programs as LF: one prompt has one spelling.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paste_is_one_key_however_its_bytes_are_cut() {
        let whole = "\u{1b}[200~zwei\r\nZeilen äöü\n\u{1b}[200 x\u{1b}[201~\r".as_bytes();
        let want = vec![Key::Paste("zwei\nZeilen äöü\n\u{1b}[200 x".to_owned()), Key::Enter];
        for cut in 1..whole.len() {
            let mut keys = Keys::default();
            let mut got = keys.feed(&whole[..cut]);
            got.extend(keys.feed(&whole[cut..]));
            assert_eq!(got, want, "cut at {cut}");
        }
    }

    #[test]
    fn a_lone_escape_is_a_key_only_after_a_pause() {
        let mut keys = Keys::default();
        assert!(keys.feed(b"\x1b").is_empty() && keys.undecided());
        assert_eq!(keys.settle(), Some(Key::Escape));
        assert!(keys.feed(b"\x1b").is_empty());
        assert!(keys.feed(b"[A").is_empty() && keys.settle().is_none(), "an arrow is not an Esc");
    }

    #[test]
    fn focus_reports_and_other_controls_are_swallowed() {
        let mut keys = Keys::default();
        let got = keys.feed("\u{1b}[Ia\u{0}\u{1b}OPé\u{1b}[1;5D\u{3}".as_bytes());
        assert_eq!(got, [Key::Char('a'), Key::Char('é'), Key::Interrupt]);
    }
}
