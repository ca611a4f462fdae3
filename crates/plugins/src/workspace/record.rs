//! What is remembered about a workspace, in its own git directory, where nothing of the user's lies.
//!
//! It goes when the workspace goes; without it a workspace is still found, only its branch is never deleted.

use crate::disk::failed;
use ao_core::id::CommitId;
use ao_slots::{Answer, Fault};
use std::fs;
use std::path::{Path, PathBuf};

/// File with the record.
const FILE: &str = "ao-workspace";

/// File that is there once everything was prepared.
const READY: &str = "ao-ready";

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub session: String,
    /// The commit it started from.
    pub base: CommitId,
    /// The branch that work lands on.
    pub target: String,
    /// The branch was made for this workspace.
    pub made_branch: bool,
}

impl Record {
    /// Reads what is remembered in a git directory.
    pub(super) fn read(git_dir: &Path) -> Option<Self> {
        let text = fs::read_to_string(git_dir.join(FILE)).ok()?;
        let value =
            |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned);
        Some(Self {
            session: value("session")?,
            base: CommitId::new(value("base")?),
            target: value("target")?,
            made_branch: value("branch")? == "made",
        })
    }

    /// Writes it, whole or not at all.
    pub(super) fn write(&self, git_dir: &Path) -> Answer<()> {
        let branch = if self.made_branch { "made" } else { "found" };
        let text = format!("session={}\nbase={}\ntarget={}\nbranch={branch}\n", self.session, self.base, self.target);
        let (file, draft) = (git_dir.join(FILE), git_dir.join("ao-workspace.new"));
        fs::write(&draft, text).and_then(|()| fs::rename(&draft, &file)).map_err(|error| failed(&file, &error))
    }
}

/// Whether everything was prepared.
pub(super) fn is_ready(git_dir: &Path) -> bool {
    git_dir.join(READY).exists()
}

/// Remembers that everything was prepared.
pub(super) fn set_ready(git_dir: &Path) -> Answer<()> {
    let file = git_dir.join(READY);
    fs::write(&file, "").map_err(|error| failed(&file, &error))
}

/// Names beside a workspace that tell how far its removal came; a rename from one to the next is a step that is whole.
#[derive(Clone, Debug)]
pub(super) struct Aside {
    /// There was nothing to save: what is left is to be deleted.
    pub empty: PathBuf,
    /// Saved: what is left is to be deleted.
    pub saved: PathBuf,
    /// Being made.
    pub making: PathBuf,
}

impl Aside {
    /// The names beside the workspace at `path`.
    pub(super) fn of(path: &Path) -> Answer<Self> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Fault::invalid(format!("{} cannot be a workspace", path.display())));
        };
        let beside = |ending: &str| {
            let mut file = std::ffi::OsString::from(".");
            file.push(name);
            file.push(ending);
            parent.join(file)
        };
        Ok(Self { empty: beside(".removed"), saved: beside(".saved"), making: beside(".making") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Record::read(dir.path()), None);
        for made_branch in [true, false] {
            let record = Record {
                session: "app-1".to_owned(),
                base: CommitId::new("1".repeat(40)),
                target: "main".to_owned(),
                made_branch,
            };
            record.write(dir.path()).unwrap();
            assert_eq!(Record::read(dir.path()), Some(record));
        }
    }
}
