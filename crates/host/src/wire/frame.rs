//! Frames: `u32 length (LE), u8 type, u8 flags, [u32 id], payload`.
//!
//! It knows lengths and flags, not what a type means.

/// Largest value of a frame's length field in bytes: type, flags, id and payload together (`docs/design/host.md`: 1 MB).
pub const MAX_FRAME: usize = 1 << 20;

/// Largest joined message in bytes that a client accepts.
///
/// A 500 × 300 screen with a colour of its own in every cell serialises to about 6 MB.
pub const MAX_MESSAGE: usize = 16 << 20;

/// Flag: the payload is preceded by a `u32` (LE) that ties a reply to its request.
pub const FLAG_ID: u8 = 1;
/// Flag: the message goes on in the next frame, which has the same type.
pub const FLAG_MORE: u8 = 2;

/// Bytes of type and flags, which the length field counts.
const HEAD: usize = 2;
/// Bytes of an id.
const ID: usize = 4;

/// One whole message, joined from its frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What the payload is; below 128 it must be understood, from 128 on it may be ignored.
    pub kind: u8,
    /// Ties a reply to its request; absent on pushes.
    pub id: Option<u32>,
    /// The message itself.
    pub payload: Vec<u8>,
}

/// Why bytes are no message of this protocol.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WireError {
    /// A frame or joined message is longer than this side accepts.
    #[error("a message of {length} bytes is longer than the limit of {limit}")]
    TooLong {
        /// Bytes announced.
        length: usize,
        /// Bytes accepted.
        limit: usize,
    },
    /// A frame is too short for its own head.
    #[error("a frame of {length} bytes is too short")]
    TooShort {
        /// Bytes announced.
        length: usize,
    },
    /// A flag outside the protocol is set.
    #[error("frame flags {flags:#04x} are unknown")]
    Flags {
        /// The flags received.
        flags: u8,
    },
    /// A continued message was followed by a frame of another type.
    #[error("a message of type {kind} was interrupted by one of type {by}")]
    Interrupted {
        /// Type of the unfinished message.
        kind: u8,
        /// Type that came instead.
        by: u8,
    },
    /// A type below 128 that this side does not know.
    #[error("message type {kind} is unknown")]
    Unknown {
        /// The type received.
        kind: u8,
    },
    /// The payload does not fit its type.
    #[error("message type {kind}: {reason}")]
    Payload {
        /// The type received.
        kind: u8,
        /// What is wrong with it.
        reason: String,
    },
}

/// Appends one message to `out`, split into as many frames as the limit asks for.
pub fn encode(kind: u8, id: Option<u32>, parts: &[&[u8]], out: &mut Vec<u8>) {
    let total: usize = parts.iter().map(|part| part.len()).sum();
    let id_len = if id.is_some() { ID } else { 0 };
    let room = MAX_FRAME - HEAD - id_len;
    out.reserve(total + HEAD + ID + 4);
    let mut rest = total;
    let mut bytes = parts.iter().flat_map(|part| part.chunks(room));
    let mut piece: &[u8] = &[];
    loop {
        let now = rest.min(room);
        rest -= now;
        let flags = if id.is_some() { FLAG_ID } else { 0 } | if rest > 0 { FLAG_MORE } else { 0 };
        let length = u32::try_from(HEAD + id_len + now).expect("a frame is at most 1 MB");
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&[kind, flags]);
        if let Some(id) = id {
            out.extend_from_slice(&id.to_le_bytes());
        }
        let mut missing = now;
        while missing > 0 {
            if piece.is_empty() {
                piece = bytes.next().expect("the parts hold `total` bytes");
                continue;
            }
            let (head, tail) = piece.split_at(missing.min(piece.len()));
            out.extend_from_slice(head);
            missing -= head.len();
            piece = tail;
        }
        if rest == 0 {
            return;
        }
    }
}

/// Collects bytes until they are whole messages.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
    open: Option<Frame>,
    limit: usize,
}

