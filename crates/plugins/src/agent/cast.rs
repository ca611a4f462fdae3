//! Reads recordings of terminals: asciicast v2 and v3, <https://docs.asciinema.org/manual/asciicast/v2/>.

use ao_host::engine::Size;
use serde::Deserialize;

/// A recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// First size of the terminal.
    pub size: Size,
    /// Title in its header; empty when there is none.
    pub title: String,
    /// What happened, in order of time.
    pub records: Vec<Record>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Milliseconds since the beginning.
    pub t: u64,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The program wrote.
    Output(String),
    /// Somebody typed.
    Input(String),
    /// The terminal got another size.
    Resize(Size),
    /// A note of the recorder.
    Marker(String),
}

/// Why a recording cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct CastError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

#[derive(Deserialize)]
struct Header {
    version: u32,
    #[serde(default)]
    width: u16,
    #[serde(default)]
    height: u16,
    #[serde(default)]
    title: String,
    term: Option<Term>,
}

#[derive(Deserialize)]
struct Term {
    cols: u16,
    rows: u16,
}

/// The recorder's times count from the beginning in version 2, and from the record before in version 3.
const RELATIVE: u32 = 3;

impl Cast {
    /// Reads a recording. Records of kinds that are not known are passed over, as the format wants it.
    ///
    /// # Errors
    /// [`CastError`] with the line that is no recording's.
    pub fn parse(text: &str) -> Result<Self, CastError> {
        let wrong = |line: usize, what: String| CastError { line: line + 1, what };
        // Comments begin with `#` in version 3.
        let mut lines = text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty() && !l.starts_with('#'));
        let (n, head) = lines.next().ok_or_else(|| wrong(0, "it is empty".to_owned()))?;
        let header: Header = serde_json::from_str(head).map_err(|e| wrong(n, format!("this is no header: {e}")))?;
        if !matches!(header.version, 2 | 3) {
            return Err(wrong(n, format!("asciicast version {} is not known; 2 and 3 are", header.version)));
        }
        let term = header.term.unwrap_or(Term { cols: header.width, rows: header.height });
        let mut records = Vec::new();
        let mut t = 0.0;
        for (n, line) in lines {
            let (time, kind, data): (f64, String, String) =
                serde_json::from_str(line).map_err(|e| wrong(n, format!("this is no record: {e}")))?;
            t = if header.version == RELATIVE { t + time } else { time };
            let what = match kind.as_str() {
                "o" => What::Output(data),
                "i" => What::Input(data),
                "m" => What::Marker(data),
                "r" => What::Resize(size(&data).ok_or_else(|| wrong(n, format!("{data:?} is no size")))?),
                _ => continue,
            };
            // A clock that was set back makes no record earlier than the one before it.
            let before = records.last().map_or(0, |r: &Record| r.t);
            records.push(Record { t: milliseconds(t).max(before), what });
        }
        Ok(Self { size: Size::clamped(term.cols, term.rows), title: header.title, records })
    }
}

fn size(text: &str) -> Option<Size> {
    let (cols, rows) = text.split_once('x')?;
    Some(Size::clamped(cols.parse().ok()?, rows.parse().ok()?))
}

fn milliseconds(seconds: f64) -> u64 {
    std::time::Duration::try_from_secs_f64(seconds).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_2_counts_from_the_beginning_and_version_3_from_the_record_before() {
        let two =
            Cast::parse("{\"version\": 2, \"width\": 80, \"height\": 24}\n[1.5, \"o\", \"a\"]\n[2.0, \"i\", \"b\"]\n");
        let three = Cast::parse(
            "{\"version\": 3, \"term\": {\"cols\": 80, \"rows\": 24}}\n# a note\n[1.5, \"o\", \"a\"]\n[0.5, \"i\", \"b\"]\n",
        );
        assert_eq!(two, three);
        assert_eq!(two.unwrap().records.iter().map(|r| r.t).collect::<Vec<_>>(), [1500, 2000]);
    }

    #[test]
    fn what_is_no_recording_is_refused_with_its_line() {
        for (text, part) in [
            ("", "line 1: it is empty"),
            ("hello\n", "line 1: this is no header"),
            ("{\"version\": 1}\n", "line 1: asciicast version 1 is not known"),
            ("{\"version\": 2, \"width\": 1, \"height\": 1}\n[1, \"r\", \"8\"]\n", "line 2: \"8\" is no size"),
            ("{\"version\": 2, \"width\": 1, \"height\": 1}\n\n[1, \"o\"]\n", "line 3: this is no record"),
        ] {
            let error = Cast::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(part), "{text:?}: {error}");
        }
    }
}
