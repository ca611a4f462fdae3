//! Takes secrets of known shapes out of a recording before it leaves the machine.
//!
//! It finds tokens by how they look. A password without a shape, or a token that a program draws in pieces all over the
//! screen, is not found: whoever shares a recording looks first.

use ao_host::engine::lexer::{Lexer, Token};
use regex::bytes::Regex;
use std::sync::LazyLock;

/// What takes a secret's place, byte for byte, so that times and columns stay.
const MASK: u8 = b'*';

/// Shapes of secrets: what may stay is in the group `k`, the rest goes. Each is as its issuer documents it.
const SHAPES: &[&str] = &[
    // Anthropic, OpenAI and those who copied them.
    r"(?<k>sk-(?:ant-|proj-|svcacct-|admin-|or-)?)[A-Za-z0-9_-]{20,}",
    // GitHub, GitLab, npm, PyPI, crates.io, Hugging Face, Slack, Stripe, SendGrid, DigitalOcean, Docker.
    r"(?<k>gh[pousr]_)[A-Za-z0-9]{30,}",
    r"(?<k>github_pat_)[A-Za-z0-9_]{22,}",
    r"(?<k>gl(?:pat|ptt|dt|rt|soat)-)[A-Za-z0-9_-]{20,}",
    r"(?<k>npm_)[A-Za-z0-9]{36}",
    r"(?<k>pypi-)[A-Za-z0-9_-]{50,}",
    r"(?<k>cio)[A-Za-z0-9]{32}\b",
    r"(?<k>hf_)[A-Za-z0-9]{30,}",
    r"(?<k>xox[abeoprs]-)[A-Za-z0-9-]{10,}",
    r"(?<k>xapp-)[A-Za-z0-9-]{10,}",
    r"(?<k>[rs]k_(?:live|test)_)[A-Za-z0-9]{20,}",
    r"(?<k>SG\.)[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"(?<k>do[opr]_v1_)[a-f0-9]{64}",
    r"(?<k>dckr_pat_)[A-Za-z0-9_-]{20,}",
    // AWS, Google.
    r"\b(?<k>A(?:KIA|SIA|ROA|IDA))[A-Z0-9]{16}\b",
    r"(?<k>AIza)[A-Za-z0-9_-]{35}",
    r"(?<k>ya29\.)[A-Za-z0-9_-]{20,}",
    // JSON web tokens, HTTP credentials, logins in addresses.
    r"(?<k>eyJ)[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*",
    r"(?i)(?<k>(?:bearer|basic)[ \t]+)[A-Za-z0-9._~+/-]{20,}=*",
    r"(?<k>://[^\s/:@]*:)[^\s/@]{3,}@",
    // Assignments to variables that say what they are.
    r#"(?<k>\b[A-Z][A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS)['"]?[ \t]*[=:][ \t]*['"]?)[^\s'"*]{8,}"#,
    // Links that sign in to the dashboard.
    r"(?<k>#sign-in=)[A-Za-z0-9_-]{8,}",
    // Private keys, line by line: a terminal's lines may end with anything.
    r"(?s)(?<k>-----BEGIN [A-Z ]*PRIVATE KEY-----).{20,8000}?-----END",
];

static PATTERNS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| SHAPES.iter().filter_map(|shape| Regex::new(shape).ok()).collect());

/// Masks secrets in terminal output, also where colours and cursor movements stand between their characters; returns how
/// many there were.
pub fn redact(output: &mut [u8]) -> usize {
    // First what stands there in one piece, titles and links included; then what is printed, without what steers.
    let whole: Vec<usize> = (0..output.len()).collect();
    masked(output, &whole) + {
        let printed = printed(output);
        masked(output, &printed)
    }
}

/// Where the characters are that are printed.
fn printed(output: &[u8]) -> Vec<usize> {
    let mut lexer = Lexer::default();
    let mut places = Vec::new();
    for (at, byte) in output.iter().enumerate() {
        let was = lexer.in_sequence();
        let token = lexer.push(*byte);
        let text = !was && !lexer.in_sequence() && matches!(token, Token::Text | Token::Part);
        if text && *byte != 0x1b {
            places.push(at);
        }
    }
    places
}

fn masked(output: &mut [u8], places: &[usize]) -> usize {
    let text: Vec<u8> = places.iter().map(|at| output[*at]).collect();
    let mut count = 0;
    for pattern in PATTERNS.iter() {
        for found in pattern.captures_iter(&text) {
            let Some(all) = found.get(0) else { continue };
            let from = found.name("k").map_or(all.start(), |kept| kept.end());
            let secret = places.get(from..all.end()).unwrap_or_default();
            // What was masked before matches some shapes again.
            if secret.iter().any(|at| output[*at] != MASK && output[*at] > b' ') {
                count += 1;
                for at in secret {
                    if output[*at] > b' ' {
                        output[*at] = MASK;
                    }
                }
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str) -> (String, usize) {
        let mut bytes = text.as_bytes().to_vec();
        let count = redact(&mut bytes);
        assert_eq!(bytes.len(), text.len(), "nothing moves");
        (String::from_utf8(bytes).unwrap(), count)
    }

    #[test]
    fn every_shape_is_a_pattern() {
        assert_eq!(PATTERNS.len(), SHAPES.len());
    }

    #[test]
    fn secrets_of_known_shapes_go_and_the_rest_stays() {
        // Written in two parts, so that nobody who scans sources takes them for real ones.
        for (kept, secret) in [
            ("sk-ant-", "api03-abcdefghijklmnopqrstuvwx"),
            ("sk-proj-", "abcdefghijklmnopqrstuvwx"),
            ("ghp_", "abcdefghijklmnopqrstuvwxyz0123456789"),
            ("github_pat_", "abcdefghijklmnopqrstuvwxyz"),
            ("glpat-", "abcdefghijklmnopqrst"),
            ("xoxb-", "1234567890-abcdef"),
            ("AKIA", "ABCDEFGHIJKLMNOP"),
            ("AIza", "abcdefghijklmnopqrstuvwxyz012345678"),
            ("eyJ", "hbGciOiJIUzI1.eyJzdWIiOiIxMjM0.sig"),
            ("Authorization: Bearer ", "abcdefghijklmnopqrstuvwxyz"),
            ("https://user:", "hunter22@"),
            ("AWS_SECRET_ACCESS_KEY=", "abcdEFGH1234"),
            ("http://127.0.0.1:3000/#sign-in=", "abcdefgh1234"),
        ] {
            let (text, count) = redacted(&format!("see {kept}{secret} and on"));
            assert_eq!((text, count), (format!("see {kept}{} and on", "*".repeat(secret.len())), 1), "{kept}");
        }
        for fine in [
            "task-1234 is sk-ipped",
            "ghp_short",
            "KEY=short",
            "a basic thing",
            "http://localhost:3000/x@y",
            "MONKEY: no",
        ] {
            assert_eq!(redacted(fine), (fine.to_owned(), 0));
        }
    }

    #[test]
    fn colours_inside_a_secret_do_not_hide_it() {
        let (text, count) = redacted("\x1b[1mghp_abcdefghij\x1b[31mklmnopqrst\x1b[0muvwxyz0123456789 end");
        assert_eq!(text, "\x1b[1mghp_**********\x1b[31m**********\x1b[0m**************** end");
        assert_eq!(count, 1);
        let (text, _) = redacted("\x1b]2;ghp_abcdefghijklmnopqrstuvwxyz0123456789\x07é");
        assert_eq!(text, "\x1b]2;ghp_************************************\x07é");
    }
}
