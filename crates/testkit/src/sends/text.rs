//! Prompts of every size, each unlike all others of its session.

/// Bytes of the prompts: from one character to what only a file can take (`docs/design/delivery.md`: over 8 KB).
pub const SIZES: [usize; 9] = [1, 10, 100, 1000, 4000, 8192, 8193, 20_000, 65_536];

const WORDS: [&str; 8] = ["mend", "the", "größte", "test", "`x = 1`", "in", "日本語", "module"];

/// The `n`th prompt of session `session`.
#[must_use]
pub fn make(session: usize, n: usize) -> String {
    let size = SIZES[(session + n) % SIZES.len()];
    if size == 1 {
        // A session has far fewer of these than there are letters.
        return char::from(b"abcdefghijklmnopqrstuvwxyz"[(n / SIZES.len()) % 26]).to_string();
    }
    let mut text = format!("{session}/{n}:");
    for word in WORDS.iter().cycle().skip(n) {
        // Lines of a usual length, in prompts that are not one line.
        let gap = if size > 100 && text.len() % 90 > 70 { '\n' } else { ' ' };
        if text.len() + 1 + word.len() > size {
            break;
        }
        text.push(gap);
        text.push_str(word);
    }
    while text.len() < size {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn prompts_have_their_size_and_are_unlike_each_other() {
        for session in 0..40 {
            let texts: BTreeSet<String> = (0..50).map(|n| make(session, n)).collect();
            assert_eq!(texts.len(), 50, "session {session}");
            assert!(texts.iter().all(|text| SIZES.contains(&text.len()) && text.trim() == text));
        }
    }
}
