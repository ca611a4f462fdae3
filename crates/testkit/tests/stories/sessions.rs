//! The life of a plain session, and what people are told about it.

use ao_core::activity::{Activity, InputKind, Source, Work};
use ao_core::event::{Answer, Event};
use ao_core::id::{LaunchId, SessionId};
use ao_core::kind::{Fault, Kind};
use ao_core::reaction::{Action, ReactionKey, STUCK_AFTER, default_rule};
use ao_core::session::{Ending, Phase, Role};
use ao_core::status::Status;
use ao_core::time::Millis;
use ao_testkit::world::agent::{Reply, Shows, Start};
use ao_testkit::world::{World, new_session};

const HELLO: [(&str, &str); 1] = [("a", "broken:one")];

fn stop(world: &mut World, session: &SessionId, cleanup: bool) -> Answer {
    let event = Event::StopRequested { session: session.clone(), why: "ao stop".into(), cleanup };
    let answer = world.happen(event);
    world.perform_all();
    answer
}

fn say(world: &mut World, session: &SessionId, text: &str) -> Answer {
    world.happen(Event::MessageSent { session: session.clone(), text: text.into(), from: "me".into() })
}

fn refusal(answer: Answer) -> Fault {
    match answer {
        Answer::Refused(fault) => fault,
        other => panic!("it was not refused: {other:?}"),
    }
}

#[test]
fn a_session_is_spawned_told_stopped_cleaned_up_and_restored() {
    let mut world = World::new(&HELLO);
    let id = world.spawn("look around", Some("Look around."));
    assert_eq!(world.status(&id), Status::Spawning);
    world.perform_all();
    assert_eq!(world.status(&id), Status::Idle);
    assert_eq!(world.told_to(&id), ["Look around."]);

    say(&mut world, &id, "And now?");
    world.perform_all();
    assert_eq!(world.told_to(&id), ["Look around.", "And now?"]);

    stop(&mut world, &id, false);
    assert_eq!(world.status(&id), Status::Killed);
    assert_eq!(world.agents(), 0);
    assert_eq!(world.workspaces().count(), 1, "a stop keeps the workspace");

    world.happen(Event::RestoreRequested { session: id.clone() });
    world.perform_all();
    assert_eq!(world.status(&id), Status::Idle);
    say(&mut world, &id, "Still there?");
    world.perform_all();
    assert_eq!(world.told_to(&id).len(), 3, "a restored session takes prompts");

    stop(&mut world, &id, true);
    assert_eq!(world.workspaces().count(), 0);
    assert_eq!(world.session(&id).rescue.as_deref(), Some("refs/ao/rescue/app-1"));

    world.happen(Event::RestoreRequested { session: id.clone() });
    world.perform_all();
    assert_eq!(world.status(&id), Status::Idle, "the workspace is made again");
    assert_eq!(world.notes, [], "nobody was called for any of this");
}

#[test]
fn a_session_stopped_in_the_middle_of_a_turn_takes_prompts_after_a_restore() {
    let mut world = World::new(&HELLO);
    world.behave("", |job| if job.nth == 1 { Reply::Hangs } else { Reply::Done });
    let id = world.spawn("work", Some("Work."));
    world.perform_all();
    assert_eq!(world.status(&id), Status::Working);
    stop(&mut world, &id, false);
    world.happen(Event::RestoreRequested { session: id.clone() });
    say(&mut world, &id, "Go on.");
    world.perform_all();
    assert_eq!(world.told_to(&id), ["Work.", "Go on."]);
}

#[test]
fn an_agent_that_ends_by_itself_ends_its_session() {
    for (code, status) in [(0, Status::Done), (3, Status::Errored)] {
        let mut world = World::new(&HELLO);
        let id = world.spawn("work", Some("Work."));
        world.perform_all();
        world.exits(&id, code);
        world.perform_all();
        assert_eq!(world.status(&id), status);
        assert_eq!(world.notes.len(), usize::from(code != 0), "{:?}", world.notes);
    }
}

