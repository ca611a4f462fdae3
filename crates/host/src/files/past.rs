//! Reading rows that scrolled off from the files, beside the host that writes them or after it.
//!
//! A row that is still being written is not there yet.

use std::io;
use std::path::Path;

use super::place::{numbered, read};

/// Reads rows `[from, to)` by number: the number of the first that is there at or after `from`, and as many as there are
/// before `to` without a hole.
///
/// # Errors
/// When the directory cannot be read; a file that was dropped meanwhile is a hole.
pub fn read_rows(dir: &Path, from: u64, to: u64) -> io::Result<(u64, Vec<String>)> {
    let mut rows = Vec::new();
    let mut at = from;
    for (first, path) in numbered(dir, "rows")? {
        if first >= to {
            break;
        }
        let text = match read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        let whole = text.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
        for (number, line) in (first..to).zip(whole) {
            if number < at {
                continue;
            }
            if number > at {
                if !rows.is_empty() {
                    return Ok((at - rows.len() as u64, rows));
                }
                at = number;
            }
            rows.push(String::from_utf8_lossy(line).into_owned());
            at += 1;
        }
    }
    Ok((at - rows.len() as u64, rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn rows_are_read_by_number_across_files_and_holes() {
        let dir = tempfile::tempdir().expect("temp dir");
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("written");
        write("rows-3.log", "three\nfour\n");
        write("rows-5.log", "five\nsix\n");
        write("rows-9.log", "nine\nhal");
        let read = |from, to| read_rows(dir.path(), from, to).expect("readable");
        assert_eq!(read(0, 5), (3, vec!["three".to_owned(), "four".to_owned()]));
        assert_eq!(read(4, 6).1, ["four", "five"]);
        assert_eq!(read(6, 99).1, ["six"], "up to the hole");
        assert_eq!(read(7, 99), (9, vec!["nine".to_owned()]), "half a row is none");
        assert!(read(10, 99).1.is_empty());
    }
}
