//! Bytes as a socket may bring them, cut as it may cut them, to both sides of the wire codec.

use ao_host::wire::{Decoder, Frame, FromHost, MAX_FRAME, Request, WireError};

/// What a decoder of a host makes of `bytes` that come in pieces of `piece`.
fn frames(bytes: &[u8], piece: usize) -> (Vec<Frame>, Option<WireError>) {
    let mut decoder = Decoder::new(MAX_FRAME);
    let mut frames = Vec::new();
    for part in bytes.chunks(piece) {
        decoder.push(part);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

/// Panics when something does not hold of `bytes`.
pub fn holds(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let whole = frames(rest, rest.len().max(1));
    assert_eq!(whole, frames(rest, 1 + usize::from(*first % 61)), "cuts change nothing");
    for frame in &whole.0 {
        assert!(frame.payload.len() <= MAX_FRAME, "a message is bounded");
        if let Ok(Some(request)) = Request::decode(frame) {
            let mut again = Vec::new();
            request.encode(frame.id, &mut again);
            let (frames, error) = frames(&again, again.len());
            assert!(error.is_none() && frames.len() == 1, "what is read can be written");
            assert_eq!(Request::decode(&frames[0]), Ok(Some(request)), "and read again");
        }
        let _ = FromHost::decode(frame);
    }
}
