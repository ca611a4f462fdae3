//! Agents that were chosen for tasks: what their sessions keep of it, and what earlier sessions say of them.

use ao_core::activity::{Activity, Source};
use ao_core::choice::{history, limit};
use ao_core::event::{Answer, Event, NewSession};
use ao_core::id::SessionId;
use ao_core::time::{Millis, Time};
use ao_testkit::world::{World, new_session};

fn spawn(world: &mut World, change: impl FnOnce(&mut NewSession)) -> SessionId {
    let mut new = new_session("app", "a task", None);
    change(&mut new);
    let Answer::Session(id) = world.happen(Event::SessionRequested { new: Box::new(new) }) else { panic!("refused") };
    id
}

#[test]
fn a_session_keeps_the_reason_and_another_agent_is_not_asked_for_the_projects_model() {
    let mut world = World::new(&[("a", "ok")]);
    world.project("app", |s| {
        s.agent = "claude-code".to_owned();
        s.model = Some("a model of its own".to_owned());
    });
    let chosen = |agent: &'static str| {
        move |new: &mut NewSession| {
            new.agent = Some(agent.to_owned());
            new.chosen = Some("it stands best".to_owned());
        }
    };
    let other = spawn(&mut world, chosen("codex"));
    assert_eq!(world.session(&other).chosen.as_deref(), Some("it stands best"));
    assert_eq!(world.session(&other).model, None);
    let own = spawn(&mut world, chosen("claude-code"));
    assert_eq!(world.session(&own).model.as_deref(), Some("a model of its own"));
    let named = spawn(&mut world, |new| new.agent = Some("codex".to_owned()));
    assert_eq!(world.session(&named).chosen, None);
    assert!(world.session(&named).model.is_some(), "who names an agent is taken at their word, as ever");
}

#[test]
fn the_sessions_of_a_run_have_its_agent_with_its_reason() {
    let mut world = World::new(&[("a", "broken:one")]);
    world.fix(|new| {
        new.agent = Some("codex".to_owned());
        new.chosen = Some("it suits tests".to_owned());
        new.model = Some("big".to_owned());
    });
    world.perform_all();
    let session = world.session(&world.mender("one"));
    assert_eq!((session.agent.as_str(), session.chosen.as_deref()), ("codex", Some("it suits tests")));
    assert_eq!(session.model.as_deref(), Some("big"));
}

#[test]
fn a_limit_counts_until_it_is_over_and_one_without_a_time_for_half_an_hour() {
    let mut world = World::new(&[("a", "ok")]);
    let (dated, undated) =
        (spawn(&mut world, |n| n.agent = Some("a".into())), spawn(&mut world, |n| n.agent = Some("b".into())));
    world.perform_all();
    let until = world.now.after(Millis::mins(5));
    world.observe(&dated, Source::Osc, Activity::RateLimited { until: Some(until) });
    world.observe(&undated, Source::Osc, Activity::RateLimited { until: None });
    let names = |now: Time| limit::of(&world.facts, now).into_keys().collect::<Vec<_>>();
    assert_eq!(limit::of(&world.facts, world.now).get("a"), Some(&until));
    assert_eq!(names(world.now), ["a", "b"]);
    assert_eq!(names(until), ["b"]);
    assert_eq!(names(world.now.after(Millis::mins(31))), Vec::<String>::new());
    assert!(history::of(&world.facts).is_empty(), "nothing has ended yet");
}
