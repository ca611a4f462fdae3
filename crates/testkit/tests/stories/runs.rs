//! `ao fix`: from a red check to a green target, one session per cause.

use ao_core::event::{Answer, Event};
use ao_core::failure::Failure;
use ao_core::id::SessionId;
use ao_core::kind::Fault;
use ao_core::run::{RunOutcome, TaskState};
use ao_core::status::Status;
use ao_core::time::Millis;
use ao_testkit::world::World;
use ao_testkit::world::agent::{Reply, Start};

pub(super) const EIGHT: [(&str, &str); 7] = [
    ("a", "broken:one"),
    ("b", "broken:two"),
    ("c", "broken:three"),
    ("d", "broken:four"),
    ("e", "broken:five"),
    ("f", "broken:six"),
    ("shared", "broken:seven\nbroken:eight"),
];

fn green(outcome: &RunOutcome) -> bool {
    matches!(outcome, RunOutcome::Green { .. })
}

#[test]
fn eight_failures_of_which_two_collide_end_green() {
    let mut world = World::new(&EIGHT);
    let run = world.fix(|_| {});
    let outcome = world.finish(&run);
    assert_eq!(outcome, RunOutcome::Green { commit: world.repo.tip().clone() });

    let tasks = &world.run(&run).tasks;
    assert_eq!(tasks.len(), 8);
    assert!(tasks.iter().all(|t| matches!(t.state, TaskState::Landed { .. })), "{}", world.report());
    let conflicts: Vec<&SessionId> =
        world.told.iter().filter(|t| t.text.contains("Merge conflict")).map(|t| &t.session).collect();
    assert_eq!(conflicts.len(), 1, "the collision goes back once");
    assert!([world.mender("seven"), world.mender("eight")].contains(conflicts[0]), "to a session that owns it");
    assert_eq!(world.told.len(), 9, "one prompt each, and the conflict");
    for commit in &world.repo.history[1..] {
        let red: Vec<Failure> = world.repo.tree(commit).check(None).failures;
        assert!(red.iter().all(|f| EIGHT.iter().any(|(_, text)| text.contains(&f.name))), "{red:?} is of our doing");
    }
    assert_eq!(world.agents(), 0, "every agent was stopped");
    assert_eq!(world.notes, []);
    assert!(world.facts.sessions.keys().all(|id| world.status(id) == Status::Merged));
    assert!(world.settled_sessions(), "{}", world.report());
}

#[test]
fn the_scratch_checkouts_last_as_long_as_the_run_and_no_longer() {
    let mut world = World::new(&EIGHT);
    let run = world.fix(|new| new.keep = true);
    assert!(green(&world.finish(&run)), "{}", world.report());
    world.perform_all();
    assert!(!world.scratch, "nothing of it is left registered: {}", world.report());
    assert_eq!(world.scratches_made, 1, "what was built stays in the middle of a run");

    let dry = world.fix(|new| new.dry_run = true);
    world.finish(&dry);
    world.perform_all();
    assert!(!world.scratch, "nor by a look: {}", world.report());
    assert_eq!(world.scratches_made, 2);
}

#[test]
fn the_scratch_checkouts_of_a_cancelled_run_go_and_a_failure_of_that_is_nobodys_trouble() {
    let mut world = World::new(&EIGHT);
    let run = world.fix(|_| {});
    world.until("sessions work", |w| !w.told.is_empty());
    world.happen(Event::RunCancelled { run });
    world.perform_all();
    assert!(!world.scratch, "{}", world.report());

    let told = world.notes.len();
    world.fail_with("scratch:", Fault::conflict("somebody else's directory"));
    let run = world.fix(|new| new.dry_run = true);
    world.finish(&run);
    world.perform_all();
    assert!(world.scratch && world.notes.len() == told, "{}", world.report());
    assert!(world.facts.pending.keys().all(|key| !key.as_str().starts_with("scratch:")), "it is given up");
}

