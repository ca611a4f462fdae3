//! Takes plain shell commands apart and quotes words for a POSIX shell.
//! It expands nothing: what needs the shell's own work is refused.

/// A word of a shell command: as it was written, and what it means when it has no expansions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub raw: String,
    pub value: String,
}

/// Splits a command into simple commands joined by `&&`, `;` or line ends. `None` when the shell would do more:
/// pipes, redirections other than `2>&1`, groups, substitutions.
pub(super) fn segments(command: &str) -> Option<Vec<Vec<Word>>> {
    let mut segments = vec![Vec::new()];
    let mut word: Option<Word> = None;
    let mut chars = command.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => finish(&mut segments, &mut word),
            ';' | '\n' => end_segment(&mut segments, &mut word),
            '&' if chars.next_if_eq(&'&').is_some() => end_segment(&mut segments, &mut word),
            '>' if word.as_ref().is_some_and(|word| word.raw == "2") => {
                let joined: String = chars.by_ref().take(2).collect();
                if joined != "&1" {
                    return None;
                }
                word = None;
            }
            '|' | '<' | '>' | '&' | '(' | ')' | '`' | '#' | '{' | '}' | '!' => return None,
            '$' if chars.peek() == Some(&'(') => return None,
            '\'' | '"' => quoted(c, &mut chars, word.get_or_insert_with(Word::empty))?,
            '\\' => {
                let escaped = chars.next()?;
                word.get_or_insert_with(Word::empty).push(&format!("\\{escaped}"), escaped);
            }
            _ => word.get_or_insert_with(Word::empty).push(c.encode_utf8(&mut [0; 4]), c),
        }
    }
    end_segment(&mut segments, &mut word);
    segments.retain(|words| !words.is_empty());
    Some(segments)
}

impl Word {
    fn empty() -> Self {
        Self { raw: String::new(), value: String::new() }
    }

    fn push(&mut self, raw: &str, value: char) {
        self.raw.push_str(raw);
        self.value.push(value);
    }
}

fn finish(segments: &mut [Vec<Word>], word: &mut Option<Word>) {
    if let (Some(word), Some(words)) = (word.take(), segments.last_mut()) {
        words.push(word);
    }
}

fn end_segment(segments: &mut Vec<Vec<Word>>, word: &mut Option<Word>) {
    finish(segments, word);
    segments.push(Vec::new());
}

/// Reads a quoted part up to its end; `None` when it has no end or runs a command.
fn quoted(mark: char, chars: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &mut Word) -> Option<()> {
    word.raw.push(mark);
    loop {
        let c = chars.next()?;
        word.raw.push(c);
        match c {
            _ if c == mark => return Some(()),
            '`' if mark == '"' => return None,
            '$' if mark == '"' && chars.peek() == Some(&'(') => return None,
            '\\' if mark == '"' => {
                let escaped = chars.next()?;
                word.raw.push(escaped);
                word.value.push(escaped);
            }
            _ => word.value.push(c),
        }
    }
}

/// Quotes a word for a POSIX shell when it needs it.
pub(super) fn quote(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
