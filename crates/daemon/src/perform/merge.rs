//! Performs what concerns pull requests and the target branch.

use crate::engine::Engine;
use ao_core::effect::{CandidateHead, Outcome};
use ao_core::id::{BatchId, CommitId, PrId, ProjectId};
use ao_core::kind::Fault;
use ao_core::project::{MergeStrategy, Project};
use ao_slots::scm::{CandidatePlan, Landing, PullRequestPlan};
use std::path::{Path, PathBuf};

/// A project as it is now.
pub(super) fn project(engine: &Engine, id: &ProjectId) -> Result<Project, Fault> {
    engine
        .read(|c| c.facts.projects.get(id).cloned())
        .ok_or_else(|| Fault::not_found(format!("there is no project {id}")))
}

pub(super) async fn open(
    engine: &Engine,
    pr: &PrId,
    id: &ProjectId,
    head: &CommitId,
    title: &str,
    branch: &str,
    target: &str,
) -> Result<Outcome, Fault> {
    let project = project(engine, id)?;
    let number = engine.read(|c| c.facts.pull_requests.get(pr).map_or(0, |pr| pr.number));
    let plan = PullRequestPlan {
        repository: PathBuf::from(&project.path),
        number,
        head: head.clone(),
        title: title.to_owned(),
        branch: branch.to_owned(),
        target: target.to_owned(),
    };
    engine.registry().scm(&project.settings.scm)?.ensure_pull_request(&plan).await?;
    Ok(Outcome::PullRequestOpen)
}

pub(super) async fn build(
    engine: &Engine,
    batch: &BatchId,
    id: &ProjectId,
    target: &str,
    heads: &[CandidateHead],
    strategy: MergeStrategy,
) -> Result<Outcome, Fault> {
    let project = project(engine, id)?;
    let plan = CandidatePlan {
        repository: PathBuf::from(&project.path),
        target: target.to_owned(),
        heads: heads.to_vec(),
        strategy,
        keep: format!("refs/ao/candidate/{batch}"),
    };
    let built = engine.registry().scm(&project.settings.scm)?.build_candidate(&plan).await?;
    Ok(Outcome::CandidateBuilt {
        old: built.old,
        tip: built.tip,
        built: built.built,
        conflicts: built.conflicts,
        later: built.later,
        contained: built.contained,
    })
}

pub(super) async fn land(
    engine: &Engine,
    id: &ProjectId,
    target: &str,
    old: &CommitId,
    new: &CommitId,
) -> Result<Outcome, Fault> {
    let project = project(engine, id)?;
    let scm = engine.registry().scm(&project.settings.scm)?;
    Ok(match scm.land(Path::new(&project.path), target, old, new).await? {
        Landing::Landed => Outcome::Landed,
        Landing::Lost { actual } => Outcome::SwapLost { actual },
        Landing::Blocked { why } => Outcome::LandBlocked { why },
    })
}

pub(super) async fn target(engine: &Engine, id: &ProjectId, target: &str) -> Result<Outcome, Fault> {
    let project = project(engine, id)?;
    let commit = engine.registry().scm(&project.settings.scm)?.target(Path::new(&project.path), target).await?;
    Ok(Outcome::Target { commit })
}
