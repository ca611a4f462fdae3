//! Stopping: politely, then all of it (ability `tree`).
//!
//! Whether something is left is not asked of process lists: everything that descends from the program holds a named pipe
//! open, which reads as ended when, and only when, the last of them is gone.

use super::{Maker, Program, World};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use rustix::io::{Errno, read};
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// A grace that no rule waits out.
const LONG_MS: u64 = 50_000;
/// A grace that ends at once.
const SHORT_MS: u64 = 300;

/// The named pipe `held`, read from here.
struct Held(OwnedFd);

impl Held {
    fn new(world: &World) -> Self {
        let path = world.work().join("held");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a named pipe can be made");
        Self(open(&path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).expect("it can be read"))
    }

    /// Whether some process has it open for writing.
    fn somebody(&self) -> bool {
        match read(&self.0, &mut [0_u8; 64]) {
            Ok(0) => false,
            Ok(_) | Err(Errno::AGAIN) => true,
            Err(error) => panic!("the named pipe cannot be read: {error}"),
        }
    }
}

/// Leaves children of every kind behind, all with the pipe open: a plain one, one in a session of its own, a daemon that
/// forked twice, and one that ignores what can be ignored.
const FAMILY: &str = "exec 9>held; sleep 1000 & setsid sleep 1000 & (setsid sh -c 'sleep 1000 & sleep 1000' &) ; \
    (trap '' HUP TERM INT; while :; do sleep 1; done) & ";

/// What an agent does on SIGTERM is done before it is killed.
pub async fn a_stop_is_polite_first(maker: Arc<dyn Maker>) {
    if !maker.has_shell() {
        return;
    }
    let world = World::new(maker);
    let program = Program::shell(
        "trap 'echo bye >bye; exit 7' TERM; trap '' HUP; echo ready; while :; do sleep 0.1 & wait $!; done",
    );
    let agent = world.run(&program).await;
    let exit = agent.link.control.stop(LONG_MS).await.unwrap_or_else(|fault| panic!("it cannot be stopped: {fault}"));
    assert_eq!(world.read("bye").as_deref(), Some(b"bye\n".as_slice()), "it was not asked before it was killed");
    assert_eq!(exit.code, Some(7), "the end that it chose");
    agent.found_dead().await;
}

/// Children in sessions of their own, daemons, and those who do not listen.
pub async fn a_stop_leaves_nothing(maker: Arc<dyn Maker>) {
    let abilities = maker.runtime().abilities();
    if !abilities.tree || !maker.has_shell() {
        return;
    }
    let world = World::new(maker);
    let held = Held::new(&world);
    let agent =
        world.run(&Program::shell(&format!("{FAMILY} trap '' HUP TERM; echo ready; while :; do sleep 1; done"))).await;
    assert!(held.somebody(), "the family runs");
    let exit = agent.link.control.stop(SHORT_MS).await.unwrap_or_else(|fault| panic!("it cannot be stopped: {fault}"));
    assert!(!held.somebody(), "processes are left after the stop said {exit:?}");
    assert_eq!(exit.left, Some(0), "the stop says that nothing is left");
}

/// The agent leaves by itself; what it started is still the session's.
pub async fn a_stop_ends_what_the_agent_left(maker: Arc<dyn Maker>) {
    let abilities = maker.runtime().abilities();
    if !abilities.tree || !maker.has_shell() {
        return;
    }
    let world = World::new(maker);
    let held = Held::new(&world);
    let text = format!("{FAMILY} echo ready; while ! [ -e go ]; do sleep 0.02; done; exit 3");
    let mut agent = world.run(&Program::shell(&text)).await;
    world.go();
    let exit = agent.ended().await;
    assert_eq!(exit.code, Some(3));
    assert!(exit.left != Some(0) || !held.somebody(), "processes are left, told is {exit:?}");
    let stopped = agent.link.control.stop(SHORT_MS).await;
    let exit = stopped.unwrap_or_else(|fault| panic!("what was left cannot be stopped: {fault}"));
    assert!(!held.somebody(), "processes are left after the stop");
    assert_eq!(exit.code, Some(3), "the end stays what it was");
}

/// A daemon that was killed while it stopped asks again.
pub async fn a_second_stop_finds_it_done(maker: Arc<dyn Maker>) {
    let world = World::new(maker);
    let agent = world.run(&Program::Waits).await;
    agent.link.control.stop(SHORT_MS).await.unwrap_or_else(|fault| panic!("it cannot be stopped: {fault}"));
    let again = agent.link.control.stop(SHORT_MS).await;
    again.unwrap_or_else(|fault| panic!("a second stop is refused: {fault}"));
    agent.link.control.acknowledge_exit().await.expect("an end can be noted");
    super::agent::found_dead(&*world.maker.runtime(), &agent.place).await;
}