#[test]
fn each_agent_is_told_exactly_its_failure() {
    let mut world = World::new(&EIGHT);
    let run = world.fix(|_| {});
    world.finish(&run);
    for name in ["one", "two", "three"] {
        let id = world.mender(name);
        let told = world.told_to(&id);
        assert_eq!(told.len(), 1);
        assert!(told[0].contains(&format!("rerun {name}")) && told[0].contains(&format!("{name} is broken")));
        let others = ["four", "five", "six"].iter().filter(|other| told[0].contains(**other)).count();
        assert_eq!(others, 0, "{}", told[0]);
    }
}

#[test]
fn work_that_stays_red_is_given_up_once_and_the_others_land() {
    let mut world = World::new(&EIGHT);
    world.behave("one", |job| {
        job.workspace.tree.put("a", &format!("broken:one\nattempt {}", job.nth));
        Reply::Done
    });
    let run = world.fix(|new| new.max_attempts = Some(3));
    assert_eq!(world.finish(&run), RunOutcome::Red { left: 1 });
    let id = world.mender("one");
    assert_eq!(world.told_to(&id).len(), 3, "three attempts");
    assert!(world.told_to(&id)[1].contains("Still failing"), "{:?}", world.told_to(&id));
    let about: Vec<_> = world.notes.iter().filter(|n| n.session.as_ref() == Some(&id)).collect();
    assert_eq!(about.len(), 1, "{about:?}");
    let landed = world.run(&run).tasks.iter().filter(|t| matches!(t.state, TaskState::Landed { .. })).count();
    assert_eq!(landed, 7);
    let given_up = world.run(&run).tasks.iter().find(|t| t.session.as_ref() == Some(&id)).expect("its task");
    assert_eq!(given_up.attempts, 3);
    assert_eq!(world.status(&id), Status::Errored);
    assert_eq!(world.agents(), 0);
    assert!(world.workspaces().any(|w| *w == id), "its work is kept");
}

#[test]
fn an_agent_that_changes_nothing_is_told_so_and_then_given_up() {
    let mut world = World::new(&[("a", "broken:one"), ("b", "broken:two")]);
    world.behave("one", |_| Reply::Done);
    let run = world.fix(|new| new.max_attempts = Some(2));
    assert_eq!(world.finish(&run), RunOutcome::Red { left: 1 });
    let id = world.mender("one");
    let told = world.told_to(&id);
    assert_eq!(told.len(), 2);
    assert!(told[1].contains("nothing in this workspace differs"), "{}", told[1]);
    assert_eq!(world.notes.len(), 1, "{:?}", world.notes);
}

#[test]
fn an_agent_that_exits_at_once_is_started_once_more_and_then_given_up() {
    let mut world = World::new(&[("a", "broken:one"), ("b", "broken:two")]);
    world.starts("one", Start::Exits(1), 9);
    let run = world.fix(|_| {});
    assert_eq!(world.finish(&run), RunOutcome::Red { left: 1 });
    let id = world.mender("one");
    assert_eq!(world.session(&id).launches, 2);
    assert_eq!(world.notes.len(), 1, "{:?}", world.notes);
    assert!(world.notes[0].body.contains("exit code 1"), "{:?}", world.notes);
    let task = world.run(&run).tasks.iter().find(|t| t.session.as_ref() == Some(&id)).expect("its task");
    assert!(task.attempts <= 2, "no more attempts than starts, not {}", task.attempts);

    let mut world = World::new(&[("a", "broken:one")]);
    world.starts("one", Start::Exits(1), 1);
    let run = world.fix(|_| {});
    assert!(green(&world.finish(&run)), "the second start does it");
    assert_eq!(world.told.len(), 1);
}

