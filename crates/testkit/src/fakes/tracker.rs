//! A tracker with one task.

use ao_slots::tracker::{Issue, Tracker};
use ao_slots::{Answer, Fault};
use async_trait::async_trait;
use std::path::Path;

/// The tracker `local`: issue 7.
pub struct FakeTracker;

fn issue() -> Issue {
    Issue {
        id: "7".to_owned(),
        title: "The door squeaks".to_owned(),
        body: "It squeaks when it is opened.".to_owned(),
        open: true,
        branch: None,
    }
}

#[async_trait]
impl Tracker for FakeTracker {
    async fn open_issues(&self, _repository: &Path) -> Answer<Vec<Issue>> {
        Ok(vec![issue()])
    }

    async fn issue(&self, _repository: &Path, id: &str) -> Answer<Issue> {
        if id == "7" { Ok(issue()) } else { Err(Fault::not_found(format!("there is no issue {id}"))) }
    }
}