#[test]
fn an_agent_that_is_not_installed_is_a_failed_spawn_with_its_words() {
    let mut world = World::new(&HELLO);
    world.fail_with("host:", Fault::new(Kind::NotFound, "codex is not installed"));
    let id = world.spawn("work", Some("Work."));
    world.perform_all();
    assert_eq!(world.status(&id), Status::SpawnFailed);
    assert!(world.notes[0].body.contains("codex is not installed"), "{:?}", world.notes);
}

#[test]
fn what_may_pass_is_tried_again_and_then_given_up() {
    let mut world = World::new(&HELLO);
    world.fail_with("workspace:", Fault::unavailable("git is busy"));
    let id = world.spawn("work", Some("Work."));
    world.perform_all();
    assert_eq!(world.status(&id), Status::Spawning);
    world.pass(Millis::secs(2));
    assert_eq!(world.status(&id), Status::Idle);

    for _ in 0..5 {
        world.fail_with("workspace:", Fault::unavailable("git is busy"));
    }
    let id = world.spawn("work more", Some("Work."));
    world.pass(Millis::mins(1));
    assert_eq!(world.status(&id), Status::SpawnFailed);
}

#[test]
fn a_session_stopped_while_its_workspace_is_made_leaves_nothing_that_cannot_be_cleaned_up() {
    let mut world = World::new(&HELLO);
    let id = world.spawn("work", Some("Work."));
    assert!(matches!(world.session(&id).phase, Phase::Preparing));
    world.happen(Event::StopRequested { session: id.clone(), why: "ao stop".into(), cleanup: false });
    world.perform_all();
    assert_eq!(world.status(&id), Status::Killed);
    assert_eq!(world.agents(), 0);
    assert!(world.session(&id).workspace_path.is_some(), "the workspace came into being and is known");
    world.happen(Event::CleanupRequested { session: id.clone() });
    world.perform_all();
    assert_eq!(world.workspaces().count(), 0);

    let id = world.spawn("work more", Some("Work."));
    stop(&mut world, &id, true);
    assert_eq!(world.workspaces().count(), 0, "a stop with cleanup waits for what it must remove");
    assert_eq!(world.status(&id), Status::Killed);
}

#[test]
fn a_session_stopped_while_its_host_starts_leaves_no_agent_in_any_order() {
    for seed in 0..24 {
        let mut world = World::new(&HELLO);
        let id = world.spawn("work", Some("Work."));
        world.until("its host is asked for", |w| matches!(w.session(&id).phase, Phase::Launching));
        world.shuffle(seed);
        if seed % 3 == 0 {
            world.fail_with("host:", Fault::unavailable("slow"));
        }
        if seed % 4 == 0 {
            world.starts("work", Start::Exits(1), 1);
        }
        stop(&mut world, &id, false);
        assert_eq!(world.agents(), 0, "with seed {seed}: {}", world.report());
        assert_eq!(world.status(&id), Status::Killed, "with seed {seed}: {}", world.report());
    }
}

#[test]
fn a_message_of_a_rule_gets_what_failed_whoever_broke_it() {
    let mut world = World::new(&[("a", "ok:one")]);
    world.project("app", |s| {
        let mut rule = default_rule(ReactionKey::CiFailed);
        rule.message = Some("CI failed: {{errors}}".into());
        s.reactions.set(ReactionKey::CiFailed, rule);
    });
    world.behave("", |job| {
        job.workspace.tree.put("page", if job.nth == 1 { "broken:page" } else { "ok:page" });
        Reply::Done
    });
    let id = world.spawn("add a page", Some("Add a page."));
    world.perform_all();
    world.happen(Event::MergeRequested { session: id.clone() });
    world.perform_all();
    assert!(world.told_to(&id)[1].contains("page is broken"), "{:?}", world.told_to(&id));
}

