//! Workspaces as linked worktrees: the same objects and refs as the main checkout, files and index of their own.
//!
//! Close to the bare `git worktree add`: one more call of git finds out where and from what.

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
use crate::exec::{Environment, end_marked, place_mark};
use crate::git::{
    Git, Registration, Repository, Turn, list_worktrees, plain_common, plain_tip, registration, same, turn,
};
use crate::steps::Steps;
use ao_core::effect::Inspection;
use ao_core::id::{CommitId, SessionId};
use ao_slots::workspace::{
    InspectPlan, Measured, PutBack, RemovePlan, Removed, Rescued, Workspace, WorkspacePlan, WorkspaceReady,
};
use ao_slots::{Answer, Fault, Kind};
use async_trait::async_trait;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Checking out a large repository on a slow disk.
const CHECKOUT: Duration = Duration::from_secs(15 * 60);

/// Workspaces as linked worktrees.
#[derive(Clone, Debug)]
pub struct Worktree {
    env: Environment,
    steps: Steps,
}

impl Worktree {
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

    fn site(&self, git_dir: &Path, files: &Path) -> Site {
        Site { git: Git::at(files, &self.env).on(git_dir, files), git_dir: git_dir.to_owned(), files: files.to_owned() }
    }
}

#[async_trait]
impl Workspace for Worktree {
    async fn ensure(&self, plan: &WorkspacePlan) -> Answer<WorkspaceReady> {
        prepare::check(plan)?;
        let making = Making::begin(self, plan).await?;
        let admin = making.admin().await?;
        let record = making.record(&admin).await?;
        let mut put_back = None;
        if !record::is_ready(&admin) {
            if plan.rescued.is_some() {
                self.steps.next("put back")?;
                let site = self.site(&admin, &plan.path);
                put_back = restore::into_workspace(&making.main, &making.common, &site, plan, &self.env).await?;
            }
            self.steps.next("prepare")?;
            let site = self.site(&admin, &plan.path);
            submodules::check_out(&making.main, &making.common, &site).await?;
            prepare::large_files(&site, &making.common).await?;
            prepare::prepare(plan, &plan.path, &making.common, &self.env).await?;
            self.steps.next("mark as ready")?;
            record::set_ready(&admin)?;
        }
        Ok(WorkspaceReady {
            base: record.base,
            branch: branch_of(&admin).unwrap_or_else(|| plan.branch.clone()),
            put_back,
        })
    }

    async fn inspect(&self, plan: &InspectPlan) -> Answer<Inspection> {
        if !plan.path.is_dir() || disk::is_empty_dir(&plan.path) {
            return Ok(Inspection::Missing);
        }
        let main = Git::at(&plan.repository, &self.env);
        let common = Repository::of(&main).await?.common;
        let Some(known) = registration(&common, &plan.path) else {
            return Err(not_ours(&plan.path, &plan.repository));
        };
        let target = main.commit(&format!("refs/heads/{}", plan.target)).await?;
        inspect::inspect(&self.site(&known.admin, &plan.path), plan, target).await
    }

    async fn remove(&self, plan: &RemovePlan) -> Answer<Removed> {
        let main = Git::at(&plan.repository, &self.env);
        let common = Repository::of(&main).await?.common;
        let aside = Aside::of(&plan.path)?;
        let removal =
            Removal { plan, main, common, env: &self.env, steps: &self.steps, aside, extent: Extent::Checkout };
        let known = registration(&removal.common, &plan.path);
        let record = known.as_ref().and_then(|known| Record::read(&known.admin));
        let mut removed = Removed { rescue: removal.saved_before().await?, ..Removed::default() };
        if let Some(known) = &known {
            if let Some(why) = known.locked() {
                return Err(Fault::conflict(format!("{} is locked: {why}", plan.path.display()))
                    .hint("`git worktree unlock` it first"));
            }
            // Made and never finished: no agent was ever there.
            if known.is_half_made() {
                end_marked(place_mark(&plan.path)).await;
                disk::delete(&plan.path).await?;
            }
            if disk::exists(&plan.path) && !disk::is_empty_dir(&plan.path) {
                removal.refuse_if_used().await?;
                removed = removal.save(&self.site(&known.admin, &plan.path)).await?.after(removed);
            }
        }
        if disk::exists(&plan.path) && !disk::is_empty_dir(&plan.path) {
            return Err(not_ours(&plan.path, &plan.repository));
        }
        removal.delete_branch(record.as_ref()).await?;
        removal.delete_leftovers().await?;
        if disk::is_empty_dir(&plan.path) {
            disk::delete(&plan.path).await?;
        }
        if known.is_some() {
            self.steps.next("forget")?;
            forget(&removal.main, &plan.path).await?;
        }
        Ok(removed)
    }

