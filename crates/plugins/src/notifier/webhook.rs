//! A note as JSON to an HTTP(S) address of the user's own.
//!
//! One attempt per call, told apart from its repeats by the note's id; the address may hold a secret and is never shown whole.

use ao_core::effect::Priority;
use ao_core::time::Millis;
use ao_slots::notifier::{Note, Notifier};
use ao_slots::{Answer, Fault, Kind};
use async_trait::async_trait;
use serde::Serialize;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Response, Uri};

/// One attempt may take this long, from the name's look-up to the answer.
const LIMIT: Duration = Duration::from_secs(10);

/// An address that takes notes.
#[derive(Clone, Debug)]
pub struct Webhook {
    url: String,
    /// The address without what may be secret.
    place: String,
    agent: Agent,
}

/// What is posted.
#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    project: &'a str,
    session: Option<&'a str>,
    priority: Priority,
    title: &'a str,
    body: &'a str,
}

impl Webhook {
    /// A webhook at an absolute `http` or `https` address.
    ///
    /// # Errors
    /// `invalid` when it is no such address.
    pub fn new(url: &str) -> Answer<Self> {
        Self::with_limit(url, LIMIT)
    }

    fn with_limit(url: &str, limit: Duration) -> Answer<Self> {
        let wrong = || Fault::invalid("the webhook's address is not an absolute http or https URL");
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let (Some(scheme @ ("http" | "https")), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(wrong());
        };
        let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
        let agent = Agent::config_builder()
            .timeout_global(Some(limit))
            .http_status_as_error(false)
            // A note is posted where the user said, and nowhere else.
            .max_redirects(0)
            .user_agent(concat!("ao/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { url: url.to_owned(), place: format!("{scheme}://{host}{port}"), agent })
    }

    fn post(&self, note: &Note) -> Answer<()> {
        let body = Body {
            id: &note.id,
            project: &note.project,
            session: note.session.as_deref(),
            priority: note.priority,
            title: &note.title,
            body: &note.body,
        };
        let json = serde_json::to_vec(&body).map_err(|e| Fault::new(Kind::Bug, e.to_string()))?;
        let sent = self
            .agent
            .post(&self.url)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", &note.id)
            .header("X-AO-Note-Id", &note.id)
            .send(&json);
        match sent {
            Ok(answer) => self.judge(&answer),
            Err(error) => Err(Fault::unavailable(format!("the webhook at {} cannot be reached: {error}", self.place))),
        }
    }

    fn judge<T>(&self, answer: &Response<T>) -> Answer<()> {
        let status = answer.status().as_u16();
        let kind = match status {
            200..=299 => return Ok(()),
            429 => Kind::RateLimited { retry_after: retry_after(answer) },
            401 | 403 => Kind::Denied,
            404 | 410 => Kind::NotFound,
            408 | 425 | 500..=599 => Kind::Unavailable,
            _ => Kind::Invalid,
        };
        Err(Fault::new(kind, format!("the webhook at {} answered {status}", self.place)))
    }
}

/// The pause asked for, when it is given in seconds (RFC 9110, 10.2.3).
fn retry_after<T>(answer: &Response<T>) -> Option<Millis> {
    let seconds = answer.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Millis::secs(seconds))
}

#[async_trait]
impl Notifier for Webhook {
    async fn notify(&self, note: &Note) -> Answer<()> {
        let (webhook, note) = (self.clone(), note.clone());
        let posted = tokio::task::spawn_blocking(move || webhook.post(&note)).await;
        posted.unwrap_or_else(|error| Err(Fault::new(Kind::Bug, format!("the webhook's task failed: {error}"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread::JoinHandle;

    fn note() -> Note {
        Note {
            id: "app-1:needs-input:3".to_owned(),
            project: "app".to_owned(),
            session: None,
            priority: Priority::Action,
            title: "app-1 asks".to_owned(),
            body: "zwei\nZeilen ü".to_owned(),
        }
    }

    /// A server for one request; it gives the request back.
    fn server(answer: &'static str) -> (String, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/secret/hook", listener.local_addr().unwrap());
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let request = read(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            request
        });
        (url, serving)
    }

    fn read(stream: &mut TcpStream) -> String {
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length =
                    head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
                if body.len() >= length.unwrap().parse().unwrap() {
                    return text;
                }
            }
            let mut buffer = [0; 1024];
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the request was cut: {text}");
            bytes.extend_from_slice(&buffer[..count]);
        }
    }

    #[tokio::test]
    async fn a_note_is_posted_as_json_under_its_id() {
        let (url, serving) = server("HTTP/1.1 204 No Content\r\n\r\n");
        Webhook::new(&url).unwrap().notify(&note()).await.unwrap();
        let request = serving.join().unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        assert!(head.starts_with("post /secret/hook http/1.1"), "{head}");
        assert!(
            head.contains("idempotency-key: app-1:needs-input:3") && head.contains("x-ao-note-id: app-1:needs-input:3")
        );
        let json: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(json["priority"], "action");
        assert_eq!(json["body"], "zwei\nZeilen ü");
    }

    #[tokio::test]
    async fn what_the_server_answers_decides_whether_a_repeat_may_help() {
        for (answer, kind) in [
            ("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", Kind::Unavailable),
            (
                "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
                Kind::RateLimited { retry_after: Some(Millis::secs(7)) },
            ),
            ("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", Kind::Denied),
            ("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", Kind::Invalid),
            ("HTTP/1.1 302 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", Kind::Invalid),
        ] {
            let (url, serving) = server(answer);
            let fault = Webhook::new(&url).unwrap().notify(&note()).await.unwrap_err();
            assert_eq!(fault.kind, kind, "{answer}");
            assert!(!fault.message.contains("secret"), "{fault}");
            serving.join().unwrap();
        }
    }

    #[tokio::test]
    async fn a_server_that_never_answers_is_left_at_the_limit() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/secret", listener.local_addr().unwrap());
        let webhook = Webhook::with_limit(&url, Duration::from_millis(200)).unwrap();
        let fault = webhook.notify(&note()).await.unwrap_err();
        assert_eq!(fault.kind, Kind::Unavailable);
        assert!(!fault.message.contains("secret"), "{fault}");
    }

    #[test]
    fn only_absolute_web_addresses_are_taken() {
        for bad in ["", "example.org/x", "ftp://example.org", "/x", "http://"] {
            assert_eq!(Webhook::new(bad).unwrap_err().kind, Kind::Invalid, "{bad:?}");
        }
    }
}