#[test]
fn an_agent_that_exits_in_its_turn_is_told_what_it_was_about() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.behave("", |job| {
        if job.nth == 1 {
            return Reply::Exits(1);
        }
        job.mend_what_is_named();
        Reply::Done
    });
    let run = world.fix(|_| {});
    assert!(green(&world.finish(&run)), "{}", world.report());
    let told = world.told_to(&world.mender("one")).join("\n");
    assert_eq!(told.matches("Fix this failure").count(), 2, "a new process knows nothing: {told}");
}

#[test]
fn what_an_agent_finished_before_it_exited_lands() {
    for reply in [Reply::Exits(0), Reply::Exits(1), Reply::DoneThenExits(0)] {
        let mut world = World::new(&[("a", "broken:one")]);
        world.behave("", move |job| {
            job.mend_what_is_named();
            reply
        });
        let run = world.fix(|_| {});
        assert!(green(&world.finish(&run)), "{reply:?}: {}", world.report());
        assert_eq!(world.session(&world.mender("one")).launches, 1, "{reply:?}");
        assert_eq!(world.notes, [], "{reply:?}");
    }
}

#[test]
fn work_on_its_way_is_shown_as_such_although_its_agent_is_gone() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.behave("", |job| {
        job.mend_what_is_named();
        Reply::Exits(0)
    });
    world.ignore("check:app-1:1:all");
    world.fix(|_| {});
    world.perform_all();
    assert_eq!(world.status(&world.mender("one")), Status::CiPending);
    world.ignore("build:");
    world.restart_daemon();
    world.perform_all();
    assert_eq!(world.status(&world.mender("one")), Status::InMergeQueue);
}

#[test]
fn an_agent_that_is_gone_is_started_again_for_its_conflict() {
    let mut world = World::new(&[("shared", "broken:seven\nbroken:eight")]);
    world.behave("", |job| {
        if job.prompt.contains("git merge") {
            job.merge_target();
        }
        job.mend_what_is_named();
        Reply::DoneThenExits(0)
    });
    let run = world.fix(|_| {});
    assert!(green(&world.finish(&run)), "{}", world.report());
    assert_eq!(world.told.len(), 3);
}

#[test]
fn an_agent_that_deletes_its_workspace_is_given_up_with_the_reason() {
    let mut world = World::new(&[("a", "broken:one"), ("b", "broken:two")]);
    world.behave("one", |job| {
        job.workspace.gone = true;
        Reply::Done
    });
    let run = world.fix(|_| {});
    assert_eq!(world.finish(&run), RunOutcome::Red { left: 1 });
    assert_eq!(world.notes.len(), 1, "{:?}", world.notes);
    assert!(world.notes[0].body.contains("its workspace is gone"));
    assert_eq!(world.agents(), 0);
}

#[test]
fn a_merge_left_half_done_is_sent_back() {
    let mut world = World::new(&[("shared", "broken:seven\nbroken:eight")]);
    world.behave("", |job| {
        if job.prompt.contains("Merge conflict") {
            job.workspace.unmerged = vec!["shared".into()];
            return Reply::Done;
        }
        if job.prompt.contains("not finished") {
            job.merge_target();
        }
        job.mend_what_is_named();
        Reply::Done
    });
    let run = world.fix(|_| {});
    assert!(green(&world.finish(&run)), "{}", world.report());
}

#[test]
fn collisions_do_not_use_up_the_attempts() {
    let mut world = World::new(&[("shared", "broken:seven\nbroken:eight")]);
    let run = world.fix(|new| new.max_attempts = Some(1));
    assert!(green(&world.finish(&run)), "{}", world.report());
}

#[test]
fn what_a_compile_error_hid_shows_up_in_a_later_round_and_is_fixed() {
    let mut world = World::new(&[("a", "nocompile:syntax"), ("b", "broken:one"), ("c", "broken:two")]);
    let run = world.fix(|_| {});
    assert!(green(&world.finish(&run)), "{}", world.report());
    assert_eq!(world.run(&run).rounds, 3, "read, read again, verified");
    let names: Vec<&str> = world.run(&run).tasks.iter().map(|t| t.group.failures[0].name.as_str()).collect();
    assert_eq!(names, ["syntax", "one", "two"]);
}