impl Decoder {
    /// Creates a decoder that joins messages up to `limit` bytes of payload.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, open: None, limit }
    }

    /// Adds bytes as they came from the socket.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns the next whole message, or `None` until more bytes are pushed.
    ///
    /// # Errors
    /// When the bytes break the protocol; the connection cannot go on after that.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, WireError> {
        while let Some((kind, more, id, payload)) = self.split()? {
            let mut frame = match self.open.take() {
                Some(open) if open.kind == kind => open,
                Some(open) => return Err(WireError::Interrupted { kind: open.kind, by: kind }),
                None => Frame { kind, id, payload: Vec::new() },
            };
            let length = frame.payload.len() + payload.len();
            if length > self.limit {
                return Err(WireError::TooLong { length, limit: self.limit });
            }
            if frame.payload.is_empty() {
                frame.payload = payload;
            } else {
                frame.payload.extend_from_slice(&payload);
            }
            if more {
                self.open = Some(frame);
            } else {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    /// Takes one frame off the buffer: type, whether more follows, id, payload.
    #[expect(clippy::type_complexity, reason = "the four parts are consumed by the only caller, right above")]
    fn split(&mut self) -> Result<Option<(u8, bool, Option<u32>, Vec<u8>)>, WireError> {
        let bytes = &self.buffer[self.start..];
        let Some(head) = bytes.first_chunk::<4>() else {
            self.settle();
            return Ok(None);
        };
        let length = u32::from_le_bytes(*head) as usize;
        if length > MAX_FRAME {
            return Err(WireError::TooLong { length, limit: MAX_FRAME });
        }
        if length < HEAD {
            return Err(WireError::TooShort { length });
        }
        let Some(body) = bytes.get(4..4 + length) else { return Ok(None) };
        let (kind, flags) = (body[0], body[1]);
        if flags & !(FLAG_ID | FLAG_MORE) != 0 {
            return Err(WireError::Flags { flags });
        }
        let (id, payload) = if flags & FLAG_ID == 0 {
            (None, &body[HEAD..])
        } else {
            let id = body[HEAD..].first_chunk::<ID>().ok_or(WireError::TooShort { length })?;
            (Some(u32::from_le_bytes(*id)), &body[HEAD + ID..])
        };
        let split = (kind, flags & FLAG_MORE != 0, id, payload.to_vec());
        self.start += 4 + length;
        Ok(Some(split))
    }

    /// Gives the buffer back when nothing is in it: an idle host holds no room for a burst of long ago.
    fn settle(&mut self) {
        if self.start == self.buffer.len() && self.start > 0 {
            self.buffer = Vec::new();
            self.start = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_message_survives_any_cutting(
            kind in any::<u8>(), id in proptest::option::of(any::<u32>()),
            payload in proptest::collection::vec(any::<u8>(), 0..600), cut in 1usize..40,
        ) {
            let mut bytes = Vec::new();
            let (head, tail) = payload.split_at(payload.len() / 2);
            encode(kind, id, &[head, tail], &mut bytes);
            let mut decoder = Decoder::new(MAX_MESSAGE);
            let mut got = None;
            for piece in bytes.chunks(cut) {
                prop_assert!(got.is_none());
                decoder.push(piece);
                got = decoder.next_frame().expect("own encoding");
            }
            prop_assert_eq!(got, Some(Frame { kind, id, payload }));
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut decoder = Decoder::new(MAX_FRAME);
            decoder.push(&bytes);
            while let Ok(Some(_)) = decoder.next_frame() {}
        }
    }

    #[test]
    fn a_long_message_travels_in_frames_of_at_most_a_megabyte() {
        let payload = vec![7u8; 3 * MAX_FRAME + 5];
        let mut bytes = Vec::new();
        encode(65, Some(9), &[&payload], &mut bytes);
        assert!(bytes.len() > payload.len() + 3 * 10);
        let mut decoder = Decoder::new(MAX_MESSAGE);
        decoder.push(&bytes);
        let frame = decoder.next_frame().expect("own encoding").expect("whole");
        assert_eq!(frame, Frame { kind: 65, id: Some(9), payload });
    }

    #[test]
    fn a_host_refuses_a_message_beyond_its_limit() {
        let mut bytes = Vec::new();
        encode(4, None, &[&vec![0u8; MAX_FRAME + 1]], &mut bytes);
        let mut decoder = Decoder::new(MAX_FRAME);
        decoder.push(&bytes);
        assert!(matches!(decoder.next_frame(), Err(WireError::TooLong { .. })));
        let mut decoder = Decoder::new(MAX_FRAME);
        decoder.push(&u32::MAX.to_le_bytes());
        assert!(matches!(decoder.next_frame(), Err(WireError::TooLong { .. })));
    }

    #[test]
    fn a_continued_message_is_not_interrupted() {
        let mut decoder = Decoder::new(MAX_FRAME);
        decoder.push(&[3, 0, 0, 0, 5, FLAG_MORE, b'a', 2, 0, 0, 0, 6, 0]);
        assert_eq!(decoder.next_frame(), Err(WireError::Interrupted { kind: 5, by: 6 }));
    }
}
