//! Runs that are interrupted: the client leaves, the daemon dies, both; the work goes on where it was.

use crate::kill::kill_daemon;
use crate::sample::{MENDS, Sample};
use crate::world::{LIMIT, Running, wait};
use ao_core::effect::Effect;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;

/// An agent that takes its time: the test says when it may go on, by a file that its check waits for.
const WAITS: &str = "while ! test -e \"$HOME/go\"; do sleep 0.05; done; sh check.sh";

fn begin() -> (Sample, Running) {
    let mut sample = Sample::new(MENDS);
    let running = sample.world.start(sample.fix_command(WAITS));
    wait("the first check to be under way", LIMIT, || {
        sample.journal.look();
        sample.journal.facts.pending.values().any(|p| matches!(p.effect, Effect::RunCheck { .. })).then_some(())
    });
    wait("the client to follow it", LIMIT, || running.stderr().contains("r-fix-1: running").then_some(()));
    (sample, running)
}

fn signal(running: &Running, signal: Signal) {
    let pid = i32::try_from(running.pid()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, signal).expect("it runs");
}

/// The run that goes on is joined and ends green.
#[track_caller]
fn is_joined(mut sample: Sample) {
    fs::write(sample.world.path("home/go"), "").expect("a file");
    let ran = sample.world.run(sample.fix_command(WAITS)).must(0);
    assert!(ran.stderr.contains("joined r-fix-1"), "{}", ran.stderr);
    assert_eq!(sample.on_main("part"), "good\n");
    sample.journal.look();
    assert_eq!(sample.journal.facts.runs.len(), 1, "one run did it");
    sample.leave_nothing();
}

#[test]
fn ctrl_c_leaves_the_run_going_and_fix_joins_it() {
    let (sample, running) = begin();
    signal(&running, Signal::INT);
    let ran = running.end(LIMIT).must(130);
    assert!(ran.stderr.contains("r-fix-1 goes on"), "{}", ran.stderr);
    is_joined(sample);
}

#[test]
fn a_daemon_killed_with_its_client_is_started_by_the_next_fix_and_goes_on() {
    let (sample, running) = begin();
    signal(&running, Signal::KILL);
    kill_daemon(&sample.home).expect("a daemon ran");
    assert_eq!(running.end(LIMIT).code(), -1);
    is_joined(sample);
}

#[test]
fn a_daemon_killed_alone_is_started_by_the_client_that_follows_it() {
    let (mut sample, running) = begin();
    kill_daemon(&sample.home).expect("a daemon ran");
    fs::write(sample.world.path("home/go"), "").expect("a file");
    running.end(LIMIT).must(0);
    assert_eq!(sample.on_main("part"), "good\n");
    sample.journal.look();
    assert_eq!(sample.journal.facts.runs.len(), 1, "one run did it");
    sample.leave_nothing();
}
