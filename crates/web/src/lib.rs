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
/// alone are relaxed (`docs/design/web.md`). `connect-src` covers the event stream and the terminal's WebSocket.
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
    find(path, sources())
}

/// The source tree, in a debug build and while it is there.
fn sources() -> Option<&'static Path> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/ui"));
    (cfg!(debug_assertions) && root.is_dir()).then_some(root)
}

fn find(path: &str, sources: Option<&Path>) -> Option<Asset> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = if path.is_empty() { "index.html" } else { path };
    let mime = mime(path).filter(|_| is_plain(path))?;
    let bytes = match sources {
        Some(root) => Cow::Owned(read_inside(root, path)?),
        None => {
            let at = EMBEDDED.binary_search_by(|(name, _)| (*name).cmp(path)).ok()?;
            Cow::Borrowed(EMBEDDED[at].1)
        }
    };
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

/// A link that leads out of the directory is not one of our files.
fn read_inside(root: &Path, path: &str) -> Option<Vec<u8>> {
    let full = root.join(path).canonicalize().ok()?;
    let inside = full.is_file() && full.starts_with(root.canonicalize().ok()?);
    if inside { std::fs::read(full).ok() } else { None }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_embedded_is_what_the_source_tree_has() {
        let root = sources().expect("tests are debug builds in a checkout");
        assert!(EMBEDDED.len() > 20, "{} files", EMBEDDED.len());
        for (path, _) in EMBEDDED {
            let embedded = find(path, None);
            assert!(embedded.is_some(), "{path} is embedded and not served");
            assert_eq!(embedded, find(path, Some(root)), "{path}");
        }
        assert_eq!(find("/", None), find("index.html", None));
        for path in ["", "/", "..", "../Cargo.toml", "nothing.js", "api.d.ts"] {
            assert_eq!(find(path, None), find(path, Some(root)), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_source_tree_is_not_followed() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        let root = dir.path().join("ui");
        std::fs::create_dir(&root)?;
        std::fs::write(dir.path().join("secret.txt"), "secret")?;
        std::fs::write(root.join("own.txt"), "own")?;
        std::os::unix::fs::symlink(dir.path().join("secret.txt"), root.join("out.txt"))?;
        std::os::unix::fs::symlink(root.join("own.txt"), root.join("in.txt"))?;
        assert_eq!(find("out.txt", Some(&root)), None);
        assert!(find("in.txt", Some(&root)).is_some_and(|asset| *asset.bytes == *b"own"));
        Ok(())
    }
}