    async fn measure(&self, plan: &RemovePlan) -> Answer<Measured> {
        let common = Repository::of(&Git::at(&plan.repository, &self.env)).await?.common;
        match registration(&common, &plan.path) {
            Some(known) if plan.path.is_dir() => seal::measure(&self.site(&known.admin, &plan.path)).await,
            Some(_) | None => Ok(Measured::default()),
        }
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

/// The fault about a directory that holds something else.
fn not_ours(path: &Path, repository: &Path) -> Fault {
    Fault::conflict(format!("{} is no worktree of {}; it was left as it is", path.display(), repository.display()))
        .hint("move it away, or give sessions another `worktreeDir`")
}

/// Whether a worktree's link names a directory that is gone, as after the repository was moved.
fn leads_nowhere(link: &Path) -> bool {
    let text = fs::read_to_string(link).unwrap_or_default();
    let Some(named) = text.trim_end().strip_prefix("gitdir: ") else { return false };
    // A relative one starts at the worktree.
    !disk::exists(&link.parent().unwrap_or(link).join(named))
}

/// The branch in a worktree's HEAD.
fn branch_of(admin: &Path) -> Option<String> {
    let head = fs::read_to_string(admin.join("HEAD")).ok()?;
    let branch = head.trim().strip_prefix("ref: refs/heads/")?;
    // Repositories that keep refs in tables have this here.
    (branch != ".invalid").then(|| branch.to_owned())
}

/// Takes a worktree whose directory is gone out of the repository's list, and only that one.
async fn forget(main: &Git, path: &Path) -> Answer<()> {
    main.call(["worktree", "remove", "--force", "--force"]).arg(path).run().await.map(drop)
}

/// A worktree in the making.
struct Making<'a> {
    owner: &'a Worktree,
    plan: &'a WorkspacePlan,
    main: Git,
    common: PathBuf,
    base: CommitId,
}

/// How a worktree came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Added {
    NewBranch,
    OldBranch,
}

impl<'a> Making<'a> {
    async fn begin(owner: &'a Worktree, plan: &'a WorkspacePlan) -> Answer<Self> {
        let main = Git::at(&plan.repository, &owner.env);
        // Where git keeps both in plain files, looking them up there spares a process for every session.
        if let Some(common) = plain_common(&plan.repository)
            && let Some(base) = plan.base.clone().or_else(|| plain_tip(&common, &plan.target))
        {
            return Ok(Self { owner, plan, main, common, base });
        }
        let start = match &plan.base {
            Some(base) => format!("{base}^{{commit}}"),
            None => format!("refs/heads/{}^{{commit}}", plan.target),
        };
        let said = main.call(["rev-parse", "--path-format=absolute", "--git-common-dir"]).arg(&start).ask().await?;
        let lines = said.line();
        match (said.code, lines.split_once('\n')) {
            (0, Some((common, base))) => {
                Ok(Self { owner, plan, main, common: PathBuf::from(common), base: CommitId::new(base) })
            }
            _ if plan.base.is_none() && Repository::of(&main).await.is_ok() => {
                Err(crate::git::missing_branch(&main, &plan.target).await)
            }
            _ => Err(said.fault()),
        }
    }

    /// Makes sure that the worktree is there; its own git directory.
    async fn admin(&self) -> Answer<PathBuf> {
        let path = &self.plan.path;
        self.finish_removal().await?;
        if let Some(known) = registration(&self.common, path) {
            if self.is_there(&known).await? {
                return Ok(known.admin);
            }
            self.owner.steps.next("forget")?;
            forget(&self.main, path).await?;
        }
        if disk::exists(path) && !disk::is_empty_dir(path) {
            return Err(not_ours(path, &self.plan.repository));
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
        }
        self.owner.steps.next("add")?;
        let added = self.add().await?;
        let Some(known) = registration(&self.common, path) else {
            return Err(Fault::new(Kind::Bug, format!("git added {} and does not know it", path.display())));
        };
        self.owner.steps.next("record")?;
        self.remember(&known.admin, added).await?;
        Ok(known.admin)
    }

