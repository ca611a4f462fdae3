//! A live terminal over a WebSocket (`ao_api::terminal`): frames of the session's host, one viewer at a time. A slow viewer
//! makes only its own connection full; its host then sends it the screen instead of the backlog.

use super::answer::{Refusal, json};
use super::socket::{Handshake, MOST_BYTES, Socket};
use crate::action::row::{Call, Row};
use crate::action::terminal::{Ended, after_the_end};
use ao_api::terminal::{
    EXITED, ExitFrame, KEYS, OUTPUT, RESIZE, RESIZED, SCREEN, SEEN, SeenFrame, SizeFrame, ViewQuery,
};
use ao_core::kind::{Fault, Kind};
use ao_slots::runtime::{Attachment, Frame, Frames, Inputs, View, ViewerInput};
use axum::extract::ws::close_code;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

/// A viewer's terminal when it does not say.
const SIZE: (u16, u16) = (120, 40);
/// Largest terminal (`docs/design/host.md`).
const LARGEST: (u16, u16) = (500, 300);
/// A viewer that takes nothing for this long is gone.
const STALLED: Duration = Duration::from_secs(60);

/// Answers a request for a terminal.
///
/// # Errors
/// When the session is not there or may not be reached, or nothing of its terminal is left; and for a request that is no
/// WebSocket.
pub(super) async fn answer(
    row: &'static Row,
    call: Call,
    input: Value,
    parts: &mut Parts,
) -> Result<Response, Refusal> {
    let Some(handshake) = Handshake::of(parts).await else {
        let output = row.run(call, input).await?;
        return Ok(json(StatusCode::OK, output.to_string()));
    };
    let query: ViewQuery =
        serde_json::from_value(input).map_err(|e| Fault::invalid(format!("the query is not understood: {e}")))?;
    let session = call.session()?;
    let (cols, rows) = size(query.cols.unwrap_or(SIZE.0), query.rows.unwrap_or(SIZE.1));
    let read_only = query.read_only || !call.caller.types();
    let shutdown = call.house.shutdown.clone();
    match call.engine().attach(&session.id, View { cols, rows, read_only }).await {
        Ok(attachment) => Ok(handshake.accept(move |socket| live(socket, attachment, read_only, shutdown))),
        Err(fault) if fault.kind == Kind::Conflict => match after_the_end(&call, &session).await {
            Some(ended) => Ok(handshake.accept(move |socket| last(socket, ended))),
            None => Err(fault.into()),
        },
        Err(fault) => Err(fault.into()),
    }
}

fn size(cols: u16, rows: u16) -> (u16, u16) {
    (cols.clamp(1, LARGEST.0), rows.clamp(1, LARGEST.1))
}

/// Both directions at once: a viewer that does not read can still type.
async fn live(socket: Socket, attachment: Attachment, read_only: bool, shutdown: CancellationToken) {
    let Attachment { mut frames, input: mut viewer } = attachment;
    // One task for both: another one would have to be woken for each key, and by each echo.
    let code = tokio::select! {
        biased;
        refused = listen(&socket, viewer.as_mut(), read_only) => refused,
        code = show(&socket, frames.as_mut()) => code.map(|code| (code, "")),
        () = shutdown.cancelled() => Some((close_code::RESTART, "the daemon ends")),
    };
    if let Some((code, reason)) = code {
        // The viewer may be gone already.
        let _ = tokio::time::timeout(STALLED, socket.send(close(code, reason))).await;
    }
}

/// Sends frames until there are no more; returns why the socket is closed, if it is still there.
async fn show(socket: &Socket, frames: &mut dyn Frames) -> Option<u16> {
    while let Some(frame) = frames.recv().await {
        let sent = tokio::time::timeout(STALLED, socket.send(Message::Binary(encode(frame).into()))).await;
        if !matches!(sent, Ok(Ok(()))) {
            return None;
        }
    }
    Some(close_code::NORMAL)
}

/// Takes what the viewer does until it leaves; or why it is sent away, with words for whoever wrote the program that it is.
async fn listen(socket: &Socket, viewer: &mut dyn Inputs, read_only: bool) -> Option<(u16, &'static str)> {
    while let Some(message) = socket.next().await {
        let bytes = match message {
            Ok(Message::Binary(bytes)) => bytes,
            Ok(Message::Close(_)) => return None,
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
            Ok(Message::Text(_)) => return Some((close_code::UNSUPPORTED, "messages to a terminal are binary")),
            Err(Error::Capacity(_)) => {
                const { assert!(MOST_BYTES == 1024 * 1024, "the words below") };
                return Some((close_code::SIZE, "a message to a terminal holds at most 1 MiB"));
            }
            // A connection that is lost is told in vain.
            Err(_) => return Some((close_code::PROTOCOL, "this is no WebSocket frame")),
        };
        let did = match decode(&bytes) {
            Ok(did) => did,
            Err(refused) => return Some(refused),
        };
        let allowed = !read_only || matches!(did, ViewerInput::Seen(_));
        if allowed && viewer.send(did).await.is_err() {
            // The host is gone: what is left of its frames is still shown.
            return std::future::pending().await;
        }
    }
    None
}

