//! What must hold of the machine for any events in any order. The laws themselves are checked by the world at every event.

use ao_core::delivery::DeliveryState;
use ao_core::event::{Event, Probe};
use ao_core::facts::Facts;
use ao_core::id::{DeliveryId, EffectKey, ProjectId, SessionId};
use ao_core::machine;
use ao_core::run::RunOutcome;
use ao_core::session::Phase;
use ao_core::time::Millis;
use ao_testkit::world::World;
use ao_testkit::world::chaos::{self, Dice};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

const EIGHT: [(&str, &str); 7] = [
    ("a", "broken:one"),
    ("b", "broken:two"),
    ("c", "broken:three"),
    ("d", "broken:four"),
    ("e", "broken:five"),
    ("f", "broken:six"),
    ("shared", "broken:seven\nbroken:eight"),
];

/// A world in which chaos has something to hit.
fn populated() -> World {
    let mut world = World::new(&EIGHT);
    world.project("web", |_| {});
    world.spawn("say hello", Some("say hello"));
    world.fix(|new| new.parallel = Some(2));
    world
}

fn chaos(seeds: &[u64], mut each: impl FnMut(&Facts, &Event, &World)) -> World {
    let mut world = populated();
    let mut old: BTreeSet<EffectKey> = BTreeSet::new();
    for seed in seeds {
        let mut dice = Dice::new(*seed);
        world.now = world.now.after(chaos::pause(&mut dice));
        old.extend(world.facts.pending.keys().cloned());
        let known: Vec<EffectKey> = old.iter().cloned().collect();
        let event = chaos::event(&world.facts, &known, &mut dice);
        world.happen(Event::Ticked);
        let before = world.facts.clone();
        world.happen(event.clone());
        each(&before, &event, &world);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_events_in_any_order_keep_the_laws(seeds in vec(any::<u64>(), 1..120)) {
        let world = chaos(&seeds, |_, _, _| {});
        world.must_rest();
        assert_eq!(world.replayed(), world.facts, "replaying the journal gives other facts");
    }

    #[test]
    fn the_end_of_an_effect_counts_once(seeds in vec(any::<u64>(), 1..80)) {
        chaos(&seeds, |_, event, world| {
            if let Event::EffectDone { key, .. } | Event::EffectFailed { key, .. } = event
                && !world.facts.pending.contains_key(key)
            {
                let again = machine::decide(&world.facts, event, world.now);
                assert!(again.delta.is_empty() && again.effects.is_empty(), "{event:?} counted twice");
            }
        });
    }

    #[test]
    fn an_event_of_one_project_changes_no_session_of_another(seeds in vec(any::<u64>(), 1..80)) {
        chaos(&seeds, |before, event, world| {
            let Some(project) = project_of(before, event) else { return };
            for (id, session) in before.sessions.iter().filter(|(_, s)| s.project != project) {
                // Places are shared: one that waits for room may get it from anybody.
                let waits = matches!(session.phase, Phase::Queued { .. });
                assert!(waits || world.facts.sessions.get(id) == Some(session), "{event:?} changed {id}");
            }
        });
    }

    #[test]
    fn a_delivery_is_delivered_at_most_once(seeds in vec(any::<u64>(), 1..80)) {
        let mut delivered: BTreeSet<DeliveryId> = BTreeSet::new();
        chaos(&seeds, |before, event, world| {
            for (id, delivery) in &world.facts.deliveries {
                let is = matches!(delivery.state, DeliveryState::Delivered { .. });
                let was = before.deliveries.get(id).is_some_and(|d| matches!(d.state, DeliveryState::Delivered { .. }));
                if is && !was {
                    assert!(delivered.insert(id.clone()), "{id} was delivered twice, by {event:?}");
                }
            }
        });
    }

    #[test]
    fn a_failed_look_ends_nothing(seeds in vec(any::<u64>(), 1..60)) {
        let world = chaos(&seeds, |_, _, _| {});
        for session in world.facts.sessions.values() {
            let Some(launch) = session.launch.clone() else { continue };
            let probe = Probe::Unknown { why: "no answer".into() };
            let event = Event::HostProbed { session: session.id.clone(), launch, probe };
            let mut after = world.facts.clone();
            after.apply_all(machine::decide(&world.facts, &event, world.now).delta);
            assert_eq!(after.sessions[&session.id].phase, session.phase);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_ends_green_whatever_the_order_and_however_often_the_daemon_restarts(
        seed in any::<u64>(),
        restarts in vec(1_usize..60, 0..6),
        fast in any::<bool>(),
        parallel in 1_u32..9,
    ) {
        let mut world = World::new(&EIGHT);
        world.shuffle(seed);
        world.fast_agents = fast;
        let run = world.fix(|new| new.parallel = Some(parallel));
        for steps in restarts {
            for _ in 0..steps {
                if !world.step() {
                    world.tick_to_deadline();
                }
            }
            world.restart_daemon();
        }
        let outcome = world.finish(&run);
        prop_assert!(matches!(outcome, RunOutcome::Green { .. }), "{outcome:?}\n{}", world.report());
        let texts: BTreeSet<&str> = world.told.iter().map(|t| t.text.as_str()).collect();
        prop_assert_eq!(texts.len(), world.told.len(), "a prompt was typed twice: {:#?}", world.told);
        let colliding = world.told.iter().filter(|t| t.text.contains("Merge conflict")).count();
        prop_assert!(colliding <= 1, "the collision goes to its owner once, not {} times", colliding);
        for commit in &world.repo.history.clone() {
            let fresh = world.repo.tree(commit).check(None);
            let first = world.repo.tree(&world.repo.history[0]).check(None);
            prop_assert!(fresh.failures.iter().all(|f| first.failures.contains(f)), "the target got redder");
        }
        prop_assert!(world.settled_sessions(), "{}", world.report());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 28, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_goes_wrong_a_run_ends_and_the_target_never_gets_redder(
        seed in any::<u64>(),
        mishaps in vec((1_usize..40, any::<u64>()), 0..12),
        fast in any::<bool>(),
    ) {
        let mut world = World::new(&EIGHT);
        world.shuffle(seed);
        world.fast_agents = fast;
        let run = world.fix(|new| new.parallel = Some(4));
        for (steps, seed) in mishaps {
            for _ in 0..steps {
                if !world.step() {
                    world.tick_to_deadline();
                }
            }
            chaos::mishap(&mut world, &mut Dice::new(seed));
        }
        world.calm();
        let outcome = world.finish(&run);
        prop_assert!(matches!(outcome, RunOutcome::Green { .. } | RunOutcome::Red { .. }), "{outcome:?}");
        world.calm();
        world.pass(Millis::mins(10));
        world.restart_daemon();
        world.pass(Millis::mins(10));
        prop_assert!(world.settled_sessions(), "{}", world.report());
        prop_assert_eq!(world.agents(), 0);
        let mut red = world.repo.tree(&world.repo.history[0]).check(None).failures.len();
        for commit in &world.repo.history {
            let now = world.repo.tree(commit).check(None).failures.len();
            prop_assert!(now <= red, "the target got redder: {}", world.report());
            red = now;
        }
    }
}

fn project_of(facts: &Facts, event: &Event) -> Option<ProjectId> {
    let of = |id: &SessionId| facts.sessions.get(id).map(|s| s.project.clone());
    match event {
        Event::MessageSent { session, .. }
        | Event::StopRequested { session, .. }
        | Event::RestoreRequested { session }
        | Event::CleanupRequested { session }
        | Event::ArchiveRequested { session, .. }
        | Event::AnswerRequested { session, .. }
        | Event::DialogShown { session, .. }
        | Event::MergeRequested { session }
        | Event::KeysPressed { session, .. }
        | Event::FreezeRequested { session }
        | Event::ThawRequested { session }
        | Event::PortsTaken { session, .. }
        | Event::HostFrozen { session, .. }
        | Event::Observed { session, .. }
        | Event::OutputSeen { session, .. }
        | Event::TranscriptRead { session, .. }
        | Event::TerminalSaid { session, .. }
        | Event::HostExited { session, .. }
        | Event::HostProbed { session, .. } => of(session),
        Event::EffectDone { key, .. } | Event::EffectFailed { key, .. } => {
            facts.pending.get(key).and_then(|p| p.effect.session()).and_then(of)
        }
        Event::SessionRequested { new } => Some(new.project.clone()),
        Event::RunRequested { new } => Some(new.project.clone()),
        Event::ProjectConfigured { project, .. }
        | Event::ProjectRemoved { project }
        | Event::QueueRetried { project } => Some(project.clone()),
        Event::RunCancelled { run } => facts.runs.get(run).map(|r| r.project.clone()),
        Event::DeliveryDropped { delivery } => facts.deliveries.get(delivery).and_then(|d| of(&d.session)),
        Event::DaemonStarted { .. } | Event::PlacesMeasured { .. } | Event::StorageFailed { .. } | Event::Ticked => {
            None
        }
    }
}
