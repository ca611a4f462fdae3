//! What agents say to the person before their terminal, and who is told of it.

use ao_core::effect::Priority;
use ao_core::event::Event;
use ao_core::id::SessionId;
use ao_core::reaction::{Action, ReactionKey, Rule};
use ao_core::terminal::{Notification, Said};
use ao_core::time::Millis;
use ao_testkit::world::World;

fn says(world: &mut World, id: &SessionId, text: &str, offset: u64) {
    let last = Notification { text: text.to_owned(), offset, at: world.now };
    hears(world, id, Said::Notified { last, count: 1 });
}

fn rings(world: &mut World, id: &SessionId, total: u64) {
    let at = world.now;
    hears(world, id, Said::Bells { total, at });
}

fn hears(world: &mut World, id: &SessionId, said: Said) {
    let launch = world.session(id).launch.clone().expect("it was launched");
    world.happen(Event::TerminalSaid { session: id.clone(), launch, said });
    world.perform_all();
}

fn told_of(keys: &[ReactionKey]) -> (World, SessionId) {
    let mut world = World::new(&[("a", "ok:one")]);
    let keys = keys.to_vec();
    world.project("app", |s| {
        for key in keys {
            s.reactions.set(key, Rule { action: Action::Notify, ..s.reactions.rule(key) });
        }
    });
    let id = world.spawn("work", None);
    world.perform_all();
    (world, id)
}

#[test]
fn a_notification_reaches_a_person_who_asked_for_it_and_not_every_second() {
    let (mut world, id) = told_of(&[ReactionKey::AgentNotification]);
    says(&mut world, &id, "Build failed", 10);
    assert_eq!(world.notes.len(), 1);
    let note = world.notes[0].clone();
    assert_eq!((note.priority, note.body.as_str()), (Priority::Info, "Build failed"));
    // The host says it again, and the agent goes on talking.
    says(&mut world, &id, "Build failed", 10);
    says(&mut world, &id, "again", 20);
    rings(&mut world, &id, 9);
    assert_eq!(world.notes.len(), 1);
    world.pass(Millis::mins(2));
    says(&mut world, &id, "once more", 30);
    assert_eq!(world.notes.len(), 2);
    let said = &world.session(&id).terminal;
    assert_eq!((said.notifications, said.bells), (3, 9), "all of it is counted");
    assert!(world.session(&id).attention.is_none(), "nothing waits for a person");
}

#[test]
fn a_bell_is_told_when_the_configuration_says_so_and_otherwise_nobody_is_called() {
    let (mut world, id) = told_of(&[ReactionKey::AgentBell]);
    says(&mut world, &id, "hello", 5);
    assert_eq!(world.notes.len(), 0);
    rings(&mut world, &id, 3);
    assert!(world.notes[0].body.starts_with("It rang its bell 3 times"), "{:?}", world.notes);
    let (mut quiet, id) = told_of(&[]);
    says(&mut quiet, &id, "hello", 5);
    rings(&mut quiet, &id, 3);
    assert_eq!(quiet.notes.len(), 0);
}

#[test]
fn what_an_earlier_launch_said_is_over() {
    let (mut world, id) = told_of(&[]);
    let launch = world.session(&id).launch.clone().expect("it was launched");
    hears(&mut world, &id, Said::Title { text: "one".to_owned(), offset: 500 });
    assert_eq!(world.session(&id).terminal.title, "one");
    world.happen(Event::StopRequested { session: id.clone(), why: "me".to_owned(), cleanup: false });
    world.perform_all();
    world.happen(Event::RestoreRequested { session: id.clone() });
    world.perform_all();
    assert_ne!(world.session(&id).launch.as_ref(), Some(&launch));
    assert_eq!(world.session(&id).terminal.title, "", "the next launch begins anew");
    let late = Said::Title { text: "late".to_owned(), offset: 900 };
    world.happen(Event::TerminalSaid { session: id.clone(), launch, said: late });
    assert_eq!(world.session(&id).terminal.title, "");
    hears(&mut world, &id, Said::Title { text: "two".to_owned(), offset: 3 });
    assert_eq!(world.session(&id).terminal.title, "two");
}
