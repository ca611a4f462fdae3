//! The merge queue: what was gated lands, and nothing else.

use super::runs::EIGHT;
use ao_core::effect::Outcome;
use ao_core::event::{Answer, Event};
use ao_core::id::{CommitId, ProjectId, SessionId};
use ao_core::kind::Fault;
use ao_core::pull_request::PrState;
use ao_core::run::RunOutcome;
use ao_core::status::Status;
use ao_core::time::Millis;
use ao_testkit::world::World;
use ao_testkit::world::agent::Reply;

fn green(outcome: &RunOutcome) -> bool {
    matches!(outcome, RunOutcome::Green { .. })
}

/// A plain session whose work is one file.
fn author(world: &mut World, file: &'static str, text: &'static str) -> SessionId {
    let title = format!("write {file}");
    world.behave(&title, move |job| {
        if job.prompt.contains("git merge") {
            job.merge_target();
            job.workspace.tree.put(file, &format!("ok:{file}"));
        } else {
            job.workspace.tree.put(file, text);
        }
        Reply::Done
    });
    let id = world.spawn(&title, Some("Write it."));
    world.perform_all();
    id
}

fn merge(world: &mut World, id: &SessionId) -> Answer {
    world.happen(Event::MergeRequested { session: id.clone() })
}

#[test]
fn a_batch_lands_by_one_move_of_the_target() {
    let mut world = World::new(&EIGHT);
    world.ignore("check:app-1:");
    let authors = ["u", "v", "w"].map(|file| author(&mut world, file, "ok:x"));
    world.ignore("build:");
    let first = author(&mut world, "t", "ok:t");
    merge(&mut world, &first);
    world.perform_all();
    for id in &authors {
        merge(&mut world, id);
    }
    world.perform_all();
    let moves = world.repo.history.len();
    world.restart_daemon();
    world.perform_all();
    assert_eq!(world.repo.history.len(), moves + 2, "the first alone, the others together: {}", world.report());
}

#[test]
fn the_scratch_checkouts_go_when_the_queue_is_empty_and_no_run_needs_them() {
    let mut world = World::new(&[("a", "ok:a")]);
    let author = author(&mut world, "t", "ok:t");
    merge(&mut world, &author);
    world.perform_all();
    assert_eq!(world.repo.history.len(), 2, "it landed: {}", world.report());
    assert!(world.scratches_made > 0 && !world.scratch, "{}", world.report());
}

#[test]
fn a_red_batch_is_bisected_until_the_culprit_is_alone() {
    let mut world = World::new(&[("a", "ok:one")]);
    world.behave("write", |job| {
        job.workspace.tree.put("x", "ok:x");
        Reply::Done
    });
    // Each passes alone; two of them clash.
    let ids: Vec<SessionId> = [("p", "ok:p"), ("q", "clash:z"), ("r", "ok:r"), ("s", "clash:z")]
        .into_iter()
        .map(|(file, text)| author(&mut world, file, text))
        .collect();
    world.ignore("build:app-batch-1");
    let plug = author(&mut world, "plug", "ok:plug");
    merge(&mut world, &plug);
    world.perform_all();
    for id in &ids {
        merge(&mut world, id);
    }
    world.perform_all();
    world.restart_daemon();
    world.perform_all();
    for id in &ids {
        assert_eq!(world.status(id), Status::Merged, "{id}: {}", world.report());
    }
    let told: Vec<_> = world.told.iter().filter(|t| t.text.contains("does not pass the check")).collect();
    assert_eq!(told.len(), 1, "only the culprit is told: {told:#?}");
    assert_eq!(told[0].session, ids[3]);
    assert!(told[0].text.contains("git merge main"));
    for commit in &world.repo.history {
        assert!(world.repo.tree(commit).check(None).passed, "the target was never red");
    }
}

#[test]
fn a_lost_swap_means_that_the_candidate_is_built_again() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.ignore("land:app-batch-1");
    let run = world.fix(|_| {});
    world.perform_all();
    world.repo.push(|tree| tree.put("other", "ok:other"));
    world.restart_daemon();
    assert!(green(&world.finish(&run)), "{}", world.report());
    let tree = world.repo.tree(world.repo.tip());
    assert_eq!((tree.0["a"].as_str(), tree.0["other"].as_str()), ("ok:one", "ok:other"));
}

#[test]
fn what_landed_before_a_crash_is_not_landed_twice() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.ignore("land:app-batch-1");
    let run = world.fix(|_| {});
    world.perform_all();
    let land = world.facts.pending.values().find_map(|p| match &p.effect {
        ao_core::effect::Effect::Land { old, new, .. } => Some((old.clone(), new.clone())),
        _ => None,
    });
    let (old, new) = land.expect("a landing is pending");
    assert!(world.repo.swap(&old, &new));
    world.restart_daemon();
    assert!(green(&world.finish(&run)));
    assert_eq!(world.repo.history, [old, new]);
}

#[test]
fn a_dirty_checkout_blocks_with_one_note_and_lands_when_it_is_clean() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.repo.dirty = true;
    let run = world.fix(|_| {});
    world.pass(Millis::mins(10));
    assert_eq!(world.repo.history.len(), 1, "nothing moved");
    assert_eq!(world.notes.len(), 1, "{:?}", world.notes);
    assert!(world.notes[0].body.contains("checkout dirty"));
    assert_eq!(world.status(&world.mender("one")), Status::InMergeQueue);
    world.repo.dirty = false;
    world.pass(Millis::secs(10));
    assert!(green(&world.finish(&run)));

    let mut world = World::new(&[("a", "broken:one")]);
    world.repo.dirty = true;
    let run = world.fix(|_| {});
    world.perform_all();
    world.repo.dirty = false;
    let before = world.now;
    world.happen(Event::QueueRetried { project: ProjectId::new("app") });
    assert!(green(&world.finish(&run)));
    assert_eq!(world.now, before, "a person's retry does not wait");
}