#[test]
fn a_message_to_an_ended_or_ending_session_is_refused_with_a_hint() {
    let mut world = World::new(&HELLO);
    let id = world.spawn("work", Some("Work."));
    world.perform_all();
    world.happen(Event::StopRequested { session: id.clone(), why: "ao stop".into(), cleanup: false });
    let fault = refusal(say(&mut world, &id, "One more."));
    assert_eq!(fault.kind, Kind::Conflict);
    world.perform_all();
    let fault = refusal(say(&mut world, &id, "One more."));
    assert!(fault.hint.expect("a hint").contains("ao restore app-1"));
    assert_eq!(refusal(say(&mut world, &SessionId::new("none-1"), "Hello?")).kind, Kind::NotFound);
}

#[test]
fn a_workspace_that_is_being_removed_is_not_started_in() {
    let mut world = World::new(&HELLO);
    let id = world.spawn("work", Some("Work."));
    world.perform_all();
    stop(&mut world, &id, false);
    world.happen(Event::CleanupRequested { session: id.clone() });
    let fault = refusal(world.happen(Event::RestoreRequested { session: id.clone() }));
    assert_eq!(fault.kind, Kind::Conflict);
    world.perform_all();
    world.happen(Event::RestoreRequested { session: id.clone() });
    world.perform_all();
    assert_eq!(world.status(&id), Status::Idle);
}

#[test]
fn a_permission_dialog_calls_a_person_once_and_prompts_wait() {
    let mut world = World::new(&HELLO);
    world.behave("", |job| if job.nth == 1 { Reply::Asks(InputKind::Permission) } else { Reply::Done });
    let id = world.spawn("work", Some("Work."));
    world.perform_all();
    assert_eq!(world.status(&id), Status::NeedsInput);
    say(&mut world, &id, "Later.");
    world.pass(Millis::mins(30));
    assert_eq!(world.told_to(&id), ["Work."], "nothing is typed into a dialog");
    assert_eq!(world.notes.len(), 1, "{:?}", world.notes);
    world.answer(&id);
    world.perform_all();
    assert_eq!(world.told_to(&id), ["Work.", "Later."]);
    assert_eq!(world.status(&id), Status::Idle);
}

#[test]
fn a_dialog_seen_before_any_sign_of_work_is_a_turn_and_enter_is_not_pressed_into_it() {
    let mut world = World::new(&HELLO);
    world.behave("", |_| Reply::Hangs);
    world.answer_with("submit:", ao_core::effect::Outcome::Submitted { offset: 3 });
    let id = world.spawn("work", Some("Work."));
    world.until("Enter was pressed", |w| {
        w.facts.deliveries.values().any(|d| matches!(d.state, ao_core::delivery::DeliveryState::Submitted { .. }))
    });
    world.shows(&id, Shows::Asks(InputKind::Permission));
    world.pass(Millis::mins(2));
    assert_eq!(world.status(&id), Status::NeedsInput);
    assert!(!world.facts.pending.keys().any(|k| k.as_str().contains("submit:")), "{}", world.report());
    assert!(world.session(&id).outbox.is_empty(), "the prompt has arrived");
}

#[test]
fn a_login_is_told_as_one() {
    let mut world = World::new(&HELLO);
    world.starts("", Start::Asks(InputKind::Login), 1);
    let id = world.spawn("work", Some("Work."));
    world.perform_all();
    assert_eq!(world.status(&id), Status::AuthRequired);
    world.answer(&id);
    world.perform_all();
    assert_eq!(world.told_to(&id), ["Work."]);
}

