//! What the headers of a request over TCP allow (`docs/design/access.md`): no I/O, so that every rule is a table test.

use ao_core::kind::{Fault, Kind};
use axum::http::{HeaderMap, Method, header};

/// Headers that proxies add: whoever sends one is not the program at the other end of the connection.
const FORWARDING: [&str; 11] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-real-ip",
    "x-original-host",
    "cf-connecting-ip",
    "tailscale-user-login",
];

/// What a request's headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Looks {
    /// The port that the caller addressed.
    pub(super) port: u16,
    /// Why this is not a plain program on this machine, when it is not.
    pub(super) not_plain: Option<String>,
    /// A cookie may be believed: the request comes from our own page.
    pub(super) own_page: bool,
}

/// Looks at the headers of a request over TCP; `own_port` is where we listen.
///
/// # Errors
/// `denied` for a `Host` that is not loopback (DNS rebinding) and for another page's `Origin`.
pub(super) fn look(method: &Method, headers: &HeaderMap, own_port: u16) -> Result<Looks, Fault> {
    let host = only(headers, header::HOST.as_str())?.ok_or_else(|| denied("the request has no Host header"))?;
    let port = loopback_port(host).ok_or_else(|| {
        denied(format!("the Host header says {host:?}, which is not this machine"))
            .hint(format!("use http://127.0.0.1:{own_port}"))
    })?;
    let origin = only(headers, header::ORIGIN.as_str())?;
    let own_origin = origin.is_some_and(|o| o.eq_ignore_ascii_case(&format!("http://{host}")));
    if let Some(origin) = origin.filter(|_| !own_origin) {
        return Err(denied(format!("requests from the page {origin} are refused")));
    }
    let site = only(headers, "sec-fetch-site")?;
    let own_site = site == Some("same-origin") || (site == Some("none") && *method == Method::GET);
    let upgrade = headers.contains_key(header::UPGRADE);
    let own_page = if *method == Method::GET && !upgrade {
        // Reading: a page elsewhere cannot see the answer, but says so where it can.
        site.is_none_or(|s| s == "same-origin" || s == "none")
    } else {
        own_origin || (own_site && !upgrade)
    };
    let forwarded = FORWARDING.into_iter().find(|name| headers.contains_key(*name));
    let not_plain = if port != own_port {
        Some(format!("the Host header names port {port}, and this is {own_port}: something stands in between"))
    } else if let Some(name) = forwarded {
        Some(format!("it was forwarded ({name})"))
    } else if origin.is_some() {
        Some("it comes from a page".to_owned())
    } else {
        site.filter(|s| *s != "none").map(|s| format!("it comes from a page ({s})"))
    };
    Ok(Looks { port, not_plain, own_page })
}

/// The port of a `Host` header that names this machine's loopback exactly.
pub(super) fn loopback_port(host: &str) -> Option<u16> {
    let (name, port) = match host.rsplit_once(':') {
        // `[::1]` has colons of its own.
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()?),
        Some(_) | None => (host, 80),
    };
    ["127.0.0.1", "localhost", "[::1]"].into_iter().any(|n| n.eq_ignore_ascii_case(name)).then_some(port)
}

/// A header's value; two of them are refused, because others might read the other one.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Fault> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(denied(format!("the request has two {name} headers")));
    }
    first.map(|v| v.to_str().map_err(|_| denied(format!("the {name} header is not text")))).transpose()
}

/// The token of an `Authorization: Bearer …` header.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The value of a cookie.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    all.flat_map(|v| v.split(';'))
        .find_map(|pair| pair.trim().split_once('=').filter(|(n, _)| *n == name))
        .map(|(_, v)| v)
}

fn denied(message: impl Into<String>) -> Fault {
    Fault::new(Kind::Denied, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            map.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        map
    }

    fn get(pairs: &[(&str, &str)]) -> Result<Looks, Fault> {
        look(&Method::GET, &headers(pairs), 3000)
    }

    #[test]
    fn a_plain_program_is_recognised_by_what_it_does_not_say() {
        for host in ["127.0.0.1:3000", "localhost:3000", "LOCALHOST:3000", "[::1]:3000"] {
            assert_eq!(get(&[("host", host)]).expect(host).not_plain, None, "{host}");
        }
        assert_eq!(get(&[("host", "localhost:3000"), ("sec-fetch-site", "none")]).expect("typed").not_plain, None);
        let said = [
            ("origin", "http://localhost:3000"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
            ("x-forwarded-for", "10.0.0.1"),
            ("forwarded", "for=1.2.3.4"),
            ("via", "1.1 proxy"),
        ];
        for pair in said {
            let looks = get(&[("host", "localhost:3000"), pair]).expect("looked at");
            assert!(looks.not_plain.is_some(), "{pair:?} passed for a plain program");
        }
        assert!(get(&[("host", "localhost:8080")]).expect("looked at").not_plain.is_some(), "another port");
    }

    #[test]
    fn a_name_that_is_not_loopback_is_refused() {
        for host in [
            "evil.example",
            "evil.example:3000",
            "127.0.0.1.evil.example:3000",
            "localhost.evil:3000",
            "10.0.0.1:3000",
            "0.0.0.0:3000",
            "",
            "[::1",
            "127.1:3000",
            "localhost:x",
        ] {
            assert!(get(&[("host", host)]).is_err(), "{host:?} passed");
        }
        assert!(get(&[]).is_err(), "no Host passed");
        assert!(get(&[("host", "localhost:3000"), ("host", "evil.example")]).is_err(), "two Hosts passed");
    }

    #[test]
    fn another_page_is_refused_whatever_it_shows() {
        for origin in
            ["http://evil.example", "http://localhost:8080", "https://localhost:3000", "null", "http://localhost"]
        {
            assert!(get(&[("host", "localhost:3000"), ("origin", origin)]).is_err(), "{origin} passed");
        }
    }

    #[test]
    fn a_cookie_acts_only_for_our_own_page() {
        let post = |pairs: &[(&str, &str)]| look(&Method::POST, &headers(pairs), 3000).map(|l| l.own_page);
        let host = ("host", "localhost:3000");
        assert_eq!(post(&[host]), Ok(false));
        assert_eq!(post(&[host, ("sec-fetch-site", "same-site")]), Ok(false));
        assert_eq!(post(&[host, ("sec-fetch-site", "none")]), Ok(false));
        assert_eq!(post(&[host, ("sec-fetch-site", "same-origin")]), Ok(true));
        assert_eq!(post(&[host, ("origin", "http://localhost:3000")]), Ok(true));
        let read = |pairs: &[(&str, &str)]| get(pairs).map(|l| l.own_page);
        assert_eq!(read(&[host]), Ok(true));
        assert_eq!(read(&[host, ("sec-fetch-site", "same-site")]), Ok(false));
        let socket = ("upgrade", "websocket");
        assert_eq!(read(&[host, socket, ("sec-fetch-site", "same-origin")]), Ok(false), "a WebSocket shows its Origin");
        assert_eq!(read(&[host, socket, ("origin", "http://localhost:3000")]), Ok(true));
    }

    #[test]
    fn tokens_and_cookies_are_found() {
        assert_eq!(bearer(&headers(&[("authorization", "bearer  abc")])), Some("abc"));
        assert_eq!(bearer(&headers(&[("authorization", "Basic abc")])), None);
        assert_eq!(cookie(&headers(&[("cookie", "a=b; ao_session=x; c=d")]), "ao_session"), Some("x"));
        assert_eq!(cookie(&headers(&[("cookie", "xao_session=x")]), "ao_session"), None);
    }
}
