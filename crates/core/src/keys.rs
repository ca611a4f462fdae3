//! Names of keys and the bytes that a terminal sends for them (xterm's normal mode).

use crate::kind::Fault;

/// Keys that have a name; matched without regard to case.
const NAMED: [(&str, &str); 24] = [
    ("enter", "\r"),
    ("return", "\r"),
    ("esc", "\x1b"),
    ("escape", "\x1b"),
    ("tab", "\t"),
    ("backtab", "\x1b[Z"),
    ("s-tab", "\x1b[Z"),
    ("space", " "),
    ("backspace", "\x7f"),
    ("delete", "\x1b[3~"),
    ("insert", "\x1b[2~"),
    ("up", "\x1b[A"),
    ("down", "\x1b[B"),
    ("right", "\x1b[C"),
    ("left", "\x1b[D"),
    ("home", "\x1b[H"),
    ("end", "\x1b[F"),
    ("pageup", "\x1b[5~"),
    ("pagedown", "\x1b[6~"),
    ("f1", "\x1bOP"),
    ("f2", "\x1bOQ"),
    ("f3", "\x1bOR"),
    ("f4", "\x1bOS"),
    ("f5", "\x1b[15~"),
];

/// The bytes of a key: a name of the table, `C-x` for control with a letter, or one character.
///
/// # Errors
/// `invalid`, with what is known.
pub fn bytes(name: &str) -> Result<Vec<u8>, Fault> {
    let lower = name.to_ascii_lowercase();
    if let Some((_, sent)) = NAMED.iter().find(|(known, _)| *known == lower) {
        return Ok(sent.as_bytes().to_vec());
    }
    if let Some(letter) = lower.strip_prefix("c-").or_else(|| lower.strip_prefix("ctrl-"))
        && let [letter @ b'a'..=b'z'] = letter.as_bytes()
    {
        return Ok(vec![letter - b'a' + 1]);
    }
    let mut chars = name.chars();
    if let (Some(one), None) = (chars.next(), chars.next())
        && !one.is_control()
    {
        return Ok(one.to_string().into_bytes());
    }
    let known: Vec<&str> = NAMED.iter().map(|(n, _)| *n).collect();
    Err(Fault::invalid(format!("there is no key {name:?}"))
        .hint(format!("known: one character, C-a to C-z, {}", known.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_name() {
        for (name, sent) in
            [("Enter", "\r"), ("ESC", "\x1b"), ("Up", "\x1b[A"), ("C-c", "\x03"), ("y", "y"), ("ä", "ä")]
        {
            assert_eq!(bytes(name).as_deref(), Ok(sent.as_bytes()), "{name}");
        }
        for bad in ["", "Entr", "C-", "C-1", "\u{1b}", "ctrl-ab"] {
            assert!(bytes(bad).is_err(), "{bad:?}");
        }
    }
}
