//! The links of `ao open`: what stands behind them, and that they sign in one browser.

use crate::world::World;
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// What the daemon answers to a browser on this machine.
fn ask(host: &str, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Host, path and code of a link.
fn parts(link: &str) -> (String, String, String) {
    let (page, code) = link.trim().split_once("#sign-in=").unwrap_or_else(|| panic!("no link: {link:?}"));
    let (host, path) = page.trim_start_matches("http://").split_once('/').unwrap();
    (host.to_owned(), format!("/{path}"), code.to_owned())
}

#[test]
fn a_link_shows_its_place_and_signs_in_one_browser() {
    let world = World::new();
    let first = world.shell("exec cat");
    let links = [
        (vec!["open", first.as_str(), "--print"], format!("/?session={first}")),
        (vec!["open", "app", "--print"], "/?project=app".to_owned()),
        (vec!["open", "--all", "--print"], "/".to_owned()),
        (vec!["open"], "/".to_owned()),
    ];
    for (call, place) in links {
        let said = world.ao(&call).ok();
        assert!(said.err.contains("`ao open` makes a new one"), "{said:?}");
        let (host, path, code) = parts(&said.out);
        assert_eq!(path, place, "{call:?}");
        let page = ask(&host, "GET", &path, "");
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("<!doctype html>"), "{page:.300}");
        assert!(!page.contains(&code), "the secret is the browser's");
        assert!(ask(&host, "GET", "/api/sessions", "").starts_with("HTTP/1.1 401"), "not signed in yet");
        let body = json!({"code": code}).to_string();
        let signed = ask(&host, "POST", "/api/sign-in", &body);
        let cookie = signed.lines().find(|line| line.to_lowercase().starts_with("set-cookie:")).unwrap_or_default();
        assert!(signed.starts_with("HTTP/1.1 200"), "{signed}");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie:?}");
        let again = ask(&host, "POST", "/api/sign-in", &body);
        assert!(again.starts_with("HTTP/1.1 403") && again.contains("`ao open` makes a new one"), "{again}");
    }
    world.ao(&["open", "nothing", "--print"]).fails(3, &["nothing"]);
    let json = world.json(&["open", "app"]);
    assert!(json["url"].as_str().unwrap().contains("/?project=app#sign-in=") && json["expiresIn"] == 60, "{json}");
}
