//! Reads JSON without keeping long texts: a tool's whole output, a picture, cost no memory beyond the line that holds them.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Most that is kept of one text, in bytes.
pub const LONGEST_TEXT: usize = 4 * 1024;

/// Elements of one list, or entries of one object, that are kept.
const MOST: usize = 4096;

/// Values inside values; more is not looked into.
const DEEPEST: u8 = 64;

/// Reads one value; texts are cut to [`LONGEST_TEXT`]. Bytes that are no UTF-8 are read as the replacement character.
#[must_use]
pub fn read(line: &[u8]) -> Option<Value> {
    parse(line).or_else(|| {
        if std::str::from_utf8(line).is_ok() {
            return None;
        }
        parse(String::from_utf8_lossy(line).as_bytes())
    })
}

fn parse(line: &[u8]) -> Option<Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    let value = Lean(0).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

struct Lean(u8);

impl<'de> DeserializeSeed<'de> for Lean {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.0 > DEEPEST {
            return Err(D::Error::custom("too deep"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Lean {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Value, E> {
        Ok(Value::Bool(yes))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::from(n))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(Value::from(n))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
        Ok(Number::from_f64(n).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(cut(text, LONGEST_TEXT).to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = all.next_element_seed(Lean(self.0 + 1))? {
            if list.len() < MOST {
                list.push(value);
            }
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = all.next_key::<String>()? {
            let value = all.next_value_seed(Lean(self.0 + 1))?;
            if map.len() < MOST {
                map.insert(key, value);
            }
        }
        Ok(Value::Object(map))
    }
}

/// The beginning of a text, at most `longest` bytes, never in the middle of a character.
#[must_use]
pub fn cut(text: &str, longest: usize) -> &str {
    let end = (0..=longest.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_and_everything_else_is_kept() {
        let long = "é".repeat(LONGEST_TEXT);
        let line = serde_json::json!({"t": long, "n": [1, -2, 0.5, null, true], "o": {"k": "v"}}).to_string();
        let value = read(line.as_bytes()).unwrap();
        assert_eq!(value["t"].as_str().map(str::len), Some(LONGEST_TEXT));
        assert_eq!(
            (&value["n"], &value["o"]),
            (&serde_json::json!([1, -2, 0.5, null, true]), &serde_json::json!({"k": "v"}))
        );
    }

    #[test]
    fn what_is_no_json_is_none_and_what_is_no_utf8_is_read_nevertheless() {
        for bad in [&b""[..], b"{", b"{\"a\":1}x", b"\xff", b"nul"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        assert_eq!(read(b"{\"a\":\"x\xff\xfey\"}").unwrap()["a"], "x\u{fffd}\u{fffd}y");
        let deep = "[".repeat(2000) + &"]".repeat(2000);
        assert_eq!(read(deep.as_bytes()), None);
    }
}
