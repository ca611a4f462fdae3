//! The dashboard's files, embedded in the binary. It serves nothing: whoever serves them asks for bytes by path.
//!
//! In a debug build files come from the source tree while it is there, so that editing one needs no rebuild.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::Path;

/// Files by path from `ui/`, sorted; written by `build.rs`.
const EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// What the page may do, as the header `Content-Security-Policy`.
///
/// Scripts come from files of this origin only. xterm.js draws with style elements and style attributes, so styles
/// alone are relaxed (`design/web.md`). `connect-src` covers the event stream and the terminal's WebSocket.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One file of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its bytes.
    pub bytes: Cow<'static, [u8]>,
    /// Value for `Content-Type`.
    pub mime: &'static str,
    /// Value for `ETag`, quotes included. It changes with the bytes, and perhaps with the compiler.
    pub etag: String,
}

/// Finds a file by the path of a URL, with or without the leading slash; `/` is the page itself.
///
/// Returns `None` for what is not there and for every path that is not plain: empty or hidden components, `..`,
/// backslashes, percent signs and control characters. The caller decodes nothing: no file needs it.
#[must_use]
pub fn asset(path: &str) -> Option<Asset> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = if path.is_empty() { "index.html" } else { path };
    if !is_plain(path) {
        return None;
    }
    let embedded = EMBEDDED.binary_search_by(|(name, _)| (*name).cmp(path)).ok().map(|at| EMBEDDED[at].1);
    let bytes = match on_disk(path) {
        OnDisk::Found(bytes) => Cow::Owned(bytes),
        OnDisk::Missing => return None,
        OnDisk::NoSources => Cow::Borrowed(embedded?),
    };
    let mime = mime(path)?;
    let etag = etag(&bytes);
    Some(Asset { bytes, mime, etag })
}

/// The paths of all embedded files, sorted.
pub fn paths() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(path, _)| *path)
}

fn is_plain(path: &str) -> bool {
    path.split('/').all(|part| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    })
}

/// What the source tree has.
enum OnDisk {
    Found(Vec<u8>),
    Missing,
    NoSources,
}

fn on_disk(path: &str) -> OnDisk {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/ui"));
    if !cfg!(debug_assertions) || !root.is_dir() {
        return OnDisk::NoSources;
    }
    // A link that leads out of the directory is not one of our files.
    let found = root.join(path).canonicalize().ok().filter(|full| {
        full.is_file() && root.canonicalize().is_ok_and(|root| full.starts_with(root)) && mime(path).is_some()
    });
    found.and_then(|full| std::fs::read(full).ok()).map_or(OnDisk::Missing, OnDisk::Found)
}

/// The kinds of files that the page has; another kind is not served.
fn mime(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit_once('.')?;
    match ending {
        "html" => Some("text/html; charset=utf-8"),
        "js" | "mjs" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "txt" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

fn etag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    format!("\"{:016x}-{:x}\"", hasher.finish(), bytes.len())
}
