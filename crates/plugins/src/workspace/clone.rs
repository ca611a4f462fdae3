//! Workspaces as clones: a repository of their own, for what must not share one with the main checkout.
//!
//! Objects are hard links where the file system allows; what an agent did is fetched into the main repository.

use super::inspect;
use super::prepare;
use super::record::{self, Aside, Record};
use super::removal::Removal;
use super::rescue;
use super::restore;
use super::seal;
use super::snapshot::{Extent, Site};
use super::submodules;
use crate::disk;
use crate::disk::failed;
use crate::exec::Environment;
use crate::git::{Git, Repository, git_dir_of, missing_branch};
use crate::steps::Steps;
use ao_core::effect::Inspection;
use ao_core::id::{CommitId, SessionId};
use ao_slots::workspace::{
    InspectPlan, Measured, PutBack, RemovePlan, Removed, Rescued, Workspace, WorkspacePlan, WorkspaceReady,
};
use ao_slots::{Answer, Fault};
use async_trait::async_trait;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Copying a large repository on a slow disk.
const COPY: Duration = Duration::from_secs(15 * 60);

/// The target's tip in the main repository, as the clone knows it.
const TARGET: &str = "refs/ao/target";

/// The branch's tip as it was last brought into the main repository.
const BROUGHT: &str = "refs/ao/brought";

/// Workspaces as clones.
#[derive(Clone, Debug)]
pub struct LocalClone {
    env: Environment,
    steps: Steps,
}

impl LocalClone {
    /// With this environment for git and for `postCreate`.
    #[must_use]
    pub fn new(env: Environment) -> Self {
        Self { env, steps: Steps::all() }
    }

    /// The same, stopped before some step: for tests of recovery.
    #[must_use]
    pub fn stopping(env: Environment, steps: Steps) -> Self {
        Self { env, steps }
    }

    fn site(&self, files: &Path) -> Site {
        let git_dir = files.join(".git");
        Site { git: Git::at(files, &self.env).on(&git_dir, files), git_dir, files: files.to_owned() }
    }
}

/// Whether a clone of ours is there.
fn is_clone(path: &Path) -> bool {
    Record::read(&path.join(".git")).is_some()
}

fn not_ours(path: &Path) -> Fault {
    Fault::conflict(format!("{} is no workspace of ours; it was left as it is", path.display()))
        .hint("move it away, then try again")
}

#[async_trait]
impl Workspace for LocalClone {
    async fn ensure(&self, plan: &WorkspacePlan) -> Answer<WorkspaceReady> {
        prepare::check(plan)?;
        let aside = Aside::of(&plan.path)?;
        disk::delete(&aside.saved).await?;
        disk::delete(&aside.empty).await?;
        let git_dir = plan.path.join(".git");
        if !is_clone(&plan.path) {
            if disk::exists(&plan.path) && !disk::is_empty_dir(&plan.path) {
                return Err(not_ours(&plan.path));
            }
            self.make(plan, &aside).await?;
        }
        let Some(record) = Record::read(&git_dir) else { return Err(not_ours(&plan.path)) };
        if record.session != plan.session.as_str() {
            return Err(Fault::conflict(format!("{} belongs to session {}", plan.path.display(), record.session)));
        }
        let mut put_back = None;
        if !record::is_ready(&git_dir) {
            if plan.rescued.is_some() {
                self.steps.next("put back")?;
                let main = Git::at(&plan.repository, &self.env);
                let common = Repository::of(&main).await?.common;
                put_back = restore::into_workspace(&main, &common, &self.site(&plan.path), plan, &self.env).await?;
            }
            self.steps.next("prepare")?;
            let main = Git::at(&plan.repository, &self.env);
            let common = Repository::of(&main).await?.common;
            let site = self.site(&plan.path);
            submodules::check_out(&main, &common, &site).await?;
            prepare::large_files(&site, &common).await?;
            prepare::prepare(plan, &plan.path, &git_dir, &self.env).await?;
            self.steps.next("mark as ready")?;
            record::set_ready(&git_dir)?;
        }
        let branch = crate::git::head_branch(&Git::at(&plan.path, &self.env)).await;
        Ok(WorkspaceReady { base: record.base, branch: branch.unwrap_or_else(|_| plan.branch.clone()), put_back })
    }

