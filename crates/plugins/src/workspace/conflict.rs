//! Conflict markers that were left in files.
//!
//! Only those that the work itself brought in count: a page about conflicts may show one.

use super::snapshot::Site;
use ao_slots::Answer;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// More files than this with markers are the same message to the agent.
const MOST: usize = 50;

/// Files of `tree` that hold a conflict which no tree of `before` holds at the same path.
pub(super) async fn left_in(site: &Site, before: &[&str], tree: &str) -> Answer<Vec<PathBuf>> {
    let Some(from) = before.first() else { return Ok(Vec::new()) };
    let said = site
        .git
        .call(["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=AMT"])
        .arg("-G^(<<<<<<<|>>>>>>>) ")
        .args([from, tree])
        .run()
        .await?;
    let mut left = Vec::new();
    for path in said.paths().take(MOST) {
        let mut new = holds_conflict(&content(site, tree, &path).await?);
        for old in before {
            new = new && !holds_conflict(&content(site, old, &path).await?);
        }
        if new {
            left.push(path);
        }
    }
    Ok(left)
}

/// A file's content in a tree; empty when it has no such file.
async fn content(site: &Site, tree: &str, path: &Path) -> Answer<Vec<u8>> {
    let mut name = OsString::from(tree);
    name.push(":");
    name.push(path);
    let said = site.git.call(["cat-file", "blob"]).arg(name).ask().await?;
    Ok(if said.code == 0 { said.stdout } else { Vec::new() })
}

/// Whether a text has the three markers that git writes, each at the start of a line, in their order.
fn holds_conflict(text: &[u8]) -> bool {
    let mut wanted = [&b"<<<<<<< "[..], b"=======", b">>>>>>> "].into_iter().peekable();
    for line in text.split(|&byte| byte == b'\n') {
        let Some(marker) = wanted.peek() else { break };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // The middle one stands alone; the outer ones are followed by a name.
        if line == *marker || (marker.ends_with(b" ") && line.starts_with(marker)) {
            wanted.next();
        }
    }
    wanted.peek().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_is_three_markers_in_order() {
        assert!(holds_conflict(b"a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> main\n"));
        assert!(holds_conflict(b"<<<<<<< HEAD\r\nb\r\n=======\r\nc\r\n>>>>>>> main\r\n"));
        for text in [
            "Title\n=======\n",
            "<<<<<<< HEAD\n",
            " <<<<<<< a\n=======\n>>>>>>> b\n",
            ">>>>>>> b\n=======\n<<<<<<< a\n",
        ] {
            assert!(!holds_conflict(text.as_bytes()), "{text:?}");
        }
    }
}
