//! The page as files: complete, self-contained, nothing inline, and served as what it is. It runs no browser.

use std::collections::BTreeSet;

fn text(path: &str) -> String {
    let asset = ao_web::asset(path).unwrap_or_else(|| panic!("{path} is not served"));
    String::from_utf8(asset.bytes.into_owned()).unwrap_or_else(|_| panic!("{path} is not text"))
}

/// Our own files: what is vendored is compared with its packages elsewhere.
fn own() -> impl Iterator<Item = &'static str> {
    ao_web::paths().filter(|path| !path.starts_with("vendor/"))
}

/// What stands between `before` and the next `end`, everywhere in `text`.
fn all_between<'a>(text: &'a str, before: &'a str, end: char) -> impl Iterator<Item = &'a str> {
    text.match_indices(before).filter_map(move |(at, _)| text[at + before.len()..].split(end).next())
}

/// The files that a file asks for, as paths from the root.
fn wanted_by(path: &str, text: &str) -> Vec<String> {
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    let mut wanted = Vec::new();
    if path.ends_with(".html") {
        for before in ["src=\"", "href=\""] {
            wanted.extend(all_between(text, before, '"').filter(|v| v.starts_with('/')).map(|v| v[1..].to_owned()));
        }
    }
    if path.ends_with(".js") || path.ends_with(".mjs") {
        for before in [" from '", "import '", "import('"] {
            // Types are imported in comments, without an ending.
            for name in all_between(text, before, '\'').filter(|name| name.ends_with("js")) {
                let name = name.strip_prefix("./").unwrap_or_else(|| panic!("{path} imports {name}: not relative"));
                wanted.push(if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") });
            }
        }
    }
    wanted
}

#[test]
fn every_file_is_there_and_asked_for() {
    let mut seen = BTreeSet::new();
    let mut next = vec!["index.html".to_owned()];
    while let Some(path) = next.pop() {
        if seen.insert(path.clone()) {
            next.extend(wanted_by(&path, &text(&path)));
        }
    }
    assert!(seen.contains("vendor/xterm.mjs") && seen.contains("style.css"), "the walk must find files: {seen:?}");
    let unused: Vec<_> =
        ao_web::paths().filter(|path| !seen.contains(*path) && !path.ends_with("LICENSE.txt")).collect();
    assert!(unused.is_empty(), "nothing asks for {unused:?}");
}

#[test]
fn nothing_is_inline() {
    let page = text("/");
    for tag in all_between(&page, "<script", '>') {
        assert!(tag.contains("src="), "an inline script: {tag}");
    }
    assert!(!page.contains("<style"), "an inline style sheet");
    let attributes: Vec<&str> =
        page.split(['<', ' ', '\n']).filter_map(|part| part.split_once('=')).map(|(n, _)| n).collect();
    assert!(attributes.contains(&"lang"), "the walk must find attributes: {attributes:?}");
    let inline: Vec<_> = attributes.iter().filter(|name| name.starts_with("on") || **name == "style").collect();
    assert!(inline.is_empty(), "inline {inline:?}");
}

#[test]
fn text_never_becomes_markup_or_code() {
    for path in own().filter(|path| path.ends_with(".js")) {
        let text = text(path);
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "cssText",
            "'style',",
        ] {
            assert!(!text.contains(word), "{path} says {word}");
        }
    }
}

#[test]
fn nothing_comes_from_elsewhere() {
    for path in own() {
        let text = text(path).replace("http://www.w3.org/2000/svg", "").replace("location.protocol === 'https:'", "");
        for word in ["http:", "https:", "=\"//", "'//", "(//", "@import", "url("] {
            assert!(!text.contains(word), "{path} says {word}");
        }
    }
    let policy = ao_web::CONTENT_SECURITY_POLICY;
    assert!(policy.contains("script-src 'self';") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("http") && !policy.contains('*'), "{policy}");
}

#[test]
fn paths_that_are_not_plain_lead_nowhere() {
    let bad = [
        "..",
        "../Cargo.toml",
        "/../Cargo.toml",
        "vendor/../../Cargo.toml",
        "..\\Cargo.toml",
        "%2e%2e/Cargo.toml",
        "//etc/passwd",
        "/vendor//xterm.mjs",
        "vendor/",
        "vendor",
        ".",
        "./app.js",
        "app.js/",
        "app.js\0",
        "App.js",
        "nothing.js",
        "app.js?x=1",
    ];
    for path in bad {
        assert_eq!(ao_web::asset(path), None, "{path:?}");
    }
}

#[test]
fn files_for_developers_are_not_served() {
    for path in ["api.d.ts", "vendor/VENDOR.toml"] {
        assert_eq!(ao_web::asset(path), None, "{path}");
        assert!(!ao_web::paths().any(|known| known == path), "{path} is embedded");
    }
}

#[test]
fn files_are_served_as_what_they_are() {
    let kinds = [
        ("/", "text/html; charset=utf-8"),
        ("index.html", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/vendor/xterm.mjs", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
        ("/vendor/xterm.LICENSE.txt", "text/plain; charset=utf-8"),
    ];
    for (path, mime) in kinds {
        assert_eq!(ao_web::asset(path).map(|asset| asset.mime), Some(mime), "{path}");
    }
    assert_eq!(ao_web::asset("/"), ao_web::asset("/index.html"));
}

#[test]
fn the_etag_goes_with_the_bytes() {
    let etags: BTreeSet<String> = ao_web::paths().filter_map(ao_web::asset).map(|asset| asset.etag).collect();
    assert_eq!(etags.len(), ao_web::paths().count(), "two files share an ETag");
    for etag in &etags {
        let bare = etag.strip_prefix('"').and_then(|e| e.strip_suffix('"')).expect("an ETag has quotes");
        assert!(bare.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'), "{etag}");
    }
    assert_eq!(ao_web::asset("/app.js").map(|a| a.etag), ao_web::asset("app.js").map(|a| a.etag));
}
