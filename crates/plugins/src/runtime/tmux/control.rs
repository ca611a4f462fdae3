//! tmux's control mode: what a control client is told, line by line.
//!
//! Pure: bytes in, what they say out. Which answer belongs to which question is the link's matter.

/// Something that tmux said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A program wrote this to its terminal.
    Output {
        /// The pane, as `%1`.
        pane: String,
        /// What it wrote.
        bytes: Vec<u8>,
    },
    /// The answer to one command.
    Answer(Answered),
    /// The client is attached to its session.
    Attached,
    /// The client has to leave.
    Left,
    /// A window has another size.
    Resized,
    /// Some client looks at some session now.
    Visited,
}

/// The answer to one command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answered {
    /// Whether the command could be carried out; else the lines say why not.
    pub(super) done: bool,
    /// What it printed.
    pub(super) lines: Vec<String>,
}

/// Reads the stream.
#[derive(Debug, Default)]
pub(super) struct Reader {
    rest: Vec<u8>,
    /// The answer that is being read: what its last line begins with, after the keyword.
    open: Option<(String, Vec<String>)>,
}

impl Reader {
    /// What these bytes complete.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<Said> {
        let mut said = Vec::new();
        self.rest.extend_from_slice(bytes);
        let mut begin = 0;
        while let Some(length) = self.rest.get(begin..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
            let line = self.rest.get(begin..begin + length).unwrap_or_default().to_vec();
            said.extend(self.line(&line));
            begin += length + 1;
        }
        self.rest.drain(..begin);
        said
    }

    fn line(&mut self, line: &[u8]) -> Option<Said> {
        if let Some((mark, lines)) = &mut self.open {
            // A screen may hold a line that looks like an end: only the one with the beginning's own numbers is.
            let ends = |word: &str| line.strip_prefix(word.as_bytes()) == Some(mark.as_bytes());
            let (done, failed) = (ends("%end "), ends("%error "));
            if !done && !failed {
                lines.push(String::from_utf8_lossy(line).into_owned());
                return None;
            }
            let lines = std::mem::take(lines);
            self.open = None;
            return Some(Said::Answer(Answered { done, lines }));
        }
        if let Some(mark) = line.strip_prefix(b"%begin ") {
            self.open = Some((String::from_utf8_lossy(mark).into_owned(), Vec::new()));
            return None;
        }
        if let Some(output) = line.strip_prefix(b"%output ") {
            let space = output.iter().position(|byte| *byte == b' ')?;
            let (pane, data) = output.split_at(space);
            let pane = String::from_utf8_lossy(pane).into_owned();
            return Some(Said::Output { pane, bytes: unescape(data.get(1..).unwrap_or_default()) });
        }
        let word = line.split(|byte| *byte == b' ').next().unwrap_or_default();
        match word {
            b"%session-changed" => Some(Said::Attached),
            b"%exit" => Some(Said::Left),
            b"%layout-change" => Some(Said::Resized),
            b"%client-session-changed" => Some(Said::Visited),
            _ => None,
        }
    }
}

/// Undoes the escapes of `%output`: a backslash and three octal digits for a control character or a backslash.
fn unescape(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|digits| *first == b'\\' && digits.iter().all(|d| (b'0'..=b'7').contains(d)));
        match octal {
            Some(digits) => {
                bytes.push(digits.iter().fold(0_u8, |sum, digit| sum.wrapping_mul(8).wrapping_add(digit - b'0')));
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

/// How many bytes at the end are the beginning of a character whose rest has not come.
pub(super) fn half_character(bytes: &[u8]) -> usize {
    let last = bytes.len().saturating_sub(3);
    let tail = bytes.get(last..).unwrap_or_default();
    for (back, byte) in tail.iter().rev().enumerate() {
        let length = match byte {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if back + 1 < length { back + 1 } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(done: bool, lines: &[&str]) -> Said {
        Said::Answer(Answered { done, lines: lines.iter().map(|&line| line.to_owned()).collect() })
    }

    #[test]
    fn answers_and_output_are_told_apart_however_they_are_cut() {
        let stream =
            b"%begin 7 259 0\n%end 7 259 0\n%session-changed $0 ao-x-1\n%output %0 a\\015\\012\\134\xc3\xa9 b\n\
            %begin 7 275 1\n80 0\n%end 7 274 1\n%output %0 no\n\n%end 7 275 1\n%window-renamed @0 x\n\
            %begin 7 276 1\nparse error: unknown command: foo\n%error 7 276 1\n%exit\n";
        let whole = [
            answered(true, &[]),
            Said::Attached,
            Said::Output { pane: "%0".to_owned(), bytes: b"a\r\n\\\xc3\xa9 b".to_vec() },
            answered(true, &["80 0", "%end 7 274 1", "%output %0 no", ""]),
            answered(false, &["parse error: unknown command: foo"]),
            Said::Left,
        ];
        assert_eq!(Reader::default().read(stream), whole);
        let mut reader = Reader::default();
        let cut: Vec<Said> = stream.iter().flat_map(|byte| reader.read(&[*byte])).collect();
        assert_eq!(cut, whole);
    }

    #[test]
    fn escapes_of_output_are_undone() {
        assert_eq!(unescape(b"\\033[1m\\134x\\"), b"\x1b[1m\\x\\");
        assert_eq!(unescape(b"\\9\\377"), b"\\9\xff");
    }

    #[test]
    fn half_characters_are_counted() {
        for (bytes, half) in [
            (&b"abc"[..], 0),
            (b"", 0),
            (b"\xc3", 1),
            (b"\xc3\xa9", 0),
            (b"a\xe6\x97", 2),
            (b"a\xe6\x97\xa5", 0),
            (b"\xf0\x9f\x98", 3),
            (b"\xf0\x9f\x98\x80", 0),
            (b"\xff\x80", 0),
            (b"\x80\x80\x80\x80", 0),
        ] {
            assert_eq!(half_character(bytes), half, "{bytes:?}");
        }
    }
}
