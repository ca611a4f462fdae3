//! What a launch printed, from the files that its host writes (`docs/design/host.md`): rows that scrolled off, and the last
//! screen. It reads only, and takes whatever is there: a launch that left nothing has an empty past.

use crate::perform::archive;
use serde::Deserialize;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A launch's past.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// The newest rows that scrolled off, oldest first.
    pub(super) rows: Vec<String>,
    /// Number of the first of them, counted from the launch's first row, which is 0.
    pub(super) first: u64,
}

/// The last screen of a launch that ended.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct LastScreen {
    /// Visible rows.
    pub(super) screen: Vec<String>,
    /// Rows that scrolled off in all.
    pub(super) rows_total: u64,
    /// Bytes printed in all.
    pub(super) last_offset: u64,
    /// Exit code.
    pub(super) code: Option<i32>,
    /// Signal.
    pub(super) signal: Option<i32>,
    /// Why it could not start.
    pub(super) reason: Option<String>,
    /// The screen's size.
    pub(super) size: Size,
}

/// A size of a screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Size {
    /// Columns.
    pub(super) cols: u16,
    /// Rows.
    pub(super) rows: u16,
}

/// The last screen, if the launch ended and its host came to write it down.
pub(super) fn last_screen(launch_dir: &Path) -> Option<LastScreen> {
    serde_json::from_slice(&fs::read(launch_dir.join("exit.json")).ok()?).ok()
}

/// The newest `most` rows of `rows-<n>.log`, where `n` is the number of the file's first row.
pub(super) fn past(launch_dir: &Path, most: usize) -> Past {
    let mut segments: Vec<(u64, PathBuf)> = fs::read_dir(launch_dir)
        .into_iter()
        .flat_map(|entries| entries.flatten())
        .filter_map(|e| {
            let name = e.file_name().into_string().ok()?;
            let name = name.strip_suffix(".gz").unwrap_or(&name);
            Some((name.strip_prefix("rows-")?.strip_suffix(".log")?.parse().ok()?, launch_dir.join(name)))
        })
        .collect();
    segments.sort_unstable();
    segments.dedup();
    let mut rows: Vec<String> = Vec::new();
    let mut start = 0;
    for (first, path) in segments.into_iter().rev() {
        if rows.len() >= most {
            break;
        }
        let text = String::from_utf8_lossy(&read(&path).unwrap_or_default()).into_owned();
        // A last line without its end is still being written.
        let mut older: Vec<String> =
            text.split_inclusive('\n').filter_map(|l| l.strip_suffix('\n')).map(str::to_owned).collect();
        older.append(&mut rows);
        rows = older;
        start = first;
    }
    let cut = rows.len().saturating_sub(most);
    rows.drain(..cut);
    Past { first: start + u64::try_from(cut).unwrap_or(0), rows }
}

/// A file as it was, also when it was packed because its session was archived.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => archive::unpacked(path),
        other => other,
    }
}

/// Takes escape sequences and controls out of a row; colours (SGR) stay if they are wanted.
pub(super) fn plain(row: &str, color: bool) -> String {
    let mut out = String::with_capacity(row.len());
    let mut rest = row.chars();
    while let Some(c) = rest.next() {
        if c != '\u{1b}' {
            if !c.is_control() {
                out.push(c);
            }
            continue;
        }
        match rest.next() {
            Some('[') => {
                let body: String = take_until(&mut rest, |c| ('\u{40}'..='\u{7e}').contains(&c));
                if color && body.ends_with('m') && body.chars().all(|c| c.is_ascii_digit() || ";:m".contains(c)) {
                    out.push_str("\u{1b}[");
                    out.push_str(&body);
                }
            }
            // OSC and its like end with BEL or ESC \.
            Some(']' | 'P' | '_' | '^' | 'X') => {
                let body = take_until(&mut rest, |c| c == '\u{7}' || c == '\u{1b}');
                if body.ends_with('\u{1b}') {
                    rest.next();
                }
            }
            Some(_) | None => {}
        }
    }
    out
}

fn take_until(rest: &mut std::str::Chars<'_>, end: impl Fn(char) -> bool) -> String {
    let mut taken = String::new();
    for c in rest.by_ref() {
        taken.push(c);
        if end(c) {
            break;
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_rows_are_read_across_files() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("written");
        write("rows-00000000000000000003.log", "three\nfour\n");
        write("rows-00000000000000000005.log", "five\nsix\nhal");
        write("out-0.log", "no rows");
        let newest = |most| past(dir.path(), most);
        assert_eq!(newest(3).rows, ["four", "five", "six"]);
        assert_eq!(newest(3).first, 4);
        assert_eq!((newest(1).rows, newest(1).first), (vec!["six".to_owned()], 6));
        assert_eq!((newest(9).rows.len(), newest(9).first), (4, 3));
        assert_eq!(past(&dir.path().join("nowhere"), 9), Past::default());
    }

    #[test]
    fn what_steers_a_terminal_is_taken_out() {
        let row = "\u{1b}[1;31mred\u{1b}[0m\u{1b}[2J \u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{7}\u{9b}6n.";
        assert_eq!(plain(row, false), "red link6n.");
        assert_eq!(plain(row, true), "\u{1b}[1;31mred\u{1b}[0m link6n.");
        assert_eq!(plain("\u{1b}[31", true), "");
    }
}
