//! Sizes as people write them: `512M`, `4G`, `4Gi`, or a plain number of bytes.

use schemars::JsonSchema;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// An amount of memory in a configuration, in bytes. Units are powers of 1024, as Docker and systemd read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub struct Size(pub u64);

/// Reads a size.
///
/// # Errors
/// Words that say how one is written.
pub fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "ki" => 1 << 10,
        "m" | "mi" => 1 << 20,
        "g" | "gi" => 1 << 30,
        "t" | "ti" => 1 << 40,
        _ => return Err(wrong(text)),
    };
    let number: u64 = number.parse().map_err(|_| wrong(text))?;
    number.checked_mul(factor).ok_or_else(|| wrong(text))
}

/// Writes a size for people, in the largest unit that leaves a whole number or one digit behind the point: `4G`, `1.5G`.
#[must_use]
pub fn words(bytes: u64) -> String {
    for (unit, shift) in [("T", 40_u32), ("G", 30), ("M", 20), ("K", 10)] {
        if bytes >> shift > 0 {
            let tenths = (u128::from(bytes) * 10) >> shift;
            return match (tenths / 10, tenths % 10) {
                (whole, 0) => format!("{whole}{unit}"),
                (whole, rest) => format!("{whole}.{rest}{unit}"),
            };
        }
    }
    bytes.to_string()
}

fn wrong(text: &str) -> String {
    format!("{text:?} is no size; write a whole number with a unit, such as 512M or 4G")
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Size;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size such as 4G, or a number of bytes")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
                parse(text).map(Size).map_err(E::custom)
            }
            fn visit_u64<E: Error>(self, bytes: u64) -> Result<Size, E> {
                Ok(Size(bytes))
            }
            fn visit_i64<E: Error>(self, bytes: i64) -> Result<Size, E> {
                u64::try_from(bytes).map(Size).map_err(|_| E::custom("a size cannot be negative"))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_powers_of_1024_and_nonsense_is_refused() {
        for (text, bytes) in [
            ("4096", 4096),
            ("64k", 65_536),
            ("512M", 536_870_912),
            ("512 Mi", 536_870_912),
            ("4G", 4_294_967_296),
            ("1Ti", 1_099_511_627_776),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "G", "1.5G", "-1G", "4GB", "lots", "99999999999999999999", "99999999999T"] {
            assert!(parse(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn people_read_the_largest_unit() {
        for (bytes, text) in [(0, "0"), (1023, "1023"), (1024, "1K"), (1_610_612_736, "1.5G"), (4_294_967_296, "4G")] {
            assert_eq!(words(bytes), text);
        }
        assert_eq!(words(u64::MAX), "16777215.9T");
    }
}
