//! Finds a transcript: by the place that the adapter names, or by the path that the agent told in a hook; never outside of
//! the adapter's places, and never through a link that leads out of them.

use ao_core::transcript::{Shape, lean};
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

/// Entries that are looked at in one directory, and files that are candidates: the newest by name.
const MOST: usize = 64;

/// The beginning of a file in which it must say its directory.
const HEAD: u64 = 256 * 1024;

/// The id that the agent told, in a place.
const SEEN: &str = "{seen}";

/// What is looked for.
pub(super) struct Wanted<'a> {
    /// The adapter's places, filled in.
    pub(super) places: &'a [String],
    pub(super) shape: &'a Shape,
    /// What the agent told of itself.
    pub(super) native: Option<&'a str>,
    pub(super) path: Option<&'a str>,
    pub(super) workspace: &'a Path,
    /// Milliseconds since 1970 before which nothing is ours that is found by a sign.
    pub(super) since_unix_ms: u64,
}

/// The transcript, if it is there.
pub(super) fn transcript(wanted: &Wanted<'_>) -> Option<PathBuf> {
    if let Some(told) = wanted.path.map(PathBuf::from).filter(|path| inside(path, wanted.places)) {
        return Some(told);
    }
    let mut newest: Option<(u64, PathBuf)> = None;
    for place in wanted.places {
        if place.contains(SEEN) && wanted.native.is_none_or(|native| !is_name(native)) {
            continue;
        }
        let named = place.replace(SEEN, wanted.native.unwrap_or_default());
        let sign = named.contains('*');
        for file in matching(Path::new(&named)) {
            let Ok(meta) = fs::symlink_metadata(&file) else { continue };
            let changed = u64::try_from(meta.mtime()).unwrap_or(0).saturating_mul(1000).saturating_add(999);
            if !meta.is_file() || !inside(&file, wanted.places) || sign && changed < wanted.since_unix_ms {
                continue;
            }
            if sign && !ours(&file, wanted) {
                continue;
            }
            if newest.as_ref().is_none_or(|(at, _)| changed > *at) {
                newest = Some((changed, file));
            }
        }
        if newest.is_some() {
            break;
        }
    }
    newest.map(|(_, file)| file)
}

/// Transcripts of sub-agents beside one.
pub(super) fn beside(shape: &Shape, transcript: &Path) -> Vec<PathBuf> {
    let (Some(pattern), Some(dir), Some(stem)) = (&shape.beside, transcript.parent(), transcript.file_stem()) else {
        return Vec::new();
    };
    matching(&dir.join(pattern.replace("{stem}", &stem.to_string_lossy())))
}

/// Whether a file really lies where one of the places leads: every link on the way is followed first.
pub(super) fn inside(file: &Path, places: &[String]) -> bool {
    let Ok(real) = fs::canonicalize(file) else { return false };
    let real_name = fs::symlink_metadata(file).is_ok_and(|meta| meta.is_file());
    real_name
        && places.iter().any(|place| {
            let root = root(Path::new(place));
            root.components().count() > 1 && fs::canonicalize(&root).is_ok_and(|root| real.starts_with(&root))
        })
}

/// The part of a place before any sign, its directory.
fn root(place: &Path) -> PathBuf {
    let plain = |part: &Component<'_>| {
        let text = part.as_os_str().to_string_lossy();
        !text.contains('*') && !text.contains('{')
    };
    let fixed: PathBuf = place.components().take_while(plain).collect();
    if fixed == place { fixed.parent().map_or_else(PathBuf::new, Path::to_owned) } else { fixed }
}

/// The files that fit a path with `*` in its names; of each directory the last names.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let name = part.as_os_str().to_string_lossy();
        if !name.contains('*') {
            for path in &mut found {
                path.push(part);
            }
            continue;
        }
        let mut next = Vec::new();
        for dir in found {
            let names = fs::read_dir(&dir).into_iter().flatten().flatten().map(|e| e.file_name());
            let mut names: Vec<_> = names.filter(|n| fits(&name, &n.to_string_lossy())).collect();
            names.sort();
            next.extend(names.into_iter().rev().take(MOST).map(|n| dir.join(n)));
        }
        next.truncate(MOST);
        found = next;
    }
    found.retain(|path| path.exists());
    found
}