    async fn inspect(&self, plan: &InspectPlan) -> Answer<Inspection> {
        if !plan.path.is_dir() || disk::is_empty_dir(&plan.path) {
            return Ok(Inspection::Missing);
        }
        if !is_clone(&plan.path) {
            return Err(not_ours(&plan.path));
        }
        let site = self.site(&plan.path);
        let target = self.follow_target(&site, plan).await?;
        let found = inspect::inspect(&site, plan, target).await?;
        if let Inspection::Changed { .. } = &found {
            self.bring_work(&site, plan).await?;
        }
        Ok(found)
    }

    async fn remove(&self, plan: &RemovePlan) -> Answer<Removed> {
        let main = Git::at(&plan.repository, &self.env);
        let common = Repository::of(&main).await?.common;
        let aside = Aside::of(&plan.path)?;
        let removal =
            Removal { plan, main, common, env: &self.env, steps: &self.steps, aside, extent: Extent::Repository };
        let mut removed = Removed { rescue: removal.saved_before().await?, ..Removed::default() };
        let places = [&plan.path, &removal.aside.saved, &removal.aside.empty];
        let record = places.iter().find_map(|place| Record::read(&place.join(".git")));
        if is_clone(&plan.path) {
            removal.refuse_if_used().await?;
            let site = self.site(&plan.path);
            // What the main repository has by now needs no rescue.
            fetch(&site.git, &removal.common, &["+refs/heads/*:refs/remotes/ao/*"]).await?;
            removed = removal.save(&site).await?.after(removed);
        }
        if disk::exists(&plan.path) && !disk::is_empty_dir(&plan.path) {
            return Err(not_ours(&plan.path));
        }
        removal.delete_branch(record.as_ref()).await?;
        removal.delete_leftovers().await?;
        if disk::is_empty_dir(&plan.path) {
            disk::delete(&plan.path).await?;
        }
        Ok(removed)
    }

    async fn measure(&self, plan: &RemovePlan) -> Answer<Measured> {
        if is_clone(&plan.path) { seal::measure(&self.site(&plan.path)).await } else { Ok(Measured::default()) }
    }

    async fn rescued_bytes(&self, repository: &Path, session: &SessionId) -> Answer<Option<u64>> {
        rescue::bytes(&Git::at(repository, &self.env), session).await
    }

    async fn rescued(&self, repository: &Path) -> Answer<Vec<Rescued>> {
        rescue::list(&Git::at(repository, &self.env)).await
    }

    async fn restore_rescued(&self, repository: &Path, name: &str, to: &Path) -> Answer<PutBack> {
        restore::into_directory(repository, name, to, &self.env).await
    }

    async fn show_rescued(&self, repository: &Path, name: &str) -> Answer<String> {
        rescue::show(&Git::at(repository, &self.env), name).await
    }

    async fn drop_rescued(&self, repository: &Path, name: &str, commit: &CommitId) -> Answer<()> {
        rescue::drop_one(&Git::at(repository, &self.env), name, commit).await
    }
}

