//! Slot `tracker`: where tasks come from.

use crate::Answer;
use async_trait::async_trait;
use std::path::Path;

/// One task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Its id in the tracker.
    pub id: String,
    /// Headline.
    pub title: String,
    /// The text, untrusted.
    pub body: String,
    /// Whether it is still to be done.
    pub open: bool,
    /// The branch name that the tracker proposes.
    pub branch: Option<String>,
}

/// The slot's interface.
#[async_trait]
pub trait Tracker: Send + Sync {
    /// Open tasks of a repository.
    async fn open_issues(&self, repository: &Path) -> Answer<Vec<Issue>>;
    /// One task.
    async fn issue(&self, repository: &Path, id: &str) -> Answer<Issue>;
}
