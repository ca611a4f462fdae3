//! The text of one line: sealing it with a checksum when it is written, checking and decoding it when read.
//!
//! It reads and writes byte slices only, never files. A line is one JSON object that opens with three fields in
//! fixed order, and ends with a newline:
//!
//! ```text
//! {"seq":7,"at":1760000000000,"crc":"1c291ca3","time":52,"project":"p","session":"s","event":…,"facts_delta":…,"effects":[…]}
//! ```
//!
//! `crc` is the CRC-32 (IEEE, as in gzip) of the line's bytes without the newline, computed with the eight digits of
//! `crc` itself taken as `00000000`; it is written in lower-case hexadecimal. So it covers every other byte of the
//! line, `seq` included, and any tool can check it without knowing how we order or escape JSON. The fixed opening lets
//! a reader find `seq` without parsing JSON. `project` and `session` are left out when there is none. Fields that this
//! version does not know are ignored and stay in the file: lines are never rewritten.

use std::io::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::record::Record;

/// Longest line accepted for writing, in bytes. Large texts are kept in files of their own and named by the event, so
/// a line this long is a mistake, and one such line would fill a whole segment (`Limits::bytes`).
pub const MAX_LINE: usize = 8 << 20;

/// What the checksum's digits count as while the checksum is computed.
const BLANK: &[u8; 8] = b"00000000";

/// Longest opening of a line up to and including its `seq`: `{"seq":` and twenty digits.
pub(super) const SEQ_PREFIX: usize = 7 + 20;

/// Why a line of the file cannot be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It does not open with `{"seq":N,"at":N,"crc":"xxxxxxxx"`.
    #[error("does not begin like a line of the journal")]
    Shape,
    /// Its checksum does not fit.
    #[error("has checksum {stored:08x} but its bytes give {computed:08x}")]
    Checksum {
        /// What the line says.
        stored: u32,
        /// What its bytes give.
        computed: u32,
    },
    /// Its number does not follow the line before it.
    #[error("has seq {found} where {expected} must follow")]
    Sequence {
        /// The number that had to come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// It has no newline although its file was finished.
    #[error("has no end")]
    Unterminated,
    /// A closed segment holds fewer or more lines than its name says.
    #[error("is where the file ends or goes on, but its name promises lines up to seq {promised}")]
    Promise {
        /// The last number according to the name.
        promised: u64,
    },
    /// The checksum fits and yet it is not JSON.
    #[error("is not JSON ({0})")]
    Json(String),
    /// This version of `ao` does not know what it says.
    #[error("was written by a newer ao ({kind}: {reason})")]
    Newer {
        /// The event's name, as far as it can be told.
        kind: String,
        /// What the decoder said.
        reason: String,
    },
}

/// A line that cannot be believed, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: line {line} (at byte {offset}) {flaw}")]
pub struct BadLine {
    /// The file.
    pub path: PathBuf,
    /// The line's number in the file, from 1.
    pub line: u64,
    /// Where the line begins, in bytes.
    pub offset: u64,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// The checked opening of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: u64,
    pub(super) at: u64,
}

/// What decoding a line that passed its check gave.
#[derive(Debug)]
pub(super) enum Decoded<E, D, F> {
    /// A record of this version.
    Record(Record<E, D, F>),
    /// Unknown to this version and marked by its writer with `"skip": true`.
    Skip {
        /// The event's name, as far as it can be told.
        kind: String,
    },
}

/// Why a record cannot become a line.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// One of its parts does not serialise.
    #[error("record {seq} does not serialise")]
    Serialize {
        /// The record's number.
        seq: u64,
        /// What the serialiser said.
        source: serde_json::Error,
    },
    /// It is longer than [`MAX_LINE`].
    #[error("record {seq} takes {bytes} bytes, more than the {MAX_LINE} of a line")]
    TooLong {
        /// The record's number.
        seq: u64,
        /// Its length in bytes.
        bytes: usize,
    },
}

