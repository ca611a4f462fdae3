//! Reading JSON that somebody else wrote: what is not there is empty.

use serde_json::Value;

/// The text of a message's content: a string, or a list of parts.
#[must_use]
pub fn words(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|p| p.get("text").and_then(Value::as_str)).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

/// A list in a request; what is no list is empty.
#[must_use]
pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text in a request; what is no text is empty.
#[must_use]
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What lies between two words.
#[must_use]
pub fn between(whole: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = whole.split_once(before)?;
    let (inside, _) = rest.split_once(after).unwrap_or((rest, ""));
    Some(inside.trim().to_owned()).filter(|s| !s.is_empty())
}

/// Without what stands between two marks, marks included.
#[must_use]
pub fn without(whole: &str, begin: &str, end: &str) -> String {
    let mut out = String::new();
    let mut rest = whole;
    while let Some((before, inside)) = rest.split_once(begin) {
        out.push_str(before);
        rest = inside.split_once(end).map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_parts_are_taken_out() {
        assert_eq!(without("a<x>b</x>c<x>d", "<x>", "</x>"), "ac");
        assert_eq!(between("in <cwd>/a b</cwd>", "<cwd>", "</cwd>").as_deref(), Some("/a b"));
    }
}
