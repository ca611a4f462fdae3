//! Keys out of bytes: text, bracketed pastes, Enter, and the keys of a person. Anything cut anywhere.

/// One thing that was pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Characters.
    Text(String),
    /// A bracketed paste.
    Paste(String),
    /// Carriage return.
    Enter,
    /// Control-O: Enter as a person presses it, so that it can be told from the one of a delivery.
    Person,
    /// Control-U.
    Clear,
    /// The arrow up.
    Up,
    /// The arrow down.
    Down,
}

impl Key {
    /// As it is noted when it went astray.
    pub fn words(&self) -> String {
        match self {
            Self::Text(text) | Self::Paste(text) => text.clone(),
            Self::Enter => "<enter>".to_owned(),
            Self::Person => "<person>".to_owned(),
            Self::Clear => "<clear>".to_owned(),
            Self::Up => "<up>".to_owned(),
            Self::Down => "<down>".to_owned(),
        }
    }
}

const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// Bytes that are not whole keys yet.
#[derive(Debug, Default)]
pub struct Input {
    bytes: Vec<u8>,
}

impl Input {
    /// What these bytes complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Key> {
        self.bytes.extend_from_slice(bytes);
        let mut keys = Vec::new();
        while let Some((key, used)) = next(&self.bytes) {
            self.bytes.drain(..used);
            keys.extend(key);
        }
        keys
    }
}

/// The first whole key and how many bytes it takes; sequences that are no key of ours are passed over.
fn next(bytes: &[u8]) -> Option<(Option<Key>, usize)> {
    let find = |what: &[u8]| bytes.windows(what.len()).position(|window| window == what);
    match bytes.first()? {
        b'\r' => Some((Some(Key::Enter), 1)),
        0x0f => Some((Some(Key::Person), 1)),
        0x15 => Some((Some(Key::Clear), 1)),
        0x1b if bytes.starts_with(PASTE_BEGIN) => {
            let end = find(PASTE_END)?;
            let inside = bytes.get(PASTE_BEGIN.len()..end).unwrap_or_default();
            Some((Some(Key::Paste(lossy(inside).replace('\r', "\n"))), end + PASTE_END.len()))
        }
        0x1b if bytes.starts_with(b"\x1b[A") => Some((Some(Key::Up), 3)),
        0x1b if bytes.starts_with(b"\x1b[B") => Some((Some(Key::Down), 3)),
        0x1b if PASTE_BEGIN.starts_with(bytes) => None,
        0x1b => {
            let end = bytes.iter().skip(2).position(|byte| (0x40..=0x7e).contains(byte))?;
            Some((None, end + 3))
        }
        _ => {
            let special = |byte: &u8| matches!(byte, b'\r' | 0x0f | 0x15 | 0x1b);
            let end = bytes.iter().position(special).unwrap_or(bytes.len());
            let text = bytes.get(..end).unwrap_or_default();
            // A character that was cut waits for its rest.
            let whole = match std::str::from_utf8(text) {
                Ok(_) => end,
                Err(error) if error.error_len().is_none() && end == bytes.len() => error.valid_up_to(),
                Err(_) => end,
            };
            (whole > 0).then(|| (Some(Key::Text(lossy(text.get(..whole).unwrap_or_default()))), whole))
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_same_however_the_bytes_are_cut() {
        let bytes = "äb\x1b[200~two\rlines\x1b[201~\r\x1b[A\x15c".as_bytes();
        let whole = Input::default().feed(bytes);
        let text = |text: &str| Key::Text(text.to_owned());
        let paste = Key::Paste("two\nlines".to_owned());
        assert_eq!(whole, [text("äb"), paste.clone(), Key::Enter, Key::Up, Key::Clear, text("c")]);
        let mut input = Input::default();
        let single: Vec<Key> = bytes.iter().flat_map(|byte| input.feed(&[*byte])).collect();
        assert_eq!(single, [text("ä"), text("b"), paste, Key::Enter, Key::Up, Key::Clear, text("c")]);
    }
}