#[test]
fn a_threshold_gives_the_agent_time_before_a_person_is_called() {
    let mut world = World::new(&HELLO);
    world.project("app", |s| {
        let mut rule = default_rule(ReactionKey::AgentNeedsInput);
        rule.threshold = Some(Millis::mins(2));
        s.reactions.set(ReactionKey::AgentNeedsInput, rule);
    });
    world.behave("", |_| Reply::Asks(InputKind::Question));
    let id = world.spawn("work", Some("Work."));
    world.pass(Millis::mins(1));
    assert_eq!(world.status(&id), Status::NeedsInput, "it is shown at once");
    assert_eq!(world.notes, []);
    world.pass(Millis::mins(1));
    assert_eq!(world.notes.len(), 1);
}

#[test]
fn a_turn_without_output_is_called_stuck_ever_more_rarely_and_output_takes_it_back() {
    let mut world = World::new(&HELLO);
    world.behave("", |_| Reply::Hangs);
    let id = world.spawn("work", Some("Work."));
    world.pass(Millis(STUCK_AFTER.0 - 1000));
    assert_eq!(world.status(&id), Status::Working);
    world.pass(Millis::secs(1));
    assert_eq!(world.status(&id), Status::Stuck);
    assert_eq!(world.notes.len(), 1, "{:?}", world.notes);
    world.pass(Millis(STUCK_AFTER.0 - 1000));
    assert_eq!(world.notes.len(), 1, "twice as long, then four times");
    world.pass(Millis::mins(60));
    assert_eq!(world.notes.len(), 3, "{:?}", world.notes);
    world.pass(Millis::mins(60 * 24));
    assert_eq!(world.notes.len(), 5, "who does not come is not called for ever: {:?}", world.notes);
    assert_eq!(world.agents(), 1, "nothing is ended");
    let launch = LaunchId::of(&id, 1);
    world.happen(Event::OutputSeen { session: id.clone(), launch, offset: 999 });
    assert_eq!(world.status(&id), Status::Working);
    world.pass(STUCK_AFTER);
    assert_eq!(world.status(&id), Status::Stuck);
    assert_eq!(world.notes.len(), 6);
}

#[test]
fn a_hook_that_is_called_is_life_although_nothing_is_printed() {
    let mut world = World::new(&HELLO);
    world.behave("", |_| Reply::Hangs);
    let id = world.spawn("work", Some("Work."));
    world.pass(Millis(STUCK_AFTER.0 - 1000));
    world.observe(&id, Source::Hook, Activity::Working { on: Some(Work::Tool) });
    world.pass(Millis(STUCK_AFTER.0 - 1000));
    assert_eq!((world.status(&id), world.notes.len()), (Status::Working, 0));
    world.pass(Millis::secs(2));
    assert_eq!((world.status(&id), world.notes.len()), (Status::Stuck, 1));
}

#[test]
fn a_failed_probe_is_not_a_death() {
    let mut world = World::new(&HELLO);
    let id = world.spawn("work", Some("Work."));
    world.perform_all();
    let launch = LaunchId::of(&id, 1);
    let probe = ao_core::event::Probe::Unknown { why: "no answer".into() };
    world.happen(Event::HostProbed { session: id.clone(), launch, probe });
    assert_eq!(world.status(&id), Status::Idle);
    world.host_dies(&id);
    assert_eq!(world.status(&id), Status::Terminated);
}

#[test]
fn a_host_that_was_not_started_yet_is_not_missed() {
    let mut world = World::new(&HELLO);
    let id = world.spawn("work", Some("Work."));
    world.until("its host is asked for", |w| matches!(w.session(&id).phase, Phase::Launching));
    let launch = LaunchId::of(&id, 1);
    world.happen(Event::HostProbed {
        session: id.clone(),
        launch,
        probe: ao_core::event::Probe::Gone { left: ao_core::session::Remains::None },
    });
    world.perform_all();
    assert_eq!(world.status(&id), Status::Idle);
    assert_eq!(world.told_to(&id), ["Work."]);
}

