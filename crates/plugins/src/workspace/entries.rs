//! Lists of paths with their objects: what an index holds, and trees made from such lists.
//!
//! Names are bytes; nothing is read or written that is not an object or a copy of an index.

use crate::git::Git;
use ao_slots::Answer;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Whether git looks at a file to know that it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// It does.
    Watched,
    /// It takes it for unchanged, because it was told so.
    Assumed,
    /// It need not even be there: a sparse checkout leaves it out.
    LeftOut,
}

/// One line of an index or a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Whether git looks at the file.
    pub watch: Watch,
    /// As git writes it: `100644`, `100755`, `120000`, `160000`.
    pub mode: String,
    /// The object's id.
    pub object: String,
    /// 0, or the side of a conflict: 1 the common ancestor, 2 ours, 3 theirs.
    pub stage: u8,
    /// The path from the top.
    pub path: PathBuf,
}

/// What the index of `git` holds.
pub(super) async fn list(git: &Git) -> Answer<Vec<Entry>> {
    let said = git.call(["ls-files", "-z", "--stage", "-v"]).run().await?;
    Ok(said.fields().filter_map(line).collect())
}

/// A line such as `H 100644 OBJECT 0<tab>PATH`; small letters are files that are assumed to be unchanged, S are left out.
fn line(field: &[u8]) -> Option<Entry> {
    let tab = field.iter().position(|&byte| byte == b'\t')?;
    let about = std::str::from_utf8(field.get(..tab)?).ok()?;
    let mut words = about.split(' ');
    let (tag, mode, object) = (words.next()?, words.next()?, words.next()?);
    Some(Entry {
        watch: match tag {
            "S" | "s" => Watch::LeftOut,
            _ if tag.chars().all(|c| c.is_ascii_lowercase()) => Watch::Assumed,
            _ => Watch::Watched,
        },
        mode: mode.to_owned(),
        object: object.to_owned(),
        stage: words.next()?.parse().ok()?,
        path: PathBuf::from(OsString::from_vec(field.get(tab + 1..)?.to_vec())),
    })
}

/// The files and links of a tree, those in trees below it included.
pub(super) async fn of_tree(git: &Git, tree: &str) -> Answer<Vec<Entry>> {
    let said = git.call(["ls-tree", "-r", "-z", "--full-tree", tree]).run().await?;
    let line = |field: &[u8]| {
        let tab = field.iter().position(|&byte| byte == b'\t')?;
        let about = std::str::from_utf8(field.get(..tab)?).ok()?;
        let mut words = about.split(' ');
        let (mode, _, object) = (words.next()?, words.next()?, words.next()?);
        Some(Entry {
            watch: Watch::Watched,
            mode: mode.to_owned(),
            object: object.to_owned(),
            stage: 0,
            path: PathBuf::from(OsString::from_vec(field.get(tab + 1..)?.to_vec())),
        })
    };
    Ok(said.fields().filter_map(line).collect())
}

/// Input for `git update-index -z --index-info`.
pub(super) fn index_info<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<u8> {
    let mut text = Vec::new();
    for entry in entries {
        text.extend_from_slice(format!("{} {} {}\t", entry.mode, entry.object, entry.stage).as_bytes());
        text.extend_from_slice(entry.path.as_os_str().as_bytes());
        text.push(0);
    }
    text
}

/// The objects that the bytes of files have, just as they are, and with `keep` makes these objects. In the order of `files`,
/// which are paths that git can open from where it runs.
pub(super) async fn objects(git: &Git, files: &[PathBuf], keep: bool) -> Answer<Vec<String>> {
    let mut call = vec!["hash-object", "--no-filters"];
    if keep {
        call.push("-w");
    }
    let mut text = Vec::new();
    for file in files.iter().filter(|file| is_a_line(file)) {
        text.extend_from_slice(file.as_os_str().as_bytes());
        text.push(b'\n');
    }
    let mut many = Vec::new();
    if !text.is_empty() {
        let said = git.call(&call).arg("--stdin-paths").stdin(text).run().await?.line();
        many.extend(said.lines().map(str::to_owned));
    }
    let mut many = many.into_iter();
    let mut all = Vec::new();
    for file in files {
        let object = if is_a_line(file) { many.next() } else { None };
        all.push(match object {
            Some(object) => object,
            None => git.call(&call).arg("--").arg(file).text().await?,
        });
    }
    Ok(all)
}

/// Whether a path can be given as one line: without line ends, and not taken for a quoted name.
fn is_a_line(file: &Path) -> bool {
    let bytes = file.as_os_str().as_bytes();
    !bytes.contains(&b'\n') && bytes.first() != Some(&b'"')
}

/// A path as one word of a message: bytes that are no plain letters as `\ooo`, in quotes.
pub(super) fn quoted(path: &Path) -> String {
    let mut text = String::from("\"");
    for &byte in path.as_os_str().as_bytes() {
        if (byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')) || byte == b' ' {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("\\{byte:03o}"));
        }
    }
    text.push('"');
    text
}

/// The path that was [`quoted`].
pub(super) fn unquoted(text: &str) -> Option<PathBuf> {
    let mut rest = text.strip_prefix('"')?.strip_suffix('"')?.as_bytes();
    let mut bytes = Vec::new();
    while let [first, more @ ..] = rest {
        if *first == b'\\' {
            let digits = std::str::from_utf8(more.get(..3)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 8).ok()?);
            rest = more.get(3..)?;
        } else {
            bytes.push(*first);
            rest = more;
        }
    }
    Some(PathBuf::from(OsStr::from_bytes(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_an_index_are_read_with_their_marks() {
        let entry = line(b"h 100755 abc 0\ta b\tc").unwrap();
        assert!(entry.watch == Watch::Assumed && entry.mode == "100755" && entry.path == Path::new("a b\tc"));
        assert_eq!(line(b"S 100644 abc 0\tx").unwrap().watch, Watch::LeftOut);
        assert_eq!(line(b"M 100644 abc 2\tx").unwrap().watch, Watch::Watched);
        assert_eq!(line(b"M 100644 abc 2\tx").unwrap().stage, 2);
    }

    #[test]
    fn any_name_survives_being_quoted() {
        for name in [&b"a b"[..], b"\xff\n\"\\x", b"\xc3\xbc", b""] {
            let path = Path::new(OsStr::from_bytes(name));
            let text = quoted(path);
            assert!(text.is_ascii() && !text.contains('\n'), "{text}");
            assert_eq!(unquoted(&text).as_deref(), Some(path));
        }
        assert_eq!(unquoted("no quotes"), None);
    }
}
