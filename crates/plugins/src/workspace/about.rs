//! The message of a rescue: for people what was there, and for `ao` which commits hold what.
//!
//! Lines that begin with a name and a colon are read back; the rest is text.

use super::entries::{quoted, unquoted};
use super::names::shown;
use ao_core::id::CommitId;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Most lines about ignored files, and about commits that nothing else held.
const MOST: usize = 100;

const BRANCH: &str = "Branch: ";
const HEAD: &str = "Head: ";
const INDEX: &str = "Index: ";
const CONFLICT: &str = "Conflict: ";
const BYTES: &str = "Bytes: ";
const STATE: &str = "State: ";
const REPOSITORY: &str = "Repository: ";
const ALSO: &str = "Also: ";

/// In the place of HEAD's commit before the first one.
const NONE: &str = "none";

/// What a rescue holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct About {
    /// The branch; none when HEAD was detached.
    pub branch: Option<String>,
    /// HEAD's commit; the inner none before the first one, the outer where an old message does not say it.
    pub head: Option<Option<CommitId>>,
    /// What was staged, when it differed from HEAD.
    pub index: Option<CommitId>,
    /// The sides of a conflict, in directories `1`, `2`, `3`.
    pub conflict: Option<CommitId>,
    /// Files as they were, where the rescued tree cannot give their bytes back.
    pub bytes: Option<CommitId>,
    /// What was not finished, in words, with git's own files about it.
    pub state: Option<(CommitId, String)>,
    /// Repositories inside.
    pub repositories: Vec<(PathBuf, CommitId)>,
    /// Commits that nothing else held, with where they were found.
    pub also: Vec<(CommitId, String)>,
    /// What could not be kept, in words.
    pub lost: Vec<String>,
}

impl About {
    /// A repository inside was kept.
    pub(super) fn repository(&mut self, path: &Path, commit: CommitId) {
        self.repositories.push((path.to_owned(), commit));
    }

    /// A commit that nothing else holds was kept.
    pub(super) fn also(&mut self, commit: CommitId, place: &str) {
        self.also.push((commit, place.to_owned()));
    }

    /// Something was not kept.
    pub(super) fn lost(&mut self, words: &str) {
        self.lost.push(words.to_owned());
    }

    /// All commits besides HEAD.
    pub(super) fn commits(&self) -> impl Iterator<Item = &CommitId> {
        let ones = [&self.index, &self.conflict, &self.bytes].into_iter().flatten();
        ones.chain(self.state.iter().map(|(commit, _)| commit))
            .chain(self.repositories.iter().map(|(_, commit)| commit))
            .chain(self.also.iter().map(|(commit, _)| commit))
    }

    /// The message; `subject` is its first line, `ignored` the ignored paths with their bytes.
    pub(super) fn message(&self, subject: &str, ignored: &[(PathBuf, u64)]) -> String {
        let mut text = format!("{subject}\n\n");
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(text, "{name}{value}");
        };
        if let Some(branch) = &self.branch {
            line(BRANCH, branch);
        }
        if let Some(head) = &self.head {
            line(HEAD, head.as_ref().map_or(NONE, CommitId::as_str));
        }
        for (name, commit) in [(INDEX, &self.index), (CONFLICT, &self.conflict), (BYTES, &self.bytes)] {
            if let Some(commit) = commit {
                line(name, commit.as_str());
            }
        }
        if let Some((commit, words)) = &self.state {
            line(STATE, &format!("{commit} {words}"));
        }
        for (path, commit) in &self.repositories {
            line(REPOSITORY, &format!("{commit} {}", quoted(path)));
        }
        for (commit, place) in self.also.iter().take(MOST) {
            line(ALSO, &format!("{commit} {}", shown(Path::new(place))));
        }
        if self.also.len() > MOST {
            line("and ", &format!("{} more commits", self.also.len() - MOST));
        }
        for words in &self.lost {
            line("Not kept: ", words);
        }
        if !ignored.is_empty() {
            line("\nIgnored files, which were not kept:", "");
            for (path, bytes) in ignored.iter().take(MOST) {
                line("", &format!("{bytes:>12} bytes  {}", shown(path)));
            }
            if ignored.len() > MOST {
                line("", &format!("and {} more", ignored.len() - MOST));
            }
        }
        text
    }

    /// Reads a message back.
    pub(super) fn read(message: &str) -> Self {
        let mut about = Self::default();
        for line in message.lines().skip(1) {
            let value = |name: &str| line.strip_prefix(name).map(str::trim);
            let pair = |name: &str| {
                let (commit, rest) = value(name)?.split_once(' ')?;
                Some((CommitId::new(commit), rest.to_owned()))
            };
            if let Some(branch) = value(BRANCH) {
                about.branch = Some(branch.to_owned());
            } else if let Some(head) = value(HEAD) {
                about.head = Some((head != NONE).then(|| CommitId::new(head)));
            } else if let Some(index) = value(INDEX) {
                about.index = Some(CommitId::new(index));
            } else if let Some(conflict) = value(CONFLICT) {
                about.conflict = Some(CommitId::new(conflict));
            } else if let Some(bytes) = value(BYTES) {
                about.bytes = Some(CommitId::new(bytes));
            } else if let Some(state) = pair(STATE) {
                about.state = Some(state);
            } else if let Some((commit, path)) = pair(REPOSITORY) {
                about.repositories.extend(unquoted(&path).map(|path| (path, commit)));
            } else if let Some(also) = pair(ALSO) {
                about.also.push(also);
            }
        }
        about
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let id = |n: char| CommitId::new(n.to_string().repeat(40));
        let about = About {
            branch: Some("feat/x".to_owned()),
            head: Some(None),
            index: Some(id('1')),
            conflict: Some(id('2')),
            bytes: Some(id('3')),
            state: Some((id('4'), "a rebase".to_owned())),
            repositories: vec![(PathBuf::from("vendor/a b\n"), id('5'))],
            also: vec![(id('6'), "reflog of HEAD".to_owned())],
            lost: Vec::new(),
        };
        let message = about.message("Rescue of app-1", &[(PathBuf::from("Head: x"), 7)]);
        assert_eq!(About::read(&message), about);
        let old = About::read("Rescue of app-1 (feat/x): 1 path differs\n\nIndex: 77\n");
        assert_eq!((old.index, old.head), (Some(CommitId::new("77")), None));
    }
}
