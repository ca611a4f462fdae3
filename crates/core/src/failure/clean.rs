//! Makes foreign text fit to be shown, stored and typed: no escape sequences, no control characters, bounded length.
//! It does not judge what the text says.

/// Removes escape sequences, control characters and invisible direction or tag characters. Line ends become `\n`, tabs
/// stay, and of a line that was overwritten by carriage returns only the last state is kept.
#[must_use]
pub fn strip(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut line_start = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            // The eight-bit forms of the same sequences.
            '\u{9b}' => skip_csi(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut chars),
            '\r' => {
                while chars.next_if_eq(&'\r').is_some() {}
                if chars.peek().is_some_and(|next| *next != '\n') {
                    clean.truncate(line_start);
                }
            }
            '\n' => {
                clean.push('\n');
                line_start = clean.len();
            }
            '\t' => clean.push('\t'),
            _ if c.is_control() || is_invisible(c) => {}
            _ => clean.push(c),
        }
    }
    clean
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Characters that change what a reader sees without being seen: direction overrides, zero-width marks and tags.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{2028}' | '\u{2029}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Skips what follows ESC, by ECMA-48: CSI, a string, or intermediate bytes and one final byte.
fn skip_escape(chars: &mut Chars<'_>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_csi(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            chars.next();
            skip_string(chars);
        }
        _ => {
            while chars.next_if(|c| (' '..='/').contains(c)).is_some() {}
            chars.next_if(|c| ('0'..='~').contains(c));
        }
    }
}

/// Skips parameters up to the final byte; anything that cannot be part of the sequence ends it and stays.
fn skip_csi(chars: &mut Chars<'_>) {
    while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
    chars.next_if(|c| ('@'..='~').contains(c));
}

/// Skips a string up to BEL or ST. A line end also ends it: a sequence that was cut must not swallow the log.
fn skip_string(chars: &mut Chars<'_>) {
    while let Some(c) = chars.next_if(|c| *c != '\n') {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                chars.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

/// Cleans a log and, when it is longer than `max_bytes`, leaves out its middle and says how much. The head gets a
/// third: the end of a log tells more. The result may exceed `max_bytes` by the marker only.
#[must_use]
pub fn trim_log(text: &str, max_bytes: usize) -> String {
    let clean = strip(text);
    if clean.len() <= max_bytes {
        return clean;
    }
    let head_end = line_floor(&clean, max_bytes / 3);
    let tail_start = line_ceil(&clean, clean.len() - (max_bytes - max_bytes / 3)).max(head_end);
    let (head, middle, tail) = (&clean[..head_end], &clean[head_end..tail_start], &clean[tail_start..]);
    let lines = middle.matches('\n').count();
    let whole_lines = middle.ends_with('\n') && (head.is_empty() || head.ends_with('\n'));
    let left_out = if whole_lines {
        format!("[… {lines} line{} left out …]\n", if lines == 1 { "" } else { "s" })
    } else {
        format!("[… {} bytes left out …]", middle.len())
    };
    format!("{head}{left_out}{tail}")
}

/// The start of the line that `at` falls into, unless that would give up more than half: then a character boundary.
fn line_floor(text: &str, at: usize) -> usize {
    let at = floor_char(text, at);
    match text[..at].rfind('\n') {
        Some(end) if end + 1 > at / 2 => end + 1,
        _ => at,
    }
}

/// The start of the line after `at`, under the same condition.
fn line_ceil(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    if at == 0 || text[..at].ends_with('\n') {
        return at;
    }
    match text[at..].find('\n') {
        Some(end) if end + 1 < (text.len() - at) / 2 => at + end + 1,
        _ => at,
    }
}

/// The last character boundary at or before `at`.
pub(super) fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Cuts clean text to `max` bytes, keeping its head, with an ellipsis as part of the length.
pub(super) fn clip(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let end = floor_char(text, max.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..end])
}

/// One line of clean text, at most `max` bytes.
pub(super) fn one_line(text: &str, max: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    clip(&words.join(" "), max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_of_every_form_vanish() {
        let dirty = "\u{1b}[1;31mred\u{1b}[0m \u{1b}]0;title\u{7}a\u{1b}]8;;http://x\u{1b}\\b \u{1b}(Bc\u{9b}2Kd \u{1b}Pq\u{1b}\\e\u{1b}";
        assert_eq!(strip(dirty), "red ab cd e");
    }

    #[test]
    fn a_cut_sequence_does_not_swallow_the_next_line() {
        assert_eq!(strip("a\u{1b}]0;never closed\nb"), "a\nb");
        assert_eq!(strip("a\u{1b}[\nb"), "a\nb");
    }

    #[test]
    fn an_overwritten_line_keeps_its_last_state() {
        assert_eq!(strip("one\r\n10 %\r50 %\rdone\r\nlast\r"), "one\ndone\nlast");
    }

    #[test]
    fn control_and_invisible_characters_vanish_and_others_stay() {
        assert_eq!(strip("a\u{0}b\u{8}c\u{202e}d\u{e0041}e\tf\u{85}g ü …"), "abcde\tfg ü …");
    }

    #[test]
    fn a_short_log_is_only_cleaned() {
        assert_eq!(trim_log("\u{1b}[1mok\u{1b}[m\n", 100), "ok\n");
    }

    #[test]
    fn a_long_log_keeps_head_and_tail_and_counts_what_it_lost() {
        let log: String = (1..=100).map(|n| format!("line {n}\n")).collect();
        assert_eq!(
            trim_log(&log, 60),
            "line 1\nline 2\n[… 94 lines left out …]\nline 97\nline 98\nline 99\nline 100\n"
        );
    }

    #[test]
    fn a_log_of_one_line_loses_its_middle() {
        let trimmed = trim_log(&"ü".repeat(1000), 99);
        assert_eq!(trimmed, format!("{}[… 1902 bytes left out …]{}", "ü".repeat(16), "ü".repeat(33)));
    }

    #[test]
    fn clipping_counts_the_ellipsis() {
        assert_eq!(clip("abcdef", 5), "ab…");
        assert_eq!(clip("abcde", 5), "abcde");
    }
}
