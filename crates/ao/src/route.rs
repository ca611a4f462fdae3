//! Paths of the daemon's HTTP surface: what a person typed becomes one segment or one value, whatever it holds.

/// A session by id, name or unique prefix.
#[must_use]
pub fn session(given: &str) -> String {
    format!("/api/sessions/{}", encoded(given))
}

/// Something of a session.
#[must_use]
pub fn of_session(given: &str, what: &str) -> String {
    format!("/api/sessions/{}/{what}", encoded(given))
}

/// What agents used.
#[must_use]
pub fn usage(session: Option<&str>, project: Option<&str>, since: Option<u64>) -> String {
    let since = since.map(|since| since.to_string());
    let parts = [("session", session), ("project", project), ("since", since.as_deref())];
    let query: Vec<String> =
        parts.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", encoded(value?)))).collect();
    if query.is_empty() { "/api/usage".to_owned() } else { format!("/api/usage?{}", query.join("&")) }
}

/// A run.
#[must_use]
pub fn run(id: &str) -> String {
    format!("/api/runs/{}", encoded(id))
}

/// Gives up a delivery.
#[must_use]
pub fn drop_delivery(id: &str) -> String {
    format!("/api/deliveries/{}/drop", encoded(id))
}

/// Tries a project's merge queue again.
#[must_use]
pub fn retry_queue(project: &str) -> String {
    format!("/api/merge-queue/{}/retry", encoded(project))
}

/// A project's open issues.
#[must_use]
pub fn issues(project: &str) -> String {
    format!("/api/projects/{}/issues", encoded(project))
}

/// A token.
#[must_use]
pub fn token(id: &str) -> String {
    format!("/api/tokens/{}", encoded(id))
}

/// A path with those parts of a query that have a value.
#[must_use]
pub fn query(path: &str, parts: &[(&str, Option<String>)]) -> String {
    let given: Vec<String> =
        parts.iter().filter_map(|(name, value)| Some(format!("{name}={}", encoded(value.as_ref()?)))).collect();
    if given.is_empty() { path.to_owned() } else { format!("{path}?{}", given.join("&")) }
}

/// Percent-encoded but for what RFC 3986 calls unreserved. A segment of dots alone would be taken for a way up.
fn encoded(text: &str) -> String {
    let dots = text.chars().all(|c| c == '.');
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') || (byte == b'.' && !dots) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_stays_one_segment() {
        assert_eq!(session("app-1"), "/api/sessions/app-1");
        assert_eq!(session("../x"), "/api/sessions/..%2Fx");
        assert_eq!(session(".."), "/api/sessions/%2E%2E");
        assert_eq!(of_session("a b\u{1b}?#", "message"), "/api/sessions/a%20b%1B%3F%23/message");
        assert_eq!(query("/api/events", &[("since", Some("3".to_owned())), ("session", None)]), "/api/events?since=3");
        assert_eq!(query("/api/sessions", &[("project", None)]), "/api/sessions");
    }
}
