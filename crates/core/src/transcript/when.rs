//! Points in time as transcripts write them.

use serde_json::Value;

/// Numbers beyond this are milliseconds: as seconds it is the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

/// Milliseconds since 1970, from RFC 3339 text or a number of seconds or milliseconds.
#[must_use]
pub fn unix_ms(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.parse::<f64>().ok().and_then(from_number).or_else(|| rfc3339(text)),
        Value::Number(number) => number.as_f64().and_then(from_number),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is checked to be positive and small")]
fn from_number(n: f64) -> Option<u64> {
    let ms = if n > MILLISECONDS_FROM { n } else { n * 1000.0 };
    (ms > 0.0 && ms < 1e16).then_some(ms as u64)
}

/// `2026-11-20T16:32:09.881Z`, also with an offset; anything else is none.
fn rfc3339(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let end = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(end);
    let mut parts = clock.splitn(3, ':');
    let (hour, minute): (i64, i64) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let seconds = parts.next()?;
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let second: i64 = second.parse().ok()?;
    let digits: String = fraction.chars().take(3).collect();
    let milli: i64 = if digits.is_empty() { 0 } else { format!("{digits:0<3}").parse().ok()? };
    let offset = match zone.chars().next() {
        Some(sign @ ('+' | '-')) => {
            let (h, m) = zone[1..].split_once(':')?;
            let minutes = h.parse::<i64>().ok()? * 60 + m.parse::<i64>().ok()?;
            if sign == '+' { minutes } else { -minutes }
        }
        Some(_) | None => 0,
    };
    if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_since_1970(year, month, day);
    let ms = (((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000 + milli;
    u64::try_from(ms).ok()
}

/// Days of the proleptic Gregorian calendar, counted in eras of 400 years that begin in March.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_as_they_are_written() {
        for (value, ms) in [
            (json!("1970-01-01T00:00:00Z"), Some(0)),
            (json!("2026-11-20T16:32:09.881Z"), Some(1_795_192_329_881)),
            (json!("2026-11-20T17:32:09.88+01:00"), Some(1_795_192_329_880)),
            (json!("2024-02-29T23:59:59Z"), Some(1_709_251_199_000)),
            (json!(1_795_192_402), Some(1_795_192_402_000)),
            (json!(1_795_192_402_022_u64), Some(1_795_192_402_022)),
            (json!("1795192402"), Some(1_795_192_402_000)),
            (json!(1_795_192_402.5), Some(1_795_192_402_500)),
            (json!("soon"), None),
            (json!("2026-13-20T16:32:09Z"), None),
            (json!(-5), None),
            (json!(null), None),
        ] {
            assert_eq!(unix_ms(&value), ms, "{value}");
        }
    }
}
