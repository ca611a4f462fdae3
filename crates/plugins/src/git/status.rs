//! What differs in a checkout, from `git status --porcelain=v2`.
//!
//! Reading changes nothing, not even the index.

use super::call::Git;
use ao_core::id::CommitId;
use ao_slots::Answer;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// What differs in a checkout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// HEAD's commit; none before the first one.
    pub head: Option<CommitId>,
    /// The branch; none when HEAD is detached.
    pub branch: Option<String>,
    /// Paths that differ from HEAD or from the index.
    pub changed: Vec<PathBuf>,
    /// Paths with a conflict that is not resolved; not among the changed ones.
    pub unmerged: Vec<PathBuf>,
    /// Paths that git does not know and does not ignore; whole directories with a slash at the end.
    pub untracked: Vec<PathBuf>,
}

impl Status {
    /// Nothing differs.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.changed.is_empty() && self.unmerged.is_empty() && self.untracked.is_empty()
    }
}

/// Looks at the checkout that `git` runs in.
///
/// # Errors
/// When there is none, or it cannot be read.
pub async fn status(git: &Git) -> Answer<Status> {
    let said = git
        .call(["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal", "--no-renames"])
        .args(["--no-ahead-behind"])
        .run()
        .await?;
    Ok(parse(&said.stdout))
}

/// Reads version 2 with `-z` and without renames: every record is one field that ends with NUL.
fn parse(bytes: &[u8]) -> Status {
    let mut status = Status::default();
    for field in bytes.split(|&byte| byte == 0) {
        let path = |skip: usize| {
            let name = field.splitn(skip + 1, |&byte| byte == b' ').nth(skip).unwrap_or_default();
            PathBuf::from(OsString::from_vec(name.to_vec()))
        };
        match field.first() {
            Some(b'1') => status.changed.push(path(8)),
            Some(b'u') => status.unmerged.push(path(10)),
            Some(b'?') => status.untracked.push(path(1)),
            Some(b'#') => {
                let line = String::from_utf8_lossy(field);
                if let Some(commit) = line.strip_prefix("# branch.oid ") {
                    status.head = (commit != "(initial)").then(|| CommitId::new(commit));
                } else if let Some(branch) = line.strip_prefix("# branch.head ") {
                    status.branch = (branch != "(detached)").then(|| branch.to_owned());
                }
            }
            Some(_) | None => {}
        }
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_spaces_and_line_ends_are_read_whole() {
        let text = "# branch.oid 1111111111111111111111111111111111111111\0# branch.head feat/x\0\
            1 .M N... 100644 100644 100644 a b with space.txt\0\
            u UU N... 100644 100644 100644 100644 a b c in conflict\nhere\0? new dir/\0";
        let status = parse(text.as_bytes());
        assert_eq!(status.branch.as_deref(), Some("feat/x"));
        assert_eq!(status.changed, [PathBuf::from("with space.txt")]);
        assert_eq!(status.unmerged, [PathBuf::from("in conflict\nhere")]);
        assert_eq!(status.untracked, [PathBuf::from("new dir/")]);
    }

    #[test]
    fn a_repository_without_commits_has_no_head() {
        let status = parse(b"# branch.oid (initial)\0# branch.head main\0");
        assert_eq!((status.head, status.branch.as_deref()), (None, Some("main")));
    }
}
