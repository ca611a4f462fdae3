//! What a launch uses and may use, and standing still (abilities `usage`, `freeze`, `limits`).

use super::{Agent, Maker, Program, World, until};
use ao_core::limits::Limits;
use ao_slots::runtime::Found;
use std::sync::Arc;
use std::time::Duration;

/// How long a halted program is watched. Too short would miss a broken halt; it never fails one that holds.
const STANDS_STILL: Duration = Duration::from_millis(400);

/// Counts in the file `count`.
const COUNTS: &str = "echo ready; i=0; while :; do i=$((i+1)); echo $i >count.new; mv count.new count; done";

fn count(world: &World) -> u64 {
    let text = world.read("count").and_then(|bytes| String::from_utf8(bytes).ok());
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// At least one figure, and those that are told are true.
pub async fn what_it_uses_is_told(maker: Arc<dyn Maker>) {
    if !maker.runtime().abilities().usage || !maker.has_shell() {
        return;
    }
    let world = World::new(maker);
    let agent = world.run(&Program::shell("sleep 1000 & sleep 1000 & echo ready; while :; do :; done")).await;
    let first = agent.link.control.usage().await.unwrap_or_else(|fault| panic!("its use cannot be told: {fault}"));
    assert!(!first.frozen, "nobody halted it");
    let told = (first.cpu_us.is_some(), first.memory_bytes.is_some(), first.processes.is_some());
    assert!(told != (false, false, false), "nothing is told: {first:?}");
    if let Some(processes) = first.processes {
        assert!((3..=10).contains(&processes), "a shell with two children: {processes} processes");
    }
    if let Some(bytes) = first.memory_bytes {
        assert!((10_000..1_000_000_000).contains(&bytes), "three small processes use {bytes} bytes");
    }
    if let Some(before) = first.cpu_us {
        let grown = until(|| async {
            let usage = agent.link.control.usage().await.ok()?;
            (usage.cpu_us? > before + 50_000).then_some(())
        });
        assert!(grown.await.is_some(), "a program that never rests uses no processor time");
    }
}

async fn halted(world: &World) -> Agent {
    let agent = world.run(&Program::shell(COUNTS)).await;
    world.file("count", |_| true).await;
    for _ in 0..2 {
        agent.link.control.freeze().await.unwrap_or_else(|fault| panic!("it cannot be halted: {fault}"));
    }
    agent
}

/// Nothing of it runs, looks still work, and it goes on where it was.
pub async fn halted_it_stands_still_and_goes_on(maker: Arc<dyn Maker>) {
    let abilities = maker.runtime().abilities();
    if !abilities.freeze || !maker.has_shell() {
        return;
    }
    let world = World::new(maker);
    let agent = halted(&world).await;
    // What is in the middle of a system call comes to its end first.
    let still = until(|| async {
        let before = count(&world);
        tokio::time::sleep(STANDS_STILL).await;
        (count(&world) == before).then_some(before)
    });
    let before = still.await.expect("a halted program stands still");
    assert_eq!(agent.runtime.find(&agent.place).await, Found::Alive, "halted is not dead");
    let agent = agent.again(world.maker.runtime()).await;
    if abilities.usage {
        assert!(agent.link.control.usage().await.expect("its use is told").frozen, "nobody says that it is halted");
    }
    for _ in 0..2 {
        agent.link.control.thaw().await.unwrap_or_else(|fault| panic!("it cannot go on: {fault}"));
    }
    let on = until(|| async { (count(&world) > before).then_some(()) });
    assert!(on.await.is_some(), "it does not go on");
}

/// A stop need not be preceded by letting it go on.
pub async fn a_halted_one_can_be_stopped(maker: Arc<dyn Maker>) {
    if !maker.runtime().abilities().freeze || !maker.has_shell() {
        return;
    }
    let world = World::new(maker);
    let agent = halted(&world).await;
    agent.link.control.stop(300).await.unwrap_or_else(|fault| panic!("a halted launch cannot be stopped: {fault}"));
    agent.found_dead().await;
}

/// Starts with limits; none when it is refused with words, as this machine cannot keep them.
async fn limited(world: &World, limits: Limits, text: &str) -> bool {
    let mut plan = world.plan(&Program::shell(text));
    plan.limits = limits;
    world.note(&plan);
    let refused = world.maker.runtime().ensure(&plan).await.err();
    if let Some(fault) = &refused {
        assert!(!fault.message.is_empty(), "a refusal says why");
    }
    refused.is_none()
}

/// A program that takes more is ended or refused; one that does not is left alone.
pub async fn memory_is_bounded(maker: Arc<dyn Maker>) {
    if !maker.runtime().abilities().limits || !maker.has_shell() {
        return;
    }
    let world = World::new(maker);
    let limits = Limits { memory_bytes: Some(64 << 20), ..Limits::default() };
    // `tail` keeps what may become its last line: all of it.
    let takes = |mb: u32| format!("head -c {} /dev/zero | tail -n 1 >/dev/null", mb << 20);
    let text = format!(
        "({}); echo $? >little; ({}) ; echo $? >much.new; mv much.new much; while :; do sleep 1; done",
        takes(8),
        takes(256)
    );
    if limited(&world, limits, &text).await {
        // The kernel may end the shell itself, which then says nothing.
        let seen = until(|| async {
            let dead = super::agent::is_over(&*world.maker.runtime(), &place(&world)).await;
            (dead || world.read("much").is_some()).then_some(())
        });
        assert!(seen.await.is_some(), "it neither took the memory nor was ended");
        assert_eq!(world.line("little").await, "0", "8 of 64 MB are within the limit");
        let much = world.read("much");
        assert_ne!(much.as_deref(), Some(b"0\n".as_slice()), "256 MB were taken with a limit of 64 MB");
    }
}

fn place(world: &World) -> ao_slots::runtime::LaunchPlace {
    let plan = world.plan(&Program::Waits);
    ao_slots::runtime::LaunchPlace { launch: plan.launch, dir: plan.dir }
}

/// A program that starts more gets an error from the system.
pub async fn processes_are_bounded(maker: Arc<dyn Maker>) {
    if !maker.runtime().abilities().limits || !maker.has_shell() {
        return;
    }
    let world = World::new(maker);
    let limits = Limits { processes: Some(20), ..Limits::default() };
    let text = "i=0; while [ $i -lt 200 ]; do sleep 1000 & i=$((i+1)); printf '%s\\n' $i >>begun; done; echo all >all";
    if limited(&world, limits, text).await {
        let begun = || world.read("begun").map_or(0, |bytes| bytes.iter().filter(|byte| **byte == b'\n').count());
        let some = until(|| async { (begun() >= 5).then_some(()) });
        assert!(some.await.is_some(), "{} children were begun with a limit of 20 processes", begun());
        let stuck = until(|| async {
            let dead = super::agent::is_over(&*world.maker.runtime(), &place(&world)).await;
            (dead || world.read("all").is_some()).then_some(())
        });
        // A shell that cannot fork either ends or tries again for ever: both keep the limit.
        let _ = tokio::time::timeout(Duration::from_secs(5), stuck).await;
        assert!(begun() < 20, "{} children were begun with a limit of 20 processes", begun());
    }
}
