//! A small client of the daemon's port: requests on a kept connection, and WebSockets of binary messages.
//!
//! Written out here so that nothing but sockets stands between the clock and the daemon.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How long anything may take that is not measured.
const LIMIT: Duration = Duration::from_secs(20);

/// The port of the daemon of a data root.
pub fn port(data: &Path) -> Result<u16> {
    let path = data.join("daemon.json");
    let file: Value = serde_json::from_slice(&std::fs::read(&path).with_context(|| path.display().to_string())?)?;
    let port = file["url"].as_str().and_then(|url| url.trim_end_matches('/').rsplit(':').next()?.parse().ok());
    port.context("an address in daemon.json")
}

/// A connection that is kept open.
#[derive(Debug)]
pub struct Web {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Web {
    /// Connects to a port of this machine.
    pub fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Self { stream: BufReader::with_capacity(64 << 10, stream), host: format!("127.0.0.1:{port}") })
    }

    /// Sends a request without waiting for its answer.
    pub fn ask(&mut self, path: &str) -> Result<()> {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host))
    }

    /// Reads the answer to the oldest open request.
    pub fn answer(&mut self) -> Result<Vec<u8>> {
        let (status, length) = self.head()?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        if status != 200 {
            bail!("status {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }

    /// Makes a WebSocket of the connection.
    pub fn upgrade(mut self, path: &str) -> Result<Socket> {
        let asked = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{asked}\r\n\r\n", self.host))?;
        match self.head()?.0 {
            101 => Ok(Socket { stream: self.stream }),
            status => bail!("no WebSocket: status {status}"),
        }
    }

    fn send(&mut self, text: &str) -> Result<()> {
        Ok(self.stream.get_mut().write_all(text.as_bytes())?)
    }

    fn head(&mut self) -> Result<(u16, usize)> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).context("a status line")?;
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { return Ok((status, length)) };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
        }
    }
}

/// A WebSocket.
#[derive(Debug)]
pub struct Socket {
    stream: BufReader<TcpStream>,
}

impl Socket {
    /// Sends a binary message of at most 125 bytes.
    pub fn send(&mut self, message: &[u8]) -> Result<()> {
        let length = u8::try_from(message.len()).ok().filter(|length| *length <= 125).context("a short message")?;
        // A mask of zeros leaves the bytes as they are.
        let frame = [&[0x82, 0x80 | length, 0, 0, 0, 0], message].concat();
        Ok(self.stream.get_mut().write_all(&frame)?)
    }

    /// The next message that is not a control frame.
    pub fn next(&mut self) -> Result<Vec<u8>> {
        loop {
            let mut head = [0; 2];
            self.stream.read_exact(&mut head)?;
            let length = match head[1] & 0x7f {
                126 => {
                    let mut length = [0; 2];
                    self.stream.read_exact(&mut length)?;
                    u64::from(u16::from_be_bytes(length))
                }
                127 => {
                    let mut length = [0; 8];
                    self.stream.read_exact(&mut length)?;
                    u64::from_be_bytes(length)
                }
                length => u64::from(length),
            };
            let mut message = vec![0; usize::try_from(length)?];
            self.stream.read_exact(&mut message)?;
            match head[0] & 0x0f {
                1 | 2 => return Ok(message),
                8 => bail!("the WebSocket was closed"),
                _ => {}
            }
        }
    }
}
