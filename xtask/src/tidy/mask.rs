//! Blanks out comments and literals, so that a text scan of Rust sees code only.
//!
//! It keeps every byte position and line break; it does not parse.

use std::ops::Range;

/// Returns `source` with comments and the inside of literals replaced by blanks, byte for byte.
#[must_use]
pub fn mask(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match skip(bytes, at) {
            Some(end) => {
                blank(&mut out[at..end]);
                end
            }
            None => at + 1,
        };
        at = end;
    }
    String::from_utf8(out).expect("whole comments and literals were replaced by ASCII blanks")
}

/// Returns the end of the comment or literal that starts at `at`, if one does.
fn skip(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => Some(at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len())),
        [b'/', b'*', ..] => Some(at + block_comment(rest)),
        [b'"', ..] => Some(at + quoted(rest, b'"')),
        [b'r', ..] if !continues_word(bytes, at) => raw_string(rest, 1).map(|len| at + len),
        [b'b' | b'c', b'r', ..] if !continues_word(bytes, at) => raw_string(rest, 2).map(|len| at + len),
        [b'\'', ..] => char_literal(rest).map(|len| at + len),
        _ => None,
    }
}

/// Whether the byte at `at` is in the middle of a word, so that `r` or `b` starts no literal.
fn continues_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of a literal that starts with `quote` and may hold backslash escapes.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of a raw string whose hashes start at `prefix`; `None` if it is a raw identifier or a plain word.
fn raw_string(rest: &[u8], prefix: usize) -> Option<usize> {
    let hashes = rest[prefix..].iter().take_while(|&&byte| byte == b'#').count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = open + 1;
    let end = rest[body..].windows(close.len()).position(|window| window == close);
    Some(end.map_or(rest.len(), |end| body + end + close.len()))
}

/// Length of a character literal; `None` for a lifetime.
fn char_literal(rest: &[u8]) -> Option<usize> {
    match rest.get(1)? {
        b'\\' => Some(quoted(rest, b'\'')),
        _ => {
            let text = rest[1..rest.len().min(6)].utf8_chunks().next()?.valid();
            let width = text.chars().next()?.len_utf8();
            (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
        }
    }
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

/// Returns the byte ranges of `code` (masked) that exist only in tests: items under `#[cfg(test)]` or `#[test]`.
#[must_use]
pub fn test_ranges(code: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    while let Some(found) = code[from..].find("#[") {
        let start = from + found;
        let end = bracket_end(code, start + 1);
        from = end;
        if ranges.last().is_some_and(|last| last.contains(&start)) {
            continue;
        }
        let attribute: String = code[start + 2..end.saturating_sub(1)].split_whitespace().collect();
        let is_test = attribute == "test"
            || attribute.ends_with("::test")
            || (attribute.starts_with("cfg(")
                && words(&attribute).any(|word| word == "test")
                && !attribute.contains("not(test"));
        if is_test {
            let end = item_end(code, end);
            ranges.push(start..end);
            from = end;
        }
    }
    ranges
}

/// The identifiers in a piece of code.
pub fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// Returns the position after the bracket that closes the one at `open`.
pub(super) fn bracket_end(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Returns the end of the item that starts at or after `at`: its closing brace, or its semicolon.
fn item_end(code: &str, at: usize) -> usize {
    let bytes = code.as_bytes();
    let mut at = at;
    while at < bytes.len() {
        match bytes[at] {
            b';' => return at + 1,
            b'{' => return bracket_end(code, at),
            b'(' | b'[' => at = bracket_end(code, at),
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_positions_kept() {
        let source = "let a = \"std::fs\"; // std::env\nlet b = r#\"x \" y\"#; /* a /* b */ c */ let c = 'x';\n";
        let code = mask(source);
        assert_eq!(code.len(), source.len());
        assert!(!code.contains("std::"));
        assert!(!code.contains('y') && !code.contains(" c *"));
        assert_eq!(code.find("let c"), source.find("let c"));
    }

    #[test]
    fn a_lifetime_is_not_a_character() {
        let code = mask("fn f<'a>(x: &'a str) -> char { '\\'' } fn g() { todo!() }");
        assert!(code.contains("'a>"));
        assert!(code.contains("todo!"));
    }

    #[test]
    fn a_quote_character_opens_no_string() {
        let code = mask("let q = '\"'; let s = b'\"'; call(); let d = 'é'; after();");
        assert!(code.contains("call()"));
        assert!(code.contains("after()"));
    }

    #[test]
    fn a_raw_identifier_is_code() {
        assert!(mask("let r#type = for_r\"x\";").contains("r#type"));
    }

    #[test]
    fn items_under_cfg_test_are_test_ranges() {
        let code = mask("fn a() {}\n#[cfg(test)]\nmod tests { fn b() { x(); } }\nfn c() {}\n#[test]\nfn d() {}\n");
        let ranges = test_ranges(&code);
        let at = |needle: &str| code.find(needle).expect("planted");
        let inside = |needle: &str| ranges.iter().any(|range| range.contains(&at(needle)));
        assert!(inside("fn b"));
        assert!(inside("fn d"));
        assert!(!inside("fn a"));
        assert!(!inside("fn c"));
    }

    #[test]
    fn cfg_not_test_is_no_test_range() {
        assert!(test_ranges("#[cfg(not(test))]\nfn a() {}\n").is_empty());
        assert!(test_ranges("#[cfg(feature = \"x\")]\nfn a() {}\n").is_empty());
    }
}
