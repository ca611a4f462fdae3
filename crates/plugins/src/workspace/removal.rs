//! Removing a workspace: refused while somebody works there, then saved, moved aside, deleted.
//!
//! Each step is a rename or a ref, so that a kill between any two leaves a state whose name says how to go on.

use super::names::shown;
use super::record::{Aside, Record};
use super::rescue;
use super::seal;
use super::snapshot::{Extent, Site};
use crate::disk;
use crate::exec::{Environment, end_marked, place_mark, working_in};
use crate::git::{Git, list_worktrees};
use crate::steps::Steps;
use ao_core::id::CommitId;
use ao_slots::workspace::{RemovePlan, Removed};
use ao_slots::{Answer, Fault};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A process that is just ending is gone after this long.
const ENDING: Duration = Duration::from_secs(2);

/// Time between two looks at who works there: a look reads one link per process.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A removal, as far as worktrees and clones have it in common.
pub(super) struct Removal<'a> {
    pub plan: &'a RemovePlan,
    /// The main repository.
    pub main: Git,
    /// Its shared git directory.
    pub common: PathBuf,
    pub env: &'a Environment,
    pub steps: &'a Steps,
    pub aside: Aside,
    pub extent: Extent,
}

impl Removal<'_> {
    /// Refuses while a process has its working directory there. Checks of ours are ended; what is just ending, such as the
    /// clean-up that git starts after a commit, is waited for.
    pub(super) async fn refuse_if_used(&self) -> Answer<()> {
        end_marked(place_mark(&self.plan.path)).await;
        let until = Instant::now() + ENDING;
        loop {
            let used = working_in(&self.plan.path);
            if used.is_empty() {
                return Ok(());
            }
            if Instant::now() >= until {
                let names: Vec<String> =
                    used.iter().take(5).map(|process| format!("{} ({})", process.name, process.id)).collect();
                return Err(Fault::conflict(format!("{} is in use by {}", self.plan.path.display(), names.join(", ")))
                    .hint("stop the session, or leave that directory, then try again"));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Saves what is there, then moves it aside, so that nothing enters it by its path any more. It is saved in its place:
    /// submodules know their files by that.
    pub(super) async fn save(&self, site: &Site) -> Answer<Removed> {
        let saved = self
            .seal(site)
            .await
            .map_err(|fault| Fault { message: format!("nothing was removed: {}", fault.message), ..fault })?;
        self.steps.next("move aside")?;
        let to = if saved.rescue.is_some() { &self.aside.saved } else { &self.aside.empty };
        disk::delete(to).await?;
        disk::rename(&self.plan.path, to)?;
        Ok(saved)
    }

    async fn seal(&self, site: &Site) -> Answer<Removed> {
        self.steps.next("seal")?;
        let label = self.plan.session.as_str();
        let kept = seal::seal(site, self.extent, Some(&self.plan.branch), label, self.env, false).await?;
        let ignored = kept.ignored.iter().map(|(path, bytes)| (shown(path), *bytes)).collect();
        let Some(sealed) = kept.sealed else { return Ok(Removed { rescue: None, ignored }) };
        if self.extent == Extent::Repository {
            self.steps.next("bring")?;
            seal::bring(&site.git, &site.git_dir, &self.main, &sealed.commit).await?;
        }
        self.steps.next("name")?;
        let rescue = rescue::keep(&self.main, &self.plan.session, &sealed).await?;
        Ok(Removed { rescue: Some(rescue), ignored })
    }

    /// What an earlier removal of this workspace saved, when it was stopped after that.
    pub(super) async fn saved_before(&self) -> Answer<Option<String>> {
        if disk::exists(&self.aside.saved) {
            return Ok(rescue::last(&self.main, &self.plan.session).await?.map(|(name, _)| name));
        }
        Ok(None)
    }

    /// Deletes what is safe by now.
    pub(super) async fn delete_leftovers(&self) -> Answer<()> {
        self.steps.next("delete files")?;
        disk::delete(&self.aside.making).await?;
        disk::delete(&self.aside.saved).await?;
        disk::delete(&self.aside.empty).await
    }

    /// Deletes the session's branch when it was made for it and the target has all of it. A rescue ref is not enough: a
    /// session that is restored goes on where its branch is.
    pub(super) async fn delete_branch(&self, record: Option<&Record>) -> Answer<()> {
        let Some(record) = record.filter(|record| record.made_branch) else { return Ok(()) };
        self.steps.next("delete branch")?;
        let branch = format!("refs/heads/{}", self.plan.branch);
        let Some(tip) = self.main.commit(&branch).await? else { return Ok(()) };
        let used = list_worktrees(&self.main, &self.common).await?;
        let elsewhere = |path: &Path| !crate::git::same(path, &self.plan.path);
        if used.iter().any(|w| w.branch.as_deref() == Some(&self.plan.branch) && elsewhere(&w.path)) {
            return Ok(());
        }
        if self.is_contained(&tip, &record.target).await? {
            // With its old value: a commit made in between keeps it.
            self.main.call(["update-ref", "-d", &branch, tip.as_str()]).ask().await?;
        }
        Ok(())
    }

    async fn is_contained(&self, tip: &CommitId, target: &str) -> Answer<bool> {
        let target = self.main.commit(&format!("refs/heads/{target}")).await?;
        if let Some(target) = &target
            && self.main.is_ancestor(tip, target).await?
        {
            return Ok(true);
        }
        // Squashed into the target, and the pull request still holds its commits.
        let Some(target) = target else { return Ok(false) };
        let held = ["for-each-ref", "--count=1", "--contains", tip.as_str(), "refs/ao/pull"];
        if self.main.call(held).text().await?.is_empty() {
            return Ok(false);
        }
        let merged = self.main.call(["merge-tree", "--write-tree", target.as_str(), tip.as_str()]).ask().await?;
        Ok(merged.code == 0 && merged.line() == self.main.tree(&target).await?)
    }
}
