//! Ends: told as they were, also when nobody listened, and never concluded from a failed look.

use super::{Maker, Program, World, until};
use ao_slots::runtime::{Exit, Found, Push};
use std::sync::Arc;

/// What a shell and container engines make of a signal's number.
const SIGNAL_CODE: i32 = 128;
/// SIGKILL.
const KILL: i32 = 9;
/// SIGTERM.
const TERM: i32 = 15;

fn was_signal(exit: &Exit, signal: i32) -> bool {
    exit.signal == Some(signal) || exit.code == Some(SIGNAL_CODE + signal)
}

/// Zero, a failure, and one that looks like a signal.
pub async fn exit_codes_are_told(maker: Arc<dyn Maker>) {
    let world = World::new(maker);
    for (n, code) in (1_u32..).zip([0, 1, 137]) {
        let mut agent = world.start(world.plan_of(n, &Program::Ends(code))).await;
        agent.shows("ready").await;
        world.go();
        let exit = agent.ended().await;
        assert_eq!((exit.code, exit.signal), (Some(code), None), "it ended with code {code}");
        agent.link.control.acknowledge_exit().await.expect("an end can be noted");
        std::fs::remove_file(world.work().join("go")).expect("it was written just now");
    }
}

/// Code and signal are told apart, where the system does that at all.
pub async fn a_signal_is_told(maker: Arc<dyn Maker>) {
    let world = World::new(maker);
    for (n, signal) in [(1, KILL), (2, TERM)] {
        let mut agent = world.start(world.plan_of(n, &Program::Dies(signal))).await;
        agent.shows("ready").await;
        world.go();
        let exit = agent.ended().await;
        assert!(was_signal(&exit, signal), "signal {signal} ended it, told is {exit:?}");
        agent.link.control.acknowledge_exit().await.expect("an end can be noted");
        std::fs::remove_file(world.work().join("go")).expect("it was written just now");
    }
}

/// One push, and a look says the same.
pub async fn the_end_is_pushed_to_who_listens(maker: Arc<dyn Maker>) {
    let world = World::new(maker);
    let mut agent = world.run(&Program::Ends(7)).await;
    assert_eq!(agent.runtime.find(&agent.place).await, Found::Alive, "it runs");
    world.go();
    let exit = agent.ended().await;
    assert_eq!(exit.code, Some(7));
    if world.abilities().exit_code {
        let found = agent.found_dead().await.expect("the end is known");
        assert_eq!((found.code, found.signal), (exit.code, exit.signal), "a look says something else");
    }
}

/// The daemon was away: another one is told.
pub async fn an_end_while_nobody_listened_is_told(maker: Arc<dyn Maker>) {
    if !maker.runtime().abilities().exit_code {
        return;
    }
    let world = World::new(maker);
    for (n, program, is) in [
        (1, Program::Ends(0), &(|exit: &Exit| exit.code == Some(0)) as &(dyn Fn(&Exit) -> bool + Sync)),
        (2, Program::Ends(137), &|exit: &Exit| exit.code == Some(137)),
        (3, Program::Dies(KILL), &|exit: &Exit| was_signal(exit, KILL)),
    ] {
        let mut agent = world.start(world.plan_of(n, &program)).await;
        agent.shows("ready").await;
        let place = agent.place.clone();
        drop(agent);
        world.go();
        let exit = super::agent::found_dead(&*world.maker.runtime(), &place).await.expect("the end is known");
        assert!(is(&exit), "{program:?} while nobody listened: {exit:?}");
        std::fs::remove_file(world.work().join("go")).expect("it was written just now");
    }
}

/// What was noted may be asked for again: a daemon dies right after.
pub async fn an_end_that_was_noted_stays_known(maker: Arc<dyn Maker>) {
    if !maker.runtime().abilities().exit_code {
        return;
    }
    let world = World::new(maker);
    let mut agent = world.run(&Program::Ends(5)).await;
    world.go();
    agent.ended().await;
    agent.link.control.acknowledge_exit().await.expect("an end can be noted");
    for _ in 0..3 {
        let exit = super::agent::found_dead(&*world.maker.runtime(), &agent.place).await;
        assert_eq!(exit.and_then(|exit| exit.code), Some(5), "a noted end changed or is forgotten");
    }
}

/// A crash of what holds the launch: unknown for as long as it takes, never alive again.
pub async fn what_was_torn_away_underneath_is_not_alive(maker: Arc<dyn Maker>) {
    let world = World::new(maker);
    let mut agent = world.run(&Program::Waits).await;
    if !world.maker.tear_away(&agent.plan) {
        return;
    }
    let over = until(|| async {
        let found = world.maker.runtime().find(&agent.place).await;
        (!matches!(found, Found::Alive)).then_some(())
    });
    assert!(over.await.is_some(), "it is said to be alive though what held it was killed");
    let told = tokio::time::timeout(super::LIMIT, async {
        loop {
            match agent.link.pushes.recv().await {
                None | Some(Push::Exited(_)) => return,
                Some(Push::Screen(_) | Push::Frozen(_)) => {}
            }
        }
    });
    assert!(told.await.is_ok(), "a link to what was killed stays open");
    assert!(world.maker.runtime().connect(&agent.place).await.is_err(), "one can connect to what was killed");
}

/// Links come and go with daemons.
pub async fn a_link_that_is_dropped_ends_nothing(maker: Arc<dyn Maker>) {
    let world = World::new(maker);
    let mut agent = world.run(&Program::Lines).await;
    for n in 0..5 {
        agent = agent.again(world.maker.runtime()).await;
        agent.shows("ready").await;
        assert_eq!(agent.runtime.find(&agent.place).await, Found::Alive, "after link {n}");
    }
    agent.writes("submit#1", b"still here\r").await;
    agent.shows("[still here]").await;
}