#[test]
fn after_the_compile_error_is_gone_new_failures_count_again() {
    let mut world = World::new(&[("a", "nocompile:syntax"), ("b", "broken:one"), ("c", "broken:two")]);
    world.behave("one", |job| {
        job.mend_what_is_named();
        if job.nth == 1 {
            job.workspace.tree.put("d", "broken:sloppy");
        } else {
            job.workspace.tree.put("d", "ok:sloppy");
        }
        Reply::Done
    });
    let run = world.fix(|_| {});
    assert!(green(&world.finish(&run)), "{}", world.report());
    assert_eq!(world.told_to(&world.mender("one")).len(), 2, "its own workspace's gate already said so");
}

#[test]
fn a_run_gives_up_after_some_rounds_and_leaves_no_task_behind() {
    let mut world = World::new(&[("a", "broken:n0")]);
    // Every landing uncovers the next failure, because the check was partial.
    world.behave("", |job| {
        job.mend_what_is_named();
        Reply::Done
    });
    let run = world.fix(|_| {});
    for n in 1..20 {
        world.until("the target is read again", |w| {
            w.run(&run).finished() || matches!(w.run(&run).state, ao_core::run::RunState::Verifying { .. })
        });
        if world.run(&run).finished() {
            break;
        }
        world.repo.push(|tree| tree.put(&format!("p{n}"), &format!("broken:n{n}")));
        world.until("it is known", |w| !matches!(w.run(&run).state, ao_core::run::RunState::Verifying { .. }));
    }
    assert_eq!(world.finish(&run), RunOutcome::Red { left: 1 });
    let tasks = &world.run(&run).tasks;
    assert_eq!(tasks.len(), 5);
    assert!(tasks.iter().all(|t| t.settled()), "{}", world.report());
}

#[test]
fn what_broke_again_after_it_landed_is_mended_again() {
    let mut world = World::new(&[("a", "broken:one")]);
    let run = world.fix(|_| {});
    world.until("the target is read again", |w| matches!(w.run(&run).state, ao_core::run::RunState::Verifying { .. }));
    world.repo.push(|tree| tree.put("a", "broken:one"));
    assert!(green(&world.finish(&run)), "{}", world.report());
    assert_eq!(world.run(&run).tasks.len(), 2);
}

#[test]
fn a_green_target_needs_nobody() {
    let mut world = World::new(&[("a", "ok:one")]);
    let run = world.fix(|_| {});
    assert!(green(&world.finish(&run)));
    assert_eq!(world.facts.sessions.len(), 0);
}

#[test]
fn a_dry_run_only_says_what_it_would_do() {
    let mut world = World::new(&EIGHT);
    let run = world.fix(|new| new.dry_run = true);
    assert_eq!(world.finish(&run), RunOutcome::DryRun);
    assert_eq!(world.run(&run).tasks.len(), 8);
    assert!(world.run(&run).tasks.iter().all(|t| t.state == TaskState::Waiting));
    assert_eq!(world.facts.sessions.len(), 0);
}

#[test]
fn what_is_to_mend_does_not_join_what_only_looks() {
    let mut world = World::new(&EIGHT);
    let looks = world.fix(|new| new.dry_run = true);
    let mut mends = world.new_run();
    let answer = world.happen(Event::RunRequested { new: Box::new(mends.clone()) });
    assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
    mends.dry_run = true;
    let answer = world.happen(Event::RunRequested { new: Box::new(mends) });
    assert_eq!(answer, Answer::Run { run: looks, joined: true });
}