impl LocalClone {
    /// Makes the clone beside its place and renames it there when it is whole.
    async fn make(&self, plan: &WorkspacePlan, aside: &Aside) -> Answer<()> {
        let main = Git::at(&plan.repository, &self.env);
        let common = Repository::of(&main).await?.common;
        let Some(target) = main.commit(&format!("refs/heads/{}", plan.target)).await? else {
            return Err(missing_branch(&main, &plan.target).await);
        };
        let start = match &plan.base {
            Some(base) => main.commit(base.as_str()).await?.ok_or_else(|| {
                Fault::not_found(format!("there is no commit {base} in {}", plan.repository.display()))
            })?,
            None => target.clone(),
        };
        let tip = main.commit(&format!("refs/heads/{}", plan.branch)).await?;
        let base = match &tip {
            Some(tip) => main.merge_base(tip, &start).await?.unwrap_or_else(|| start.clone()),
            None => start.clone(),
        };
        // Rescued work fits on the commit that it stood on.
        let rescued = restore::start(&main, plan).await?;
        let first = tip.as_ref().or(rescued.as_ref()).unwrap_or(&start).clone();
        let parent = plan.path.parent().unwrap_or(&plan.path);
        fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
        disk::delete(&aside.making).await?;
        self.steps.next("clone")?;
        main.call(["clone", "--quiet", "--local", "--no-checkout", "--origin", "origin"])
            // What is large lies once, where it stays when the clone goes.
            .arg("--config")
            .arg(format!("lfs.storage={}", common.join("lfs").display()))
            .arg(&common)
            .arg(&aside.making)
            .limit(COPY)
            .run()
            .await?;
        self.steps.next("check out")?;
        let git = Git::at(&aside.making, &self.env);
        git.call(["update-ref", &format!("refs/heads/{}", plan.target), target.as_str()]).run().await?;
        self.set_remote(&main, &git, plan, &common).await?;
        if rescued.as_ref() == Some(&first) {
            fetch(&git, &common, &[first.as_str()]).await?;
        }
        copy_sparse(&main, &plan.repository, &git, &aside.making).await?;
        copy_large_filters(&main, &git).await?;
        git.call(["checkout", "--quiet", "--force", "--no-track", "-B", &plan.branch])
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            .arg(first.as_str())
            .limit(COPY)
            .run()
            .await?;
        git.call(["update-ref", BROUGHT, first.as_str()]).run().await?;
        let record = Record {
            session: plan.session.as_str().to_owned(),
            base,
            target: plan.target.clone(),
            made_branch: tip.is_none(),
        };
        record.write(&aside.making.join(".git"))?;
        self.steps.next("put in place")?;
        if disk::exists(&plan.path) {
            // Empty: nothing else comes here.
            fs::remove_dir(&plan.path).map_err(|error| failed(&plan.path, &error))?;
        }
        disk::rename(&aside.making, &plan.path)
    }

