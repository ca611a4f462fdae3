//! Signals of an agent that come late, twice, in another order or from an earlier launch: each turn has exactly one end, and
//! an agent at work is never called idle.

use ao_core::activity::{Activity, InputKind, Observation, Source};
use ao_core::event::Event;
use ao_core::id::{LaunchId, SessionId};
use ao_core::session::TurnHow;
use ao_core::time::Time;
use ao_core::transcript::Reading;
use ao_testkit::world::World;
use proptest::collection::vec;
use proptest::prelude::*;

const HELLO: [(&str, &str); 1] = [("a", "broken:one")];

/// Sources whose signals say when they were made.
const SOURCES: [Source; 3] = [Source::Structured, Source::Hook, Source::Transcript];

fn seen(source: Source, activity: Activity, at: Time) -> Observation {
    Observation { activity, source, at, offset: None, why: format!("{source:?}") }
}

fn working() -> Activity {
    Activity::Working { on: None }
}

/// A session with an agent that waits, and its launch.
fn ready() -> (World, SessionId, LaunchId) {
    let mut world = World::new(&HELLO);
    let id = world.spawn("work", None);
    world.perform_all();
    let launch = LaunchId::of(&id, 1);
    (world, id, launch)
}

fn observe(world: &mut World, id: &SessionId, launch: &LaunchId, observation: Observation) {
    world.happen(Event::Observed { session: id.clone(), launch: launch.clone(), observation });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Turns one after the other, each told by every source; signals are delayed, doubled and put into another order.
    #[test]
    fn shuffled_and_doubled_signals_lead_to_the_same_answer_and_no_turn_ends_twice(
        ends in vec(0..3_u8, 1..5),
        order in vec((0..1000_u64, any::<bool>()), 60),
    ) {
        let (mut world, id, launch) = ready();
        let begin = world.now.0 + 1_000;
        let mut signals = Vec::new();
        for (n, how) in (0_u64..).zip(&ends) {
            let (from, to) = (begin + n * 1_000, begin + n * 1_000 + 600);
            let over = match how {
                0 => Activity::Idle,
                1 => Activity::Error { kind: "agent".to_owned() },
                _ => Activity::Interrupted,
            };
            for (late, source) in (0_u64..).zip(SOURCES) {
                signals.push(seen(source, working(), Time(from + late)));
                signals.push(seen(source, over.clone(), Time(to + late)));
            }
        }
        world.now = Time(begin + 60_000);
        let last = signals.iter().max_by_key(|s| s.at).map(|s| s.activity.clone()).unwrap();
        let mut keyed: Vec<(u64, Observation)> = Vec::new();
        for (signal, (key, twice)) in signals.iter().zip(order.iter().cycle()) {
            keyed.push((*key, signal.clone()));
            if *twice {
                keyed.push((key.wrapping_mul(7) % 1000, signal.clone()));
            }
        }
        keyed.sort_by_key(|(key, _)| *key);
        let mut ended: Vec<(u32, TurnHow)> = Vec::new();
        for (_, signal) in keyed {
            observe(&mut world, &id, &launch, signal);
            let session = world.session(&id);
            if let Some((n, end)) = session.turn.as_ref().and_then(|t| t.end.as_ref().map(|e| (t.n, e.how))) {
                match ended.iter().find(|(of, _)| *of == n) {
                    Some((_, how)) => prop_assert_eq!(*how, end, "turn {} ended twice", n),
                    None => ended.push((n, end)),
                }
            }
        }
        let session = world.session(&id);
        prop_assert_eq!(&session.known.activity, &last, "the newest signal counts, whenever it came");
        prop_assert!(!session.in_turn());
        prop_assert!(ended.len() <= ends.len() * SOURCES.len());
    }

    /// Whatever else is late: after a sign of work, no older sign makes the agent idle.
    #[test]
    fn no_older_signal_makes_a_working_agent_idle(late in vec((0..3_usize, 1..5_000_u64, any::<bool>()), 1..30)) {
        let (mut world, id, launch) = ready();
        world.now = Time(world.now.0 + 10_000);
        let now = world.now;
        observe(&mut world, &id, &launch, seen(Source::Hook, working(), now));
        for (source, ago, error) in late {
            let says = if error { Activity::Error { kind: "x".to_owned() } } else { Activity::Idle };
            observe(&mut world, &id, &launch, seen(SOURCES[source], says, Time(now.0 - ago)));
            prop_assert_eq!(&world.session(&id).known.activity, &working());
            prop_assert!(world.session(&id).in_turn());
        }
    }
}

#[test]
fn signals_of_an_earlier_launch_say_nothing() {
    let (mut world, id, _) = ready();
    let before = world.session(&id).clone();
    world.now = Time(world.now.0 + 1_000);
    let earlier = LaunchId::new(format!("{id}.0"));
    let now = world.now;
    observe(&mut world, &id, &earlier, seen(Source::Hook, working(), now));
    let reading = Box::new(Reading { model: Some("old".to_owned()), ..Reading::default() });
    world.happen(Event::TranscriptRead { session: id.clone(), launch: earlier, reading });
    assert_eq!((&world.session(&id).known, &world.session(&id).reading), (&before.known, &before.reading));
}

#[test]
fn an_interruption_out_of_a_question_for_leave_is_a_refusal_and_the_turn_knows_its_native_id() {
    let (mut world, id, launch) = ready();
    let mut at = world.now.0;
    let mut say = |world: &mut World, source, activity| {
        at += 1_000;
        world.now = Time(at);
        observe(world, &id, &launch, seen(source, activity, Time(at)));
    };
    say(&mut world, Source::Hook, working());
    let reading = Reading { turn: Some("turn-7".to_owned()), open: true, ..Reading::default() };
    world.happen(Event::TranscriptRead { session: id.clone(), launch: launch.clone(), reading: Box::new(reading) });
    say(&mut world, Source::Hook, Activity::NeedsInput { what: InputKind::Permission });
    say(&mut world, Source::Transcript, Activity::Interrupted);
    let turn = world.session(&id).turn.clone().unwrap();
    assert_eq!((turn.end.map(|e| e.how), turn.native.as_deref()), (Some(TurnHow::Refused), Some("turn-7")));
    say(&mut world, Source::Hook, working());
    say(&mut world, Source::Transcript, Activity::Interrupted);
    assert_eq!(world.session(&id).turn.clone().unwrap().end.map(|e| e.how), Some(TurnHow::Interrupted));
}