#[test]
fn a_cancelled_run_stops_its_sessions_and_starts_no_more() {
    let mut world = World::new(&EIGHT);
    world.behave("", |_| Reply::Hangs);
    let run = world.fix(|new| new.parallel = Some(3));
    world.perform_all();
    assert_eq!(world.agents(), 3);
    world.happen(Event::RunCancelled { run: run.clone() });
    assert_eq!(world.finish(&run), RunOutcome::Cancelled);
    assert_eq!(world.agents(), 0);
    assert_eq!(world.facts.sessions.len(), 3);
    assert!(world.run(&run).tasks.iter().all(|t| t.settled()), "{}", world.report());
    assert!(world.settled_sessions(), "{}", world.report());
    assert_eq!(world.notes, [], "whoever cancels knows");
    assert!(matches!(world.happen(Event::RunCancelled { run }), Answer::Refused(_)));
}

#[test]
fn a_cancelled_run_does_not_land_what_waits_in_the_queue() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.ignore("check:app-batch-1");
    let run = world.fix(|_| {});
    world.perform_all();
    assert_eq!(world.status(&world.mender("one")), Status::InMergeQueue);
    world.happen(Event::RunCancelled { run: run.clone() });
    world.pass(Millis::mins(10));
    assert_eq!(world.repo.history.len(), 1, "nothing landed");
    assert!(world.settled_sessions(), "{}", world.report());
}

#[test]
fn a_second_call_joins_the_run_that_is_going_on() {
    let mut world = World::new(&EIGHT);
    let run = world.fix(|new| new.check = Some("cargo test".into()));
    let mut again = world.new_run();
    again.check = Some("cargo test".into());
    let answer = world.happen(Event::RunRequested { new: Box::new(again.clone()) });
    assert_eq!(answer, Answer::Run { run, joined: true });
    again.dry_run = true;
    let answer = world.happen(Event::RunRequested { new: Box::new(again.clone()) });
    assert!(matches!(answer, Answer::Refused(_)), "what only looks is not what mends");
    again.dry_run = false;
    again.check = Some("cargo clippy".into());
    assert!(matches!(world.happen(Event::RunRequested { new: Box::new(again) }), Answer::Refused(_)));
}

#[test]
fn kept_sessions_stay_alive_and_do_not_take_the_places_of_others() {
    let mut world = World::new(&EIGHT);
    world.happen(Event::PlacesMeasured { places: 2 });
    let run = world.fix(|new| new.keep = true);
    assert!(green(&world.finish(&run)), "{}", world.report());
    assert_eq!(world.agents(), 8);
    assert!(world.facts.sessions.keys().all(|id| world.status(id) == Status::Merged));
}

#[test]
fn a_kept_session_whose_agent_is_gone_is_over() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.behave("", |job| {
        job.mend_what_is_named();
        Reply::Exits(0)
    });
    let run = world.fix(|new| new.keep = true);
    assert!(green(&world.finish(&run)));
    assert!(world.session(&world.mender("one")).ended());
}

#[test]
fn at_most_so_many_agents_work_at_the_same_time() {
    let mut world = World::new(&EIGHT);
    let run = world.fix(|new| new.parallel = Some(3));
    let mut most = 0;
    while !world.run(&run).finished() {
        if !world.step() {
            world.tick_to_deadline();
        }
        most = most.max(world.agents());
    }
    assert_eq!(most, 3);
}

#[test]
fn a_check_that_cannot_be_run_ends_the_run_in_words() {
    let mut world = World::new(&EIGHT);
    world.fail_with("check:", ao_core::kind::Fault::invalid("no such command: mkae"));
    let run = world.fix(|_| {});
    let RunOutcome::Failed { fault } = world.finish(&run) else { panic!("{}", world.report()) };
    assert!(fault.message.contains("mkae"));
}

