//! A container's terminal as a stream of bytes.
//!
//! Asked for by hand: bollard takes a piece of output that begins with a byte below 3 for the header of several streams in
//! one, and a terminal may print any byte.

use std::io;
use std::path::Path;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

/// The engine ends an attachment when these keys are typed; none leaves it without any. Bytes that no text holds, in a
/// row that nobody sends: `Ctrl-P` belongs to the agent.
const DETACH_KEYS: &str = "%ff,%fe,%ff,%fe,%ff,%fe,%ff,%fe";

/// Most bytes of an answer's head.
const HEAD: usize = 16 << 10;

/// An attached terminal; what came together with the engine's answer is read first.
#[derive(Debug)]
pub(super) struct Attached {
    /// The connection.
    pub stream: UnixStream,
    /// Its first bytes.
    pub first: Vec<u8>,
}

/// Attaches to a container's terminal: what it prints from now on, and to type.
///
/// # Errors
/// When the engine cannot be reached or refuses; its words are in the error.
pub(super) async fn attach(socket: &Path, id: &str) -> io::Result<Attached> {
    let query = format!("stream=1&stdin=1&stdout=1&stderr=1&detachKeys={DETACH_KEYS}");
    let request = format!(
        "POST /containers/{id}/attach?{query} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
    );
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await?;
        head.extend_from_slice(&buffer[..count]);
        if let Some(end) = head.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let first = head.split_off(end + 4);
            return accepted(&head, &first).map(|()| Attached { stream, first });
        }
        if count == 0 || head.len() > HEAD {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the Docker engine's answer makes no sense"));
        }
    }
}

/// An engine answers 101 and, before that was invented, 200.
fn accepted(head: &[u8], body: &[u8]) -> io::Result<()> {
    let line = String::from_utf8_lossy(head).lines().next().unwrap_or_default().to_owned();
    match line.split(' ').nth(1) {
        Some("101" | "200") => Ok(()),
        Some("404") => Err(io::Error::new(io::ErrorKind::NotFound, "the Docker engine does not know the container")),
        Some(_) | None => Err(io::Error::other(format!("{line}: {}", String::from_utf8_lossy(body).trim()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UnixListener;

    async fn answered(answer: &'static [u8]) -> io::Result<(Attached, String)> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("s");
        let listener = UnixListener::bind(&path)?;
        let engine = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut request = vec![0; 1024];
            let count = stream.read(&mut request).await.expect("a request");
            stream.write_all(answer).await.expect("it listens");
            String::from_utf8_lossy(&request[..count]).into_owned()
        });
        let attached = attach(&path, "abc").await?;
        Ok((attached, engine.await.expect("the engine's end")))
    }

    #[tokio::test]
    async fn what_comes_with_the_answer_belongs_to_the_stream_whatever_it_begins_with() {
        let answer = b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n\x01\x00\x02bytes";
        let (attached, request) = answered(answer).await.expect("attached");
        assert_eq!(attached.first, b"\x01\x00\x02bytes");
        assert!(request.starts_with("POST /containers/abc/attach?stream=1&stdin=1"), "{request}");
    }

    #[tokio::test]
    async fn a_refusal_is_told_in_the_engines_words() {
        let refused = answered(b"HTTP/1.1 409 Conflict\r\nContent-Type: x\r\n\r\n{\"message\":\"it is paused\"}").await;
        assert!(refused.expect_err("refused").to_string().contains("it is paused"));
        assert!(answered(b"nonsense").await.is_err());
    }
}