    /// What a removal that was stopped left: it was saved, or there was nothing to save.
    async fn finish_removal(&self) -> Answer<()> {
        let aside = Aside::of(&self.plan.path)?;
        disk::delete(&aside.saved).await?;
        disk::delete(&aside.empty).await
    }

    /// Whether the registered worktree has its files. What can be mended is; what was half made is cleared away.
    async fn is_there(&self, known: &Registration) -> Answer<bool> {
        let path = &self.plan.path;
        if known.is_half_made() {
            // The git that made it may still be at it, orphaned.
            end_marked(place_mark(path)).await;
            if known.is_half_made() {
                disk::delete(path).await?;
                return Ok(false);
            }
        }
        if !disk::exists(path) || disk::is_empty_dir(path) {
            return Ok(false);
        }
        if let Some(record) = Record::read(&known.admin)
            && record.session != self.plan.session.as_str()
        {
            return Err(Fault::conflict(format!("{} belongs to session {}", path.display(), record.session)));
        }
        if known.is_linked_from(path) {
            return Ok(true);
        }
        let link = path.join(".git");
        if disk::exists(&link) && !leads_nowhere(&link) {
            return Err(not_ours(path, &self.plan.repository));
        }
        // An agent deleted the link, or the repository was moved; files and index are as they were.
        let text = format!("gitdir: {}\n", known.admin.display());
        fs::write(&link, text).map_err(|error| failed(&link, &error))?;
        Ok(true)
    }

    async fn add(&self) -> Answer<Added> {
        let (plan, mark) = (self.plan, place_mark(&self.plan.path));
        let call = |arguments: &[&str]| {
            self.main
                .call(["worktree", "add", "--quiet"])
                .args(arguments)
                .env("AO_WORKSPACE", &mark)
                .env("GIT_LFS_SKIP_SMUDGE", "1")
                .limit(CHECKOUT)
        };
        let _turn = turn(Turn::Making, &self.common).await;
        // Rescued work fits on the commit that it stood on.
        let rescued = restore::start(&self.main, plan).await?;
        let start = rescued.as_ref().unwrap_or(&self.base).as_str();
        let said = call(&["--no-track", "-b", &plan.branch]).arg(&plan.path).arg(start).ask().await?;
        if said.code == 0 {
            return Ok(Added::NewBranch);
        }
        if !said.stderr.contains("already exists") || self.tip().await?.is_none() {
            return Err(said.fault());
        }
        let said = call(&[]).arg(&plan.path).arg(&plan.branch).ask().await?;
        if said.code == 0 {
            return Ok(Added::OldBranch);
        }
        let all = list_worktrees(&self.main, &self.common).await?;
        match all.iter().find(|w| w.branch.as_ref() == Some(&plan.branch) && !same(&w.path, &plan.path)) {
            Some(other) => {
                Err(Fault::conflict(format!("branch {} is checked out in {}", plan.branch, other.path.display()))
                    .hint("switch to another branch there, or give the session another branch"))
            }
            None => Err(said.fault()),
        }
    }

    async fn tip(&self) -> Answer<Option<CommitId>> {
        self.main.commit(&format!("refs/heads/{}", self.plan.branch)).await
    }

    /// What the worktree started from, as it was remembered, else as the history shows it.
    async fn record(&self, admin: &Path) -> Answer<Record> {
        match Record::read(admin) {
            Some(record) => Ok(record),
            // Stopped between adding and remembering, so that nobody knows who made the branch.
            None => self.remember(admin, Added::OldBranch).await,
        }
    }

    async fn remember(&self, admin: &Path, added: Added) -> Answer<Record> {
        let base = match added {
            Added::NewBranch => self.base.clone(),
            Added::OldBranch => match self.tip().await? {
                Some(tip) => self.main.merge_base(&tip, &self.base).await?.unwrap_or_else(|| self.base.clone()),
                None => self.base.clone(),
            },
        };
        let record = Record {
            session: self.plan.session.as_str().to_owned(),
            base,
            target: self.plan.target.clone(),
            made_branch: added == Added::NewBranch,
        };
        record.write(admin)?;
        Ok(record)
    }
}