#[test]
fn a_restored_session_of_a_finished_run_belongs_to_its_person() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.behave("", |job| {
        job.workspace.tree.put("a", &format!("broken:one\n{}", job.nth));
        Reply::Done
    });
    let run = world.fix(|new| new.max_attempts = Some(1));
    assert_eq!(world.finish(&run), RunOutcome::Red { left: 1 });
    let id = world.mender("one");
    world.happen(Event::RestoreRequested { session: id.clone() });
    let text = Event::MessageSent { session: id.clone(), text: "Try this.".into(), from: "me".into() };
    world.happen(text);
    world.perform_all();
    assert_eq!(world.agents(), 1, "it is not stopped under the person's hands: {}", world.report());
    assert_eq!(world.told_to(&id)[1], "Try this.");
}

#[test]
fn a_failure_that_went_with_the_fix_of_another_asks_nothing_more_of_its_session() {
    let mut world = World::new(&[("a", "broken:one"), ("b", "broken:two")]);
    // One cause, two failing tests: whoever mends one mends the other, and finds nothing where that landed already.
    world.behave("", |job| {
        for name in ["one", "two"] {
            job.workspace.tree.mend(name);
        }
        Reply::Done
    });
    let run = world.fix(|new| new.parallel = Some(1));
    assert!(green(&world.finish(&run)), "{}", world.report());
    assert!(world.run(&run).tasks.iter().all(|t| matches!(t.state, TaskState::Landed { .. })), "{}", world.report());
    assert_eq!((world.told.len(), world.facts.sessions.len()), (1, 1), "the second needs no agent: {:?}", world.told);
    assert_eq!((world.notes.as_slice(), world.agents()), ([].as_slice(), 0));
    assert!(world.settled_sessions(), "{}", world.report());
}

#[test]
fn an_agent_that_finds_its_failure_gone_is_not_told_to_change_something() {
    let mut world = World::new(&[("a", "broken:one"), ("b", "broken:two")]);
    // Nothing lands in this run; somebody outside mends the second failure before its session begins.
    world.behave("", |_| Reply::Done);
    let run = world.fix(|new| (new.parallel, new.max_attempts) = (Some(1), Some(1)));
    world.until("the first session begins", |w| !w.facts.sessions.is_empty());
    world.repo.push(|tree| tree.mend("two"));
    assert_eq!(world.finish(&run), RunOutcome::Red { left: 1 }, "{}", world.report());
    let id = world.mender("two");
    let task = world.run(&run).tasks.iter().find(|t| t.session.as_ref() == Some(&id)).expect("its task");
    let there = world.repo.tip();
    assert!(
        matches!(&task.state, TaskState::Landed { commit, contained: true, .. } if commit == there),
        "{}",
        world.report()
    );
    assert_eq!((world.told_to(&id).len(), world.status(&id)), (1, Status::Done));
    assert!(world.notes.iter().all(|n| n.session.as_ref() != Some(&id)), "{:?}", world.notes);
    assert_eq!(world.agents(), 0);
}

#[test]
fn a_merge_that_leaves_nothing_of_a_sessions_own_ends_it_well_when_its_failure_is_gone() {
    let mut world = World::new(&[("shared", "broken:one\nbroken:two")]);
    // Both mend the one cause in ways of their own: the second collides, and takes what is there.
    world.behave("", |job| {
        if job.prompt.contains("git merge") {
            job.merge_target();
            let (_, target) = job.target;
            job.workspace.tree = target.clone();
        } else {
            let whose = if job.prompt.contains("one is broken") { "one" } else { "two" };
            job.workspace.tree.put("shared", &format!("mended for {whose}"));
        }
        Reply::Done
    });
    let run = world.fix(|_| {});
    assert!(green(&world.finish(&run)), "{}", world.report());
    assert!(world.run(&run).tasks.iter().all(|t| matches!(t.state, TaskState::Landed { .. })), "{}", world.report());
    assert_eq!(world.told.len(), 3, "two tasks and the collision: {:?}", world.told);
    assert_eq!((world.notes.as_slice(), world.agents()), ([].as_slice(), 0));
}