#[test]
fn places_are_limited_by_project_and_given_in_order() {
    let mut world = World::new(&HELLO);
    world.project("app", |s| s.parallel = 2);
    let ids: Vec<SessionId> = (0..12).map(|n| world.spawn(&format!("work {n}"), Some("Work."))).collect();
    world.perform_all();
    assert_eq!(world.agents(), 2);
    let Phase::Queued { why } = &world.session(&ids[2]).phase else { panic!("{}", world.report()) };
    assert!(why.contains("all 2 places of project app"), "{why}");
    for (i, id) in ids.iter().enumerate() {
        assert_eq!(world.status(id), Status::Idle, "it is the turn of the {i}th");
        stop(&mut world, id, false);
    }
    let last = ids.last().expect("there are twelve");
    world.project("app", |s| s.parallel = 1);
    let one = world.spawn("one more", None);
    world.perform_all();
    world.happen(Event::RestoreRequested { session: last.clone() });
    world.perform_all();
    assert!(matches!(world.session(last).phase, Phase::Queued { .. }), "a restore waits for a place as well");
    stop(&mut world, &one, false);
    assert_eq!(world.status(last), Status::Idle);
}

#[test]
fn the_machine_limits_sessions_of_all_projects_together() {
    let mut world = World::new(&HELLO);
    world.project("web", |_| {});
    world.happen(Event::PlacesMeasured { places: 1 });
    let first = world.spawn("work", None);
    let other = world.happen(Event::SessionRequested { new: Box::new(new_session("web", "work", None)) });
    let Answer::Session(other) = other else { panic!("{other:?}") };
    world.perform_all();
    assert!(matches!(world.session(&other).phase, Phase::Queued { .. }));
    stop(&mut world, &first, false);
    assert_eq!(world.status(&other), Status::Idle);
}

#[test]
fn names_ids_and_branches_stay_apart() {
    let mut world = World::new(&HELLO);
    let first = world.spawn("add a page", None);
    let second = world.spawn("add a page", None);
    assert_eq!(world.session(&first).name, "app-add-a-page");
    assert_eq!(world.session(&second).name, "app-add-a-page-2");
    assert_ne!(world.session(&first).branch, world.session(&second).branch);

    let mut new = new_session("app", "other", None);
    new.branch = Some("b".into());
    let Answer::Session(owner) = world.happen(Event::SessionRequested { new: Box::new(new.clone()) }) else { panic!() };
    let fault = refusal(world.happen(Event::SessionRequested { new: Box::new(new.clone()) }));
    assert!(fault.message.contains("branch b belongs"), "{fault}");
    world.perform_all();
    stop(&mut world, &owner, false);
    world.happen(Event::SessionRequested { new: Box::new(new) });
    let fault = refusal(world.happen(Event::RestoreRequested { session: owner.clone() }));
    assert!(fault.message.contains("branch b"), "two writers on one branch: {fault}");

    // A removed project's ids are not given again.
    let mut world = World::new(&HELLO);
    let first = world.spawn("work", None);
    world.perform_all();
    stop(&mut world, &first, false);
    world.happen(Event::ProjectRemoved { project: "app".into_id() });
    world.happen(Event::ProjectConfigured {
        project: "app2".into_id(),
        path: "/repos/app2".into(),
        data: "/data/app2".into(),
        prefix: "app".into(),
        settings: Box::default(),
    });
    let new = new_session("app2", "work", None);
    assert_eq!(world.happen(Event::SessionRequested { new: Box::new(new) }), Answer::Session(SessionId::new("app-2")));
}

trait IntoId {
    fn into_id(self) -> ao_core::id::ProjectId;
}

impl IntoId for &str {
    fn into_id(self) -> ao_core::id::ProjectId {
        ao_core::id::ProjectId::new(self)
    }
}

