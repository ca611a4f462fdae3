//! Durations as people write them: `90s`, `30m`, `2h`, `1d`, or a plain number of milliseconds.

use crate::time::Millis;
use schemars::JsonSchema;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A length of time in a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub struct Duration(pub Millis);

/// Reads a duration.
///
/// # Errors
/// Words that say how one is written.
pub fn parse(text: &str) -> Result<Millis, String> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let factor = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong(text)),
    };
    let number: u64 = number.parse().map_err(|_| wrong(text))?;
    number.checked_mul(factor).map(Millis).ok_or_else(|| wrong(text))
}

fn wrong(text: &str) -> String {
    format!("{text:?} is no duration; write 90s, 30m, 2h, 1d or a number of milliseconds")
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Duration;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as 30m, or a number of milliseconds")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
                parse(text).map(Duration).map_err(E::custom)
            }
            fn visit_u64<E: Error>(self, ms: u64) -> Result<Duration, E> {
                Ok(Duration(Millis(ms)))
            }
            fn visit_i64<E: Error>(self, ms: i64) -> Result<Duration, E> {
                u64::try_from(ms).map(|ms| Duration(Millis(ms))).map_err(|_| E::custom("a duration cannot be negative"))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_nonsense_is_refused() {
        for (text, ms) in
            [("250", 250), ("90s", 90_000), ("30m", 1_800_000), ("2h", 7_200_000), ("1d", 86_400_000), ("5 m", 300_000)]
        {
            assert_eq!(parse(text), Ok(Millis(ms)), "{text}");
        }
        for text in ["", "soon", "m", "-5s", "99999999999999999999d", "5w"] {
            assert!(parse(text).is_err(), "{text:?} was accepted");
        }
    }
}