#[test]
fn a_landing_that_nobody_answers_costs_no_time() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.repo.dirty = true;
    world.fix(|_| {});
    world.perform_all();
    world.ignore("land:");
    world.pass(Millis::secs(10));
    world.must_rest();
}

#[test]
fn a_stopped_session_does_not_land_from_the_blocked_queue() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.repo.dirty = true;
    world.fix(|_| {});
    world.perform_all();
    let id = world.mender("one");
    world.happen(Event::StopRequested { session: id.clone(), why: "ao stop".into(), cleanup: false });
    world.repo.dirty = false;
    world.pass(Millis::mins(1));
    assert_eq!(world.repo.history.len(), 1);
    assert_eq!(world.status(&id), Status::Killed);
    assert!(world.facts.queues[&ProjectId::new("app")].batch.is_none());
}

#[test]
fn work_that_goes_on_while_its_pull_request_waits_is_gated_again() {
    let mut world = World::new(&[("a", "ok:one")]);
    let id = author(&mut world, "page", "ok:first");
    world.ignore("build:");
    merge(&mut world, &id);
    world.perform_all();
    world.behave("write page", |job| {
        job.workspace.tree.put("page", "ok:second");
        Reply::Done
    });
    world.happen(Event::MessageSent { session: id.clone(), text: "Better.".into(), from: "me".into() });
    world.perform_all();
    world.perform_all();
    assert_eq!(world.status(&id), Status::Merged, "{}", world.report());
    assert_eq!(world.repo.tree(world.repo.tip()).0["page"], "ok:second");
    assert_eq!(world.facts.pull_requests.len(), 1);
}

#[test]
fn a_pull_request_that_opens_late_does_not_enter_with_work_that_is_looked_at_again() {
    let mut world = World::new(&[("a", "ok:one")]);
    let id = author(&mut world, "page", "ok:first");
    world.ignore("pr:");
    merge(&mut world, &id);
    world.perform_all();
    let key = world.facts.pending.keys().find(|k| k.as_str().starts_with("pr:")).cloned().expect("it is being opened");
    world.ignore("inspect:");
    merge(&mut world, &id);
    world.perform_all();
    world.happen(Event::EffectDone { key, outcome: Outcome::PullRequestOpen });
    let queue = &world.facts.queues[&ProjectId::new("app")];
    assert!(queue.batch.is_none() && queue.waiting.is_empty(), "{queue:?}");
}

#[test]
fn a_candidate_that_cannot_be_built_takes_only_its_own_session_down() {
    let mut world = World::new(&[("a", "ok:one")]);
    let ids = ["u", "v"].map(|file| author(&mut world, file, "ok:x"));
    world.ignore("build:app-batch-1");
    let plug = author(&mut world, "plug", "ok:plug");
    merge(&mut world, &plug);
    world.perform_all();
    for id in &ids {
        merge(&mut world, id);
    }
    world.perform_all();
    world.fail_with("build:app-batch-2", Fault::not_found("a head is missing"));
    world.fail_with("build:app-batch-3", Fault::not_found("a head is missing"));
    world.restart_daemon();
    world.perform_all();
    assert_eq!(world.status(&ids[0]), Status::Stuck, "{}", world.report());
    assert_eq!(world.status(&ids[1]), Status::Merged, "{}", world.report());
}

#[test]
fn a_builder_that_forgets_a_pull_request_is_found_out() {
    let mut world = World::new(&[("a", "ok:one")]);
    let id = author(&mut world, "page", "ok:page");
    let old: CommitId = world.repo.tip().clone();
    let nothing = Outcome::CandidateBuilt {
        tip: old.clone(),
        old,
        built: Vec::new(),
        conflicts: Vec::new(),
        later: Vec::new(),
        contained: Vec::new(),
    };
    world.answer_with("build:", nothing);
    merge(&mut world, &id);
    world.perform_all();
    assert_eq!(world.status(&id), Status::Stuck, "{}", world.report());
    assert_eq!(world.notes.len(), 1);
}

#[test]
fn runs_on_two_targets_each_land_on_their_own() {
    let mut world = World::new(&[("a", "broken:one")]);
    let run = world.fix(|new| new.target = "release".into());
    world.until("it lands", |w| w.facts.pending.keys().any(|k| k.as_str().starts_with("land:")));
    let target = world.facts.pending.values().find_map(|p| match &p.effect {
        ao_core::effect::Effect::Land { target, .. } => Some(target.clone()),
        _ => None,
    });
    assert_eq!(target.as_deref(), Some("release"));
    assert!(green(&world.finish(&run)));
    let pr = world.facts.pull_requests.values().next().expect("one");
    assert_eq!(pr.target, "release");
    assert!(matches!(pr.state, PrState::Merged { .. }));
}

#[test]
fn a_change_that_the_target_already_has_counts_as_landed() {
    let mut world = World::new(&[("a", "ok:one")]);
    let id = author(&mut world, "page", "ok:page");
    world.ignore("build:");
    merge(&mut world, &id);
    world.perform_all();
    world.repo.push(|tree| tree.put("page", "ok:page"));
    world.restart_daemon();
    world.perform_all();
    assert_eq!(world.status(&id), Status::Merged, "{}", world.report());
}

#[test]
fn a_workspace_is_removed_after_landing_when_that_is_wanted() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.project("app", |s| s.auto_cleanup_on_merge = true);
    let run = world.fix(|_| {});
    assert!(green(&world.finish(&run)));
    assert_eq!(world.workspaces().count(), 0);
}