#[test]
fn a_project_with_live_sessions_does_not_move_to_another_repository() {
    let mut world = World::new(&HELLO);
    world.spawn("work", None);
    let mut event = Event::ProjectConfigured {
        project: "app".into_id(),
        path: "/elsewhere".into(),
        data: "/data/other".into(),
        prefix: "app".into(),
        settings: Box::default(),
    };
    assert_eq!(refusal(world.happen(event.clone())).kind, Kind::Conflict);
    if let Event::ProjectConfigured { prefix, path, .. } = &mut event {
        *prefix = "../x".into();
        *path = "/repos/app".into();
    }
    assert_eq!(refusal(world.happen(event)).kind, Kind::Invalid);
}

#[test]
fn old_news_of_a_source_does_not_overrule_newer() {
    let mut world = World::new(&HELLO);
    let id = world.spawn("work", None);
    world.perform_all();
    let earlier = world.now;
    world.now = earlier.after(Millis::secs(5));
    world.observe(&id, Source::Hook, Activity::Idle);
    let launch = LaunchId::of(&id, 1);
    let late = ao_core::activity::Observation {
        activity: Activity::Working { on: None },
        source: Source::Hook,
        at: earlier,
        offset: None,
        why: "a hook from the spool".into(),
    };
    world.happen(Event::Observed { session: id.clone(), launch, observation: late });
    assert_eq!(world.session(&id).known.activity, Activity::Idle);
}

#[test]
fn merging_on_request_lands_and_leaves_the_session_to_its_person() {
    let mut world = World::new(&[("a", "ok:one")]);
    world.behave("", |job| {
        job.workspace.tree.put("page", "ok:page");
        Reply::Done
    });
    let id = world.spawn("add a page", Some("Add a page."));
    world.perform_all();
    world.happen(Event::MergeRequested { session: id.clone() });
    world.perform_all();
    assert_eq!(world.status(&id), Status::Merged);
    assert_eq!(world.repo.tree(world.repo.tip()).0["page"], "ok:page");
    assert_eq!(world.agents(), 1);
    world.behave("", |_| Reply::Hangs);
    say(&mut world, &id, "One more thing.");
    world.perform_all();
    assert_eq!(world.status(&id), Status::Working, "what it does now counts more than what landed before");
}

#[test]
fn an_ended_session_can_be_merged_and_stays_ended() {
    let mut world = World::new(&[("a", "ok:one")]);
    world.behave("", |job| {
        let text = if job.nth == 1 { "broken:page" } else { "ok:page" };
        job.workspace.tree.put("page", text);
        Reply::Done
    });
    let id = world.spawn("add a page", Some("Add a page."));
    world.perform_all();
    stop(&mut world, &id, false);
    world.happen(Event::MergeRequested { session: id.clone() });
    world.perform_all();
    assert_eq!(world.status(&id), Status::Killed, "a red gate does not wake it");
    assert!(world.notes.iter().any(|n| n.body.contains("the check still fails: page")), "{:?}", world.notes);
    world.workspace(&id).tree.put("page", "ok:page");
    world.happen(Event::MergeRequested { session: id.clone() });
    world.perform_all();
    assert_eq!(world.status(&id), Status::Merged);
    assert_eq!(world.agents(), 0);
}

#[test]
fn a_merge_on_a_target_that_was_red_before_is_judged_by_what_it_adds() {
    let mut world = World::new(&[("a", "broken:old")]);
    world.behave("", |job| {
        job.workspace.tree.put("page", "ok:page");
        Reply::Done
    });
    let id = world.spawn("add a page", Some("Add a page."));
    world.perform_all();
    world.happen(Event::MergeRequested { session: id.clone() });
    world.perform_all();
    assert_eq!(world.status(&id), Status::Merged, "{}", world.report());
    assert_eq!(world.told_to(&id).len(), 1, "the old failure is not its business");
}

