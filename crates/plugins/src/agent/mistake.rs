//! What is wrong with an agent's file, with the line, and whose file it was to be.

use ao_core::adapter::AdapterError;
use ao_core::id::checked_name;

/// The mistake on one line: `FILE:LINE: what`, or without the line where it is not known.
pub fn words(text: &str, error: &AdapterError) -> String {
    match error {
        AdapterError::Meaning { .. } => error.to_string(),
        AdapterError::Syntax { file, source } => {
            let (what, line) = match source.span() {
                Some(span) => {
                    let before = text.get(..span.start).unwrap_or(text);
                    (source.message().to_owned(), Some(before.matches('\n').count() + 1))
                }
                // What a file extends is not in its text, so the parser has no place for it; it names the key.
                None => (source.to_string(), key(&source.to_string()).and_then(|key| line_of(text, &key))),
            };
            let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
            line.map_or_else(|| format!("{file}: {what}"), |line| format!("{file}:{line}: {what}"))
        }
    }
}

/// The name that a file gives its agent, or that of the agent it extends, even if the rest of it is no TOML.
pub fn name(text: &str) -> Option<String> {
    let value = |key: &str| {
        let top = text.lines().map(str::trim).take_while(|line| !line.starts_with('['));
        let mut given = top.filter_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='));
        let quoted = given.next()?.trim_start().strip_prefix(['"', '\''])?;
        let name = quoted.split(['"', '\'']).next()?;
        checked_name("agent name", name).is_ok().then(|| name.to_owned())
    };
    value("name").or_else(|| value("extends"))
}

/// The key that the parser's words are about: "unknown field `key`, …", or "… in `table.key`".
fn key(words: &str) -> Option<String> {
    let (_, rest) = words.split_once("unknown field `").or_else(|| words.rsplit_once("in `"))?;
    Some(rest.split('`').next()?.rsplit('.').next()?.to_owned())
}

/// The first line that sets a key or begins its table.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let sets = |line: &str| match line.trim().strip_prefix(key) {
        Some(rest) => rest.trim_start().starts_with('='),
        None => line.trim_start_matches([' ', '\t', '[']).strip_prefix(key).is_some_and(|rest| rest.starts_with(']')),
    };
    text.lines().position(sets).map(|at| at + 1)
}