/// Whether a name fits a pattern with any number of `*`.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// An id that can stand in a path.
fn is_name(id: &str) -> bool {
    !id.is_empty()
        && id.len() < 200
        && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && !id.starts_with('.')
}

/// Whether the file says that it is of our workspace; one that does not say it is not told apart.
fn ours(file: &Path, wanted: &Wanted<'_>) -> bool {
    let Some(cwd) = &wanted.shape.cwd else { return true };
    let said = said_directory(file, |record| cwd.text(record, record));
    let same = |said: String| {
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        real(Path::new(&said)) == real(wanted.workspace)
    };
    said.ok().flatten().is_some_and(same)
}

fn said_directory(file: &Path, of: impl Fn(&serde_json::Value) -> Option<String>) -> io::Result<Option<String>> {
    let mut lines = BufReader::new(fs::File::open(file)?.take(HEAD));
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        if let Some(said) = lean::read(line.trim_ascii()).as_ref().and_then(&of) {
            return Ok(Some(said));
        }
        line.clear();
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted<'a>(places: &'a [String], shape: &'a Shape, path: Option<&'a str>, workspace: &'a Path) -> Wanted<'a> {
        Wanted { places, shape, native: Some("n-1"), path, workspace, since_unix_ms: 0 }
    }

    #[test]
    fn names_with_stars_fit() {
        for (pattern, name, yes) in [
            ("a*b", "axxb", true),
            ("a*b", "ab", true),
            ("a*b*c", "a1b2c", true),
            ("*", "x", true),
            ("a*b", "axc", false),
            ("a", "ab", false),
        ] {
            assert_eq!(fits(pattern, name), yes, "{pattern} {name}");
        }
    }

    #[test]
    fn a_file_is_found_by_sign_id_and_directory_and_another_sessions_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let work = dir.path().join("work");
        for made in [dir.path().join("s/2026/01"), dir.path().join("k/n-1"), work.clone()] {
            fs::create_dir_all(made).unwrap();
        }
        let line = |cwd: &Path| format!("{}\n", serde_json::json!({"cwd": cwd}));
        fs::write(dir.path().join("s/2026/01/rollout-2.jsonl"), line(dir.path())).unwrap();
        fs::write(dir.path().join("s/2026/01/rollout-1.jsonl"), line(&work)).unwrap();
        fs::write(dir.path().join("k/n-1/wire.jsonl"), line(&work)).unwrap();
        let shape: Shape = serde_json::from_value(serde_json::json!({"cwd": "cwd"})).unwrap();
        let place = |text: &str| vec![format!("{}/{text}", dir.path().display())];
        let found = |places: &[String]| {
            transcript(&wanted(places, &shape, None, &work)).map(|p| p.file_name().unwrap().to_owned())
        };
        assert_eq!(found(&place("s/*/*/rollout-*.jsonl")).unwrap(), "rollout-1.jsonl");
        assert_eq!(found(&place("k/{seen}/wire.jsonl")).unwrap(), "wire.jsonl");
        let places = place("s/*/*/rollout-*.jsonl");
        let late = Wanted { since_unix_ms: u64::MAX, ..wanted(&places, &shape, None, &work) };
        assert_eq!(transcript(&late), None, "what was there before the launch is not its own");
    }

    #[test]
    fn what_a_hook_names_outside_of_the_places_or_by_a_link_out_of_them_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("in/side")).unwrap();
        fs::write(dir.path().join("secret.jsonl"), "{}\n").unwrap();
        fs::write(dir.path().join("in/side/good.jsonl"), "{}\n").unwrap();
        std::os::unix::fs::symlink(dir.path().join("secret.jsonl"), dir.path().join("in/side/link.jsonl")).unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("in/up")).unwrap();
        let places = vec![format!("{}/in/*/*.jsonl", dir.path().display())];
        let shape = Shape::default();
        let told = |path: &str| {
            let path = dir.path().join(path);
            inside(&path, &places)
        };
        assert!(told("in/side/good.jsonl"));
        for bad in
            ["secret.jsonl", "in/side/link.jsonl", "in/up/secret.jsonl", "in/side/../../secret.jsonl", "in/none.jsonl"]
        {
            assert!(!told(bad), "{bad}");
        }
        let only = [places[0].replace("good", "none")];
        let found = transcript(&wanted(&only, &shape, None, dir.path())).unwrap();
        assert!(found.ends_with("in/side/good.jsonl"), "{found:?}");
    }
}