/// Shows a terminal whose agent has ended.
async fn last(socket: Socket, ended: Ended) {
    let Ended { cols, rows, history, offset, bytes, code, signal, why } = ended;
    let screen = encode(Frame::Screen { cols, rows, history, offset, bytes });
    let exit = with_json(EXITED, &ExitFrame { code, signal, why });
    let close = close(close_code::NORMAL, "");
    for message in [Message::Binary(screen.into()), Message::Binary(exit.into()), close] {
        if !matches!(tokio::time::timeout(STALLED, socket.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
}

fn close(code: u16, reason: &'static str) -> Message {
    Message::Close(Some(CloseFrame { code: code.into(), reason: reason.into() }))
}

fn encode(frame: Frame) -> Vec<u8> {
    match frame {
        Frame::Screen { cols, rows, history, offset, bytes } => {
            let mut out = vec![SCREEN];
            out.extend(cols.to_be_bytes());
            out.extend(rows.to_be_bytes());
            out.extend(history.to_be_bytes());
            out.extend(offset.to_be_bytes());
            out.extend(bytes);
            out
        }
        Frame::Output { offset, bytes } => {
            let mut out = vec![OUTPUT];
            out.extend(offset.to_be_bytes());
            out.extend(bytes);
            out
        }
        Frame::Resized { cols, rows } => with_json(RESIZED, &SizeFrame { cols, rows }),
        Frame::Exited(exit) => with_json(EXITED, &ExitFrame { code: exit.code, signal: exit.signal, why: exit.why }),
    }
}

fn with_json(kind: u8, body: &impl Serialize) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend(serde_json::to_vec(body).unwrap_or_default());
    out
}

/// What a viewer's message means, or why it is sent away: an unknown kind, or JSON that says something else.
fn decode(bytes: &[u8]) -> Result<ViewerInput, (u16, &'static str)> {
    let unknown = (close_code::PROTOCOL, "the first byte of a message is 16, 17 or 18");
    let senseless = |_| (close_code::INVALID, "the JSON of this message is not understood");
    let (kind, rest) = bytes.split_first().ok_or(unknown)?;
    match *kind {
        KEYS => Ok(ViewerInput::Keys(rest.to_vec())),
        RESIZE => {
            let wanted: SizeFrame = serde_json::from_slice(rest).map_err(senseless)?;
            let (cols, rows) = size(wanted.cols, wanted.rows);
            Ok(ViewerInput::Resize { cols, rows })
        }
        SEEN => serde_json::from_slice::<SeenFrame>(rest).map(|seen| ViewerInput::Seen(seen.offset)).map_err(senseless),
        _ => Err(unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ao_slots::runtime::Exit;

    #[test]
    fn frames_are_those_of_the_page() {
        let screen = Frame::Screen { cols: 80, rows: 24, history: 7, offset: 258, bytes: b"x".to_vec() };
        assert_eq!(
            encode(screen),
            [&[0, 0, 80, 0, 24][..], &[0, 0, 0, 0, 0, 0, 0, 7], &[0, 0, 0, 0, 0, 0, 1, 2], b"x"].concat()
        );
        assert_eq!(
            encode(Frame::Output { offset: 1, bytes: b"hi".to_vec() }),
            [&[1, 0, 0, 0, 0, 0, 0, 0, 1][..], b"hi"].concat()
        );
        assert_eq!(encode(Frame::Resized { cols: 1, rows: 2 }), b"\x02{\"cols\":1,\"rows\":2}");
        let exit = Exit { code: Some(3), signal: None, why: None, left: None };
        assert_eq!(encode(Frame::Exited(exit)), b"\x03{\"code\":3,\"signal\":null,\"why\":null}");
    }

    #[test]
    fn what_viewers_do_is_understood_or_they_are_told_why_not() {
        assert_eq!(decode(b"\x10ls\r"), Ok(ViewerInput::Keys(b"ls\r".to_vec())));
        assert_eq!(decode(b"\x11{\"cols\":9999,\"rows\":0}"), Ok(ViewerInput::Resize { cols: 500, rows: 1 }));
        assert_eq!(decode(b"\x12{\"offset\":9}"), Ok(ViewerInput::Seen(9)));
        for (bad, code) in [(&b""[..], 1002), (b"\x11", 1007), (b"\x12{}", 1007), (b"\x00x", 1002), (b"\xffx", 1002)] {
            assert_eq!(decode(bad).unwrap_err().0, code, "{bad:?}");
        }
    }
}