/// Appends `record` as a sealed line with its newline; leaves `out` as it was on error.
pub(super) fn encode<E, D, F>(out: &mut Vec<u8>, record: &Record<E, D, F>) -> Result<(), EncodeError>
where
    E: Serialize,
    D: Serialize,
    F: Serialize,
{
    #[derive(Serialize)]
    struct Body<'a, E, D, F> {
        time: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        project: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<&'a str>,
        event: &'a E,
        facts_delta: &'a D,
        effects: &'a [F],
    }
    let body = Body {
        time: record.time,
        project: record.project.as_deref(),
        session: record.session.as_deref(),
        event: &record.event,
        facts_delta: &record.delta,
        effects: &record.effects,
    };
    let start = out.len();
    let sealed = seal(out, Head { seq: record.seq, at: record.at }, &body)
        .map_err(|source| EncodeError::Serialize { seq: record.seq, source });
    let checked = sealed.and_then(|()| match out.len() - start {
        bytes if bytes > MAX_LINE => Err(EncodeError::TooLong { seq: record.seq, bytes }),
        _ => Ok(()),
    });
    if checked.is_err() {
        out.truncate(start);
    }
    checked
}

/// Appends one sealed line: the fixed opening, then the fields of `body`, which must serialise to an object with at
/// least one field.
pub(super) fn seal<B: Serialize>(out: &mut Vec<u8>, head: Head, body: &B) -> Result<(), serde_json::Error> {
    let start = out.len();
    write!(out, r#"{{"seq":{},"at":{},"crc":""#, head.seq, head.at).map_err(serde_json::Error::io)?;
    let crc_at = out.len();
    out.extend_from_slice(BLANK);
    out.push(b'"');
    let body_at = out.len();
    serde_json::to_writer(&mut *out, body)?;
    // The body's own opening brace becomes the comma that joins it to the opening.
    out[body_at] = b',';
    let crc = crc32fast::hash(&out[start..]);
    out[crc_at..crc_at + BLANK.len()].copy_from_slice(format!("{crc:08x}").as_bytes());
    out.push(b'\n');
    Ok(())
}

/// Checks the opening and the checksum of `line`, which comes without its newline.
pub(super) fn check(line: &[u8]) -> Result<Head, Flaw> {
    let rest = line.strip_prefix(br#"{"seq":"#).ok_or(Flaw::Shape)?;
    let (seq, rest) = number(rest).ok_or(Flaw::Shape)?;
    let rest = rest.strip_prefix(br#","at":"#).ok_or(Flaw::Shape)?;
    let (at, rest) = number(rest).ok_or(Flaw::Shape)?;
    let rest = rest.strip_prefix(br#","crc":""#).ok_or(Flaw::Shape)?;
    let (digits, after) = rest.split_first_chunk::<8>().ok_or(Flaw::Shape)?;
    let stored = crc_digits(digits).ok_or(Flaw::Shape)?;
    if !after.starts_with(b"\",") {
        return Err(Flaw::Shape);
    }
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&line[..line.len() - rest.len()]);
    hasher.update(BLANK);
    hasher.update(after);
    let computed = hasher.finalize();
    if stored == computed { Ok(Head { seq, at }) } else { Err(Flaw::Checksum { stored, computed }) }
}

/// Reads the number of a line from its first [`SEQ_PREFIX`] bytes, unchecked: good enough to search by.
pub(super) fn peek_seq(start_of_line: &[u8]) -> Option<u64> {
    number(start_of_line.strip_prefix(br#"{"seq":"#)?).map(|(seq, _)| seq)
}

/// Decodes a line that passed [`check`].
pub(super) fn decode<E, D, F>(line: &[u8]) -> Result<Decoded<E, D, F>, Flaw>
where
    E: DeserializeOwned,
    D: DeserializeOwned,
    F: DeserializeOwned,
{
    #[derive(Deserialize)]
    #[serde(bound = "E: DeserializeOwned, D: DeserializeOwned, F: DeserializeOwned")]
    struct Line<E, D, F> {
        seq: u64,
        at: u64,
        time: u64,
        project: Option<String>,
        session: Option<String>,
        event: E,
        facts_delta: D,
        effects: Vec<F>,
    }
    match serde_json::from_slice::<Line<E, D, F>>(line) {
        Ok(line) => Ok(Decoded::Record(Record {
            seq: line.seq,
            at: line.at,
            time: line.time,
            project: line.project,
            session: line.session,
            event: line.event,
            delta: line.facts_delta,
            effects: line.effects,
        })),
        Err(reason) => unknown(line, &reason).map(|kind| Decoded::Skip { kind }),
    }
}

/// Tells what an undecodable line is: skippable (its kind is returned), from a newer version, or no JSON at all.
fn unknown(line: &[u8], reason: &serde_json::Error) -> Result<String, Flaw> {
    #[derive(Deserialize)]
    struct Loose {
        #[serde(default)]
        skip: bool,
        #[serde(default)]
        event: serde_json::Value,
    }
    let loose: Loose = serde_json::from_slice(line).map_err(|e| Flaw::Json(e.to_string()))?;
    let kind = kind_of(&loose.event);
    if loose.skip { Ok(kind) } else { Err(Flaw::Newer { kind, reason: reason.to_string() }) }
}

/// Names an event whatever way it is tagged: `"Kind"`, `{"event"|"kind"|"type": "Kind", …}` or `{"Kind": …}`.
fn kind_of(event: &serde_json::Value) -> String {
    let tagged = || ["event", "kind", "type"].into_iter().find_map(|tag| event.get(tag)?.as_str());
    let named = || event.as_object()?.keys().next().map(String::as_str);
    event.as_str().or_else(tagged).or_else(named).unwrap_or("an event without a name").to_owned()
}

/// Reads a decimal number as serde writes it: no sign, no leading zero.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    if digits > 1 && number[0] == b'0' {
        return None;
    }
    Some((std::str::from_utf8(number).ok()?.parse().ok()?, rest))
}

/// Reads exactly eight lower-case hexadecimal digits.
fn crc_digits(digits: &[u8; 8]) -> Option<u32> {
    if !digits.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn sample() -> Record<Value, Value, Value> {
        Record {
            seq: 7,
            at: 1_760_000_000_000,
            time: 52,
            project: Some("p".into()),
            session: None,
            event: json!({"kind": "said", "text": "line\nbreak \u{1F600} \u{0}"}),
            delta: json!(null),
            effects: vec![json!("ring")],
        }
    }

    fn sealed(record: &Record<Value, Value, Value>) -> Vec<u8> {
        let mut out = Vec::new();
        encode(&mut out, record).unwrap();
        assert_eq!(out.pop(), Some(b'\n'));
        assert!(!out.contains(&b'\n'));
        out
    }

    #[test]
    fn a_record_comes_back_from_its_line() {
        let line = sealed(&sample());
        assert_eq!(check(&line), Ok(Head { seq: 7, at: 1_760_000_000_000 }));
        match decode::<Value, Value, Value>(&line).unwrap() {
            Decoded::Record(record) => assert_eq!(record, sample()),
            Decoded::Skip { kind } => panic!("skipped {kind}"),
        }
    }

    #[test]
    fn every_changed_bit_of_a_line_is_noticed() {
        let line = sealed(&sample());
        for at in 0..line.len() {
            for bit in 0..8 {
                let mut bad = line.clone();
                bad[at] ^= 1 << bit;
                assert!(check(&bad).is_err(), "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn every_shortened_line_is_noticed() {
        let line = sealed(&sample());
        for len in 0..line.len() {
            assert!(check(&line[..len]).is_err(), "first {len} bytes");
        }
    }

    #[test]
    fn a_record_that_does_not_fit_leaves_the_buffer_alone() {
        let mut out = b"before".to_vec();
        let long = Record { event: json!("x".repeat(MAX_LINE)), ..sample() };
        assert!(matches!(encode(&mut out, &long), Err(EncodeError::TooLong { seq: 7, .. })));
        assert_eq!(out, b"before");
    }

    #[test]
    fn an_event_is_named_however_it_is_tagged() {
        assert_eq!(kind_of(&json!("Tick")), "Tick");
        assert_eq!(kind_of(&json!({"at": 1, "event": "tick"})), "tick");
        assert_eq!(kind_of(&json!({"at": 1, "kind": "tick"})), "tick");
        assert_eq!(kind_of(&json!({"type": "tick"})), "tick");
        assert_eq!(kind_of(&json!({"Tick": {}})), "Tick");
        assert_eq!(kind_of(&json!(3)), "an event without a name");
    }
}
