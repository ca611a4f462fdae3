//! A typed client over the daemon's socket.

use crate::fault::ErrorBody;
use ao_core::kind::{Fault, Kind};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::UnixStream;

/// Speaks to one daemon; a connection per request, which costs microseconds on a local socket.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    /// Shared by clones.
    lost: Arc<AtomicBool>,
}

/// A stream of server-sent events.
pub struct EventStream {
    body: Incoming,
    buffer: Vec<u8>,
}

impl Client {
    /// For the daemon that listens on `socket`.
    #[must_use]
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), lost: Arc::default() }
    }

    /// Whether a connection ended before its answer: nobody knows what became of that request.
    #[must_use]
    pub fn has_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// `GET path`.
    ///
    /// # Errors
    /// The daemon's own fault, or `unavailable` when it does not answer.
    pub async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, Fault> {
        self.call(Method::GET, path, None::<&()>).await
    }

    /// `POST path` with a JSON body.
    ///
    /// # Errors
    /// As for [`Client::get`].
    pub async fn post<Q: Serialize + Sync, A: DeserializeOwned>(&self, path: &str, body: &Q) -> Result<A, Fault> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// `POST path` with an `Idempotency-Key`: sent again with the same key it does nothing more and answers the same.
    ///
    /// # Errors
    /// As for [`Client::get`].
    pub async fn post_once<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        path: &str,
        body: &Q,
        key: &str,
    ) -> Result<A, Fault> {
        let response = self.send(Method::POST, path, Some(body), Some(key)).await?;
        self.read(path, response).await
    }

    /// `DELETE path` with a JSON body.
    ///
    /// # Errors
    /// As for [`Client::get`].
    pub async fn delete<Q: Serialize + Sync, A: DeserializeOwned>(&self, path: &str, body: &Q) -> Result<A, Fault> {
        self.call(Method::DELETE, path, Some(body)).await
    }

    /// Any request; the answer is read as JSON.
    ///
    /// # Errors
    /// As for [`Client::get`].
    pub async fn call<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Q>,
    ) -> Result<A, Fault> {
        let response = self.send(method, path, body, None).await?;
        self.read(path, response).await
    }

    /// Follows `path` as server-sent events.
    ///
    /// # Errors
    /// As for [`Client::get`].
    pub async fn follow(&self, path: &str) -> Result<EventStream, Fault> {
        let response = self.send(Method::GET, path, None::<&()>, None).await?;
        Ok(EventStream { body: response.into_body(), buffer: Vec::new() })
    }

    async fn send<Q: Serialize + Sync>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Q>,
        key: Option<&str>,
    ) -> Result<Response<Incoming>, Fault> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|e| self.unreachable(&e))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| self.lose(e))?;
        tokio::spawn(connection);
        let body = match body {
            Some(body) => {
                serde_json::to_vec(body).map_err(|e| Fault::new(Kind::Bug, format!("request to {path}: {e}")))?
            }
            None => Vec::new(),
        };
        let mut request =
            Request::builder().method(method).uri(path).header("host", "ao").header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| Fault::invalid(format!("request to {path}: {e}")))?;
        let response = sender.send_request(request).await.map_err(|e| self.lose(e))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let bytes = response.into_body().collect().await.map_err(|e| self.lose(e))?.to_bytes();
        Err(fault_of(status, &bytes))
    }

    async fn read<A: DeserializeOwned>(&self, path: &str, response: Response<Incoming>) -> Result<A, Fault> {
        let bytes = response.into_body().collect().await.map_err(|e| self.lose(e))?.to_bytes();
        serde_json::from_slice(&bytes).map_err(|e| {
            Fault::new(Kind::Bug, format!("the daemon's answer to {path} is not understood: {e}"))
                .hint("is it of another version? `ao daemon restart` starts this one")
        })
    }

    fn lose(&self, e: hyper::Error) -> Fault {
        self.lost.store(true, Ordering::Relaxed);
        lost(e)
    }

    fn unreachable(&self, e: &std::io::Error) -> Fault {
        Fault::unavailable(format!("the daemon does not answer on {}: {e}", self.socket.display()))
            .hint("start it: ao daemon start")
    }
}

fn fault_of(status: StatusCode, body: &[u8]) -> Fault {
    serde_json::from_slice::<ErrorBody>(body).map_or_else(
        |_| Fault::new(Kind::Bug, format!("the daemon answered {status} without saying why")),
        |body| body.error.into(),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn lost(e: hyper::Error) -> Fault {
    Fault::unavailable(format!("the connection to the daemon was lost: {e}"))
}

impl EventStream {
    /// The data of the next event; none when the daemon closed the stream.
    ///
    /// # Errors
    /// `unavailable` when the connection was lost.
    pub async fn next(&mut self) -> Result<Option<String>, Fault> {
        loop {
            if let Some(data) = self.take() {
                return Ok(Some(data));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(e)) => return Err(lost(e)),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
            }
        }
    }

    /// Takes one whole event off the buffer; comments and other fields are skipped.
    fn take(&mut self) -> Option<String> {
        while let Some(end) = self.buffer.windows(2).position(|w| w == b"\n\n") {
            let event: Vec<u8> = self.buffer.drain(..end + 2).collect();
            let text = String::from_utf8_lossy(&event);
            let data: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("data:")).map(str::trim_start).collect();
            if !data.is_empty() {
                return Some(data.join("\n"));
            }
        }
        None
    }
}
