//! What a session's workspace gets and leaves: ports, copies, dependency folders; what was put back, what went with it.

use crate::id::CommitId;
use crate::time::{Millis, Time};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Ports of one session: enough for a server, its database and their test doubles, and easy to add up in the head.
pub const PORTS_EACH: u16 = 10;

/// Where sessions get their ports from unless the configuration says otherwise: a thousand sessions' worth, below the ports
/// that Linux (32768) and macOS (49152) give to outgoing connections.
pub const PORT_RANGE: PortRange = PortRange { first: 20_000, last: 29_999 };

/// A command of `postCreate` may take this long: installing dependencies takes minutes, a hung prompt for ever.
pub const POST_CREATE_TIMEOUT: Millis = Millis::mins(15);

/// What the workspaces of a project get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Workspaces {
    /// The directory they lie in, as it was written; the data directory when absent.
    pub dir: Option<String>,
    /// Patterns, as in `.gitignore`, of ignored files that are copied from the main checkout.
    pub include: Vec<String>,
    /// Relative paths of files that are copied from the main checkout and never committed.
    pub env_files: Vec<String>,
    /// Folders with what the project needs and git does not hold, by relative path.
    pub dependencies: BTreeMap<String, Dependency>,
    /// Where sessions get their ports from.
    pub ports: PortRange,
    /// How long one command of `postCreate` may take.
    pub post_create_timeout: Millis,
}

impl Default for Workspaces {
    fn default() -> Self {
        Self {
            dir: None,
            include: Vec::new(),
            env_files: Vec::new(),
            dependencies: BTreeMap::new(),
            ports: PORT_RANGE,
            post_create_timeout: POST_CREATE_TIMEOUT,
        }
    }
}

/// How a folder of dependencies comes into a workspace. Never by hard links: what one session changes is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dependency {
    /// A copy that shares its blocks until they change, where the file system can do that; else it is left out.
    Reflink,
    /// The same, and a plain copy where the file system cannot.
    Copy,
    /// A link to the main checkout's: all share it.
    Symlink,
    /// Not at all.
    Leave,
}

impl Dependency {
    /// As it is written; none for anything else.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "reflink" => Some(Self::Reflink),
            "copy" => Some(Self::Copy),
            "symlink" => Some(Self::Symlink),
            "leave" => Some(Self::Leave),
            _ => None,
        }
    }
}

/// Ports, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl PortRange {
    /// The first of [`PORTS_EACH`] ports that no session in `taken` has; none when all are taken.
    #[must_use]
    pub fn free(self, taken: &BTreeSet<u16>) -> Option<u16> {
        let overlaps = |base: u16| taken.iter().any(|other| other.abs_diff(base) < PORTS_EACH);
        let mut base = self.first;
        loop {
            let end = base.checked_add(PORTS_EACH - 1)?;
            if end > self.last {
                return None;
            }
            if !overlaps(base) {
                return Some(base);
            }
            base = base.checked_add(PORTS_EACH)?;
        }
    }
}

/// What a session has of its workspace besides the path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Belongings {
    /// The first of its [`PORTS_EACH`] ports, while it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<u16>,
    /// What became of rescued work when the workspace was made again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub put_back: Option<PutBack>,
    /// What git ignored and went with the workspace when that was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored: Option<Ignored>,
    /// It is to be put into the archive, as soon as nothing runs and everything in its workspace is kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub to_archive: bool,
    /// When it was put into the archive: it is over, its workspace is gone, and lists leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<Time>,
    /// Why it could not be archived: it is not tried again by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_archived: Option<String>,
}

impl Belongings {
    /// It is needed again: whatever was decided about the archive is over.
    pub fn leave_archive(&mut self) {
        (self.to_archive, self.archived, self.not_archived) = (false, None, None);
    }
}

/// Rescued work that was put back, or could not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutBack {
    /// The rescue ref.
    pub name: String,
    /// Files and index are as they were; otherwise nothing was touched.
    pub complete: bool,
    /// What is not as it was, and where it is: one phrase each.
    #[serde(default)]
    pub left_out: Vec<String>,
}

impl PutBack {
    /// In one sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let short = self.name.strip_prefix("refs/ao/rescue/").unwrap_or(&self.name);
        let rest = self.left_out.join("; ");
        match (self.complete, self.left_out.is_empty()) {
            (true, true) => format!("the rescued work ({short}) is back in the workspace"),
            (true, false) => format!("the rescued work ({short}) is back in the workspace, but for: {rest}"),
            (false, _) => {
                format!(
                    "the rescued work ({short}) was not put back: {rest}; `ao rescue restore {short}` puts it elsewhere"
                )
            }
        }
    }
}

/// What git ignored in a workspace that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// How many paths, whole directories as one.
    pub paths: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The largest of them with their bytes.
    pub largest: Vec<(String, u64)>,
}

/// Paths in [`Ignored::largest`]: a screen's worth.
const LARGEST: usize = 10;

impl Ignored {
    /// Of paths with their bytes, the largest first; none when there are none.
    #[must_use]
    pub fn of(paths: &[(String, u64)]) -> Option<Self> {
        (!paths.is_empty()).then(|| Self {
            paths: u64::try_from(paths.len()).unwrap_or(u64::MAX),
            bytes: paths.iter().map(|(_, bytes)| bytes).sum(),
            largest: paths.iter().take(LARGEST).cloned().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_never_overlap_whatever_range_they_came_from() {
        let range = PortRange { first: 20_000, last: 20_039 };
        let mut taken = BTreeSet::new();
        for base in [20_000, 20_010, 20_020, 20_030] {
            assert_eq!(range.free(&taken), Some(base));
            taken.insert(base);
        }
        assert_eq!(range.free(&taken), None);
        taken.remove(&20_010);
        assert_eq!(range.free(&taken), Some(20_010));
        taken.insert(20_013);
        assert_eq!(range.free(&taken), None, "another range's ports lie in the gap");
        let edge = PortRange { first: 65_530, last: u16::MAX };
        assert_eq!(edge.free(&BTreeSet::new()), None);
    }
}

/// What a workspace holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "workspace", rename_all = "snake_case")]
pub enum Inspection {
    /// The directory is gone.
    Missing,
    /// Nothing differs from the commit it started from or from the target.
    Unchanged,
    /// Conflict markers or unmerged paths are left.
    Unmerged {
        /// The paths.
        files: Vec<String>,
    },
    /// It holds work, kept as this commit.
    Changed {
        /// The commit: the branch's own when the workspace is clean, else one made of everything in it.
        head: CommitId,
        /// The branch that is checked out there, when it is not the session's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other_branch: Option<String>,
    },
}