#[test]
fn red_work_is_told_twice_and_then_a_person_is_called() {
    let mut world = World::new(&[("a", "ok:one")]);
    world.behave("", |job| {
        job.workspace.tree.put("page", &format!("broken:page\n{}", job.nth));
        Reply::Done
    });
    let id = world.spawn("add a page", Some("Add a page."));
    world.perform_all();
    world.happen(Event::MergeRequested { session: id.clone() });
    world.perform_all();
    assert_eq!(world.told_to(&id).len(), 3, "retries: 2 means two more prompts");
    assert_eq!(world.notes.len(), 1, "{:?}", world.notes);
    assert_eq!(world.status(&id), Status::Stuck);
    assert_eq!(world.agents(), 1, "a person's session is not stopped");
}

#[test]
fn a_rule_with_auto_false_only_tells() {
    let mut world = World::new(&[("a", "ok:one")]);
    world.project("app", |s| {
        let mut rule = default_rule(ReactionKey::CiFailed);
        rule.auto = false;
        s.reactions.set(ReactionKey::CiFailed, rule);
        let mut rule = default_rule(ReactionKey::AgentStuck);
        rule.auto = false;
        rule.action = Action::Notify;
        s.reactions.set(ReactionKey::AgentStuck, rule);
    });
    world.behave("", |job| {
        job.workspace.tree.put("page", "broken:page");
        if job.nth == 1 { Reply::Done } else { Reply::Hangs }
    });
    let id = world.spawn("add a page", Some("Add a page."));
    world.perform_all();
    world.happen(Event::MergeRequested { session: id.clone() });
    world.perform_all();
    assert_eq!(world.told_to(&id).len(), 1);
    assert_eq!(world.notes.len(), 1);

    let other = world.spawn("another", Some("Hm."));
    say(&mut world, &other, "Hang.");
    world.pass(Millis::mins(30));
    assert_eq!(world.status(&other), Status::Stuck);
}

#[test]
fn what_is_not_resolved_in_time_is_escalated_by_its_own_deadline() {
    let mut world = World::new(&[("a", "ok:one")]);
    world.project("app", |s| {
        let mut rule = default_rule(ReactionKey::CiFailed);
        rule.escalate_after = Some(ao_core::reaction::Escalate::After(Millis::mins(30)));
        s.reactions.set(ReactionKey::CiFailed, rule);
    });
    world.behave("", |job| {
        job.workspace.tree.put("page", "broken:page");
        if job.nth == 1 { Reply::Done } else { Reply::Interrupted }
    });
    let id = world.spawn("add a page", Some("Add a page."));
    world.perform_all();
    world.happen(Event::MergeRequested { session: id.clone() });
    world.pass(Millis::mins(29));
    assert_eq!(world.notes, []);
    world.pass(Millis::mins(1));
    assert_eq!(world.notes.len(), 1, "{}", world.report());
    assert_eq!(world.status(&id), Status::Stuck);
}

#[test]
fn an_orchestrator_is_a_session_like_any_other() {
    let mut world = World::new(&HELLO);
    let mut new = new_session("app", "direct", Some("Direct."));
    new.role = Role::Orchestrator;
    let Answer::Session(id) = world.happen(Event::SessionRequested { new: Box::new(new) }) else { panic!() };
    world.perform_all();
    assert_eq!(world.session(&id).role, Role::Orchestrator);
    assert_eq!(world.status(&id), Status::Idle);
}

#[test]
fn an_agent_that_ends_with_a_merge_on_its_way_does_not_take_it_back() {
    let mut world = World::new(&[("a", "ok:one")]);
    world.behave("", |job| {
        job.workspace.tree.put("page", "ok:page");
        Reply::Done
    });
    let id = world.spawn("add a page", Some("Add a page."));
    world.perform_all();
    world.happen(Event::MergeRequested { session: id.clone() });
    world.exits(&id, 0);
    world.perform_all();
    assert_eq!(world.status(&id), Status::Merged);
    let Phase::Ended { how, .. } = &world.session(&id).phase else { panic!("{}", world.report()) };
    assert_eq!(*how, Ending::Merged);
}