    /// `origin` is where the main checkout pushes to, or the main checkout itself.
    async fn set_remote(&self, main: &Git, git: &Git, plan: &WorkspacePlan, common: &Path) -> Answer<()> {
        let said = main.call(["config", "--get", "remote.origin.url"]).ask().await?;
        if said.code != 0 || said.line().is_empty() {
            let url = if plan.repository.join(".git").exists() { &plan.repository } else { common };
            return git.call(["config", "remote.origin.url"]).arg(url).run().await.map(drop);
        }
        // A relative address is meant from the main checkout.
        let url = said.line();
        let local = plan.repository.join(&url);
        let url =
            if !url.contains(':') && local.exists() { local.display().to_string() } else { without_password(&url) };
        git.call(["config", "remote.origin.url", &url]).run().await?;
        git.call(["-c", "protocol.file.allow=always", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"])
            .arg("--prune")
            .arg(common)
            .arg("+refs/remotes/origin/*:refs/remotes/origin/*")
            .limit(COPY)
            .run()
            .await
            .map(drop)
    }

    /// Lets the clone know what the target is now, so that an agent can merge it; the target's commit.
    async fn follow_target(&self, site: &Site, plan: &InspectPlan) -> Answer<Option<CommitId>> {
        let main = Git::at(&plan.repository, &self.env);
        let Some(target) = main.commit(&format!("refs/heads/{}", plan.target)).await? else { return Ok(None) };
        if site.git.commit(TARGET).await?.as_ref() == Some(&target) {
            return Ok(Some(target));
        }
        let common = Repository::of(&main).await?.common;
        let branch = format!("refs/heads/{}", plan.target);
        fetch(&site.git, &common, &[&format!("+{branch}:{TARGET}")]).await?;
        // The agent's own target branch, unless it stands on it or changed it.
        let on_it = crate::git::head_branch(&site.git).await.is_ok_and(|name| name == plan.target);
        let old = site.git.commit(&branch).await?;
        let behind = match &old {
            Some(old) => site.git.is_ancestor(old, &target).await?,
            None => true,
        };
        if !on_it && behind {
            site.git.call(["update-ref", &branch, target.as_str()]).run().await?;
        }
        Ok(Some(target))
    }

    /// Brings what was kept, and the branch, into the main repository.
    async fn bring_work(&self, site: &Site, plan: &InspectPlan) -> Answer<()> {
        let main = Git::at(&plan.repository, &self.env);
        fetch(&main, &site.git_dir, &[&format!("+{0}:{0}", plan.keep)]).await?;
        let branch = format!("refs/heads/{}", plan.branch);
        let Some(tip) = site.git.commit(&branch).await? else { return Ok(()) };
        let there = main.commit(&branch).await?;
        if there.as_ref() == Some(&tip) {
            return Ok(());
        }
        fetch(&main, &site.git_dir, &[&branch]).await?;
        let brought = site.git.commit(BROUGHT).await?;
        let may = match &there {
            // As we left it, or on the way to what the agent has now: nobody else's commit is lost.
            Some(there) => brought.as_ref() == Some(there) || main.is_ancestor(there, &tip).await?,
            None => true,
        };
        let common = Repository::of(&main).await?.common;
        let checkouts = crate::git::list_worktrees(&main, &common).await?;
        if may && !checkouts.iter().any(|checkout| checkout.branch.as_deref() == Some(&plan.branch)) {
            let old = there.map(|there| there.as_str().to_owned()).unwrap_or_default();
            main.call(["update-ref", &branch, tip.as_str(), &old]).run().await?;
            site.git.call(["update-ref", BROUGHT, tip.as_str()]).run().await?;
        }
        Ok(())
    }
}

/// Git LFS may be set up for this repository alone (`git lfs install --local`), which a clone does not take over.
async fn copy_large_filters(main: &Git, git: &Git) -> Answer<()> {
    // Code 1: there are none.
    let said = main.call(["config", "--local", "--null", "--get-regexp", r"^filter\.lfs\."]).ask().await?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    for (name, value) in text.split('\0').filter_map(|entry| entry.split_once('\n')) {
        git.call(["config", name, value]).run().await?;
    }
    Ok(())
}

/// Makes a clone as sparse as the main checkout is.
async fn copy_sparse(main: &Git, repository: &Path, git: &Git, making: &Path) -> Answer<()> {
    let patterns = git_dir_of(repository).map(|git_dir| git_dir.join("info/sparse-checkout"));
    let Some(patterns) = patterns.filter(|file| file.is_file()) else { return Ok(()) };
    for name in ["core.sparseCheckout", "core.sparseCheckoutCone"] {
        let said = main.call(["config", "--type=bool", "--get", name]).ask().await?;
        if said.code == 0 {
            git.call(["config", name, &said.line()]).run().await?;
        }
    }
    let to = making.join(".git/info/sparse-checkout");
    fs::create_dir_all(making.join(".git/info"))
        .and_then(|()| fs::copy(&patterns, &to).map(drop))
        .map_err(|error| failed(&to, &error))
}

async fn fetch(into: &Git, from: &PathBuf, refs: &[&str]) -> Answer<()> {
    into.call(["-c", "protocol.file.allow=always", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"])
        .args(["--no-recurse-submodules", "--no-auto-maintenance"])
        .arg(from)
        .args(refs)
        .limit(COPY)
        .run()
        .await
        .map(drop)
}

/// An address without the password in it: git asks for that, it is not kept in files.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Some((who, host)) = place.rsplit_once('@') else { return url.to_owned() };
    let user = who.split(':').next().unwrap_or_default();
    if scheme.starts_with("http") {
        format!("{scheme}://{host}{path}")
    } else {
        format!("{scheme}://{user}@{host}{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_copied_into_a_clone() {
        assert_eq!(without_password("https://me:tok@host/a/b@c"), "https://host/a/b@c");
        assert_eq!(without_password("ssh://git:pw@host/a"), "ssh://git@host/a");
        assert_eq!(without_password("git@host:a/b"), "git@host:a/b");
    }
}
