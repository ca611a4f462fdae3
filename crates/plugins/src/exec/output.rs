//! What a program printed, kept within a bound: its start and its end, the middle left out.
//!
//! Memory stays within the bound however much is printed; bytes are not interpreted.

use std::collections::VecDeque;

/// Collects output up to a bound.
#[derive(Debug)]
pub struct Output {
    limit: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
}

/// Output that may lack its middle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// The bytes, with a line in the middle that says how much was left out, if any was.
    pub bytes: Vec<u8>,
    /// How many bytes were left out.
    pub left_out: u64,
}

/// Room that the line in the middle takes at the most: its words and twenty digits.
const LINE: usize = 64;

impl Output {
    /// Keeps at most `limit` bytes in the end.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit: limit.max(2 * LINE), head: Vec::new(), tail: VecDeque::new(), left_out: 0 }
    }

    fn half(&self) -> usize {
        (self.limit - LINE) / 2
    }

    /// Adds what was read; answers how many of these bytes belong to the start.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let half = self.half();
        let room = (half - self.head.len()).min(bytes.len());
        let (first, rest) = bytes.split_at(room);
        self.head.extend_from_slice(first);
        // Only the last `half` bytes of a piece can stay.
        let skip = rest.len().saturating_sub(half);
        let drop = (self.tail.len() + rest.len() - skip).saturating_sub(half);
        self.tail.drain(..drop);
        self.tail.extend(rest.get(skip..).unwrap_or_default());
        self.left_out += (skip + drop) as u64;
        room
    }

    /// What comes after the start, as it is to be written after it: the line about what is missing, and the end.
    #[must_use]
    pub fn rest(&self) -> Vec<u8> {
        let mut rest = Vec::with_capacity(self.tail.len() + LINE);
        if self.left_out > 0 {
            rest.extend_from_slice(format!("\n[... {} bytes left out ...]\n", self.left_out).as_bytes());
        }
        rest.extend(self.tail.iter());
        rest
    }

    /// Everything that was kept.
    #[must_use]
    pub fn finish(mut self) -> Cut {
        let rest = self.rest();
        self.head.extend_from_slice(&rest);
        Cut { bytes: self.head, left_out: self.left_out }
    }
}

impl Cut {
    /// As text of at most `limit` bytes; bytes that are no UTF-8 become U+FFFD, which takes three.
    #[must_use]
    pub fn text(&self, limit: usize) -> String {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        if text.len() <= limit {
            return text;
        }
        let mut cut = Output::new(limit);
        cut.push(text.as_bytes());
        // The two seams may cut a character: its bytes are dropped, never widened.
        cut.finish().bytes.utf8_chunks().map(|chunk| chunk.valid()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_output_is_kept_as_it_is() {
        let mut output = Output::new(1000);
        output.push(b"a\n");
        output.push(b"b\n");
        assert_eq!(output.finish(), Cut { bytes: b"a\nb\n".to_vec(), left_out: 0 });
    }

    #[test]
    fn a_flood_keeps_its_start_and_its_end_within_the_bound() {
        for piece in [1_usize, 7, 100, 5000] {
            let all: Vec<u8> = (0..20_000_u32).flat_map(|n| format!("{n}\n").into_bytes()).collect();
            let mut output = Output::new(1000);
            for bytes in all.chunks(piece) {
                output.push(bytes);
            }
            let cut = output.finish();
            let text = String::from_utf8(cut.bytes.clone()).unwrap();
            assert!(cut.bytes.len() <= 1000, "{} bytes", cut.bytes.len());
            assert!(text.starts_with("0\n1\n2\n") && text.ends_with("19998\n19999\n"), "{text}");
            let kept = cut.bytes.len() - format!("\n[... {} bytes left out ...]\n", cut.left_out).len();
            assert_eq!(kept as u64 + cut.left_out, all.len() as u64, "pieces of {piece}");
        }
    }

    #[test]
    fn text_of_bytes_that_are_no_text_stays_within_the_bound() {
        let mut output = Output::new(1000);
        output.push(&[0xff; 5000]);
        assert!(output.finish().text(1000).len() <= 1000);
    }
}
