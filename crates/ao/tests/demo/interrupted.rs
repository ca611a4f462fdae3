//! Runs that are interrupted: the client leaves, the daemon dies, both; the work goes on where it was.

use crate::kill::kill_daemon;
use crate::play::Play;
use crate::sample::{MENDS, Sample};
use crate::world::{LIMIT, Running, signal, wait};
use ao_core::effect::Effect;
use rustix::process::Signal;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::sync::mpsc;

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

/// The run that goes on is joined and ends green.
#[track_caller]
fn is_joined(mut sample: Sample) {
    let joined = sample.world.start(sample.fix_command(WAITS));
    // A run that may go on before it is joined may be over by then.
    wait("it to be joined", LIMIT, || joined.stderr().contains("joined r-fix-1").then_some(()));
    fs::write(sample.world.path("home/go"), "").expect("a file");
    joined.end(LIMIT).must(0);
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

#[test]
fn ctrl_c_twice_stops_the_demo_with_everything_it_began() {
    let mut play = Play::start(&[]);
    for words in ["working:", "left; shop-fix-1 goes on"] {
        wait(words, LIMIT, || (play.look() && play.said().contains(words)).then_some(()));
        play.interrupt();
    }
    let ran = play.end().must(130);
    assert!(ran.stderr.contains("nothing runs any more"), "{}", ran.stderr);
    play.world.must_be_empty();
}

#[test]
fn ctrl_c_while_the_demo_begins_leaves_nothing() {
    let mut play = Play::start(&[]);
    let words = "failing tests in";
    wait(words, LIMIT, || (play.look() && play.said().contains(words)).then_some(()));
    play.interrupt();
    let ran = play.end().must(130);
    assert!(ran.stderr.contains("nothing is left"), "{}", ran.stderr);
    assert!(!play.dir.exists(), "the directory of the demo is still there");
    play.world.must_be_empty();
}

#[test]
fn a_demo_with_an_agent_that_is_not_there_leaves_nothing() {
    let mut play = Play::start(&["--agent", "nobody"]);
    let ran = play.end().must(ao_core::kind::Kind::NotFound.exit_code().into());
    assert!(ran.stderr.contains("nobody"), "{}", ran.stderr);
    assert!(!play.dir.exists(), "the directory of the demo is still there");
    play.world.must_be_empty();
}

/// Takes notes and never answers. What it was sent is told by their ids.
fn silent_receiver() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("its address"));
    let (tell, notes) = mpsc::channel();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut lines = BufReader::new(stream.expect("a connection"));
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|n| n > 2) {
                if let Some(id) = line.to_ascii_lowercase().strip_prefix("x-ao-note-id: ")
                    && tell.send(id.trim().to_owned()).is_err()
                {
                    return;
                }
                line.clear();
            }
            open.push(lines);
        }
    });
    (url, notes)
}

#[test]
fn a_note_on_its_way_when_the_daemon_dies_is_shown_as_uncertain_and_not_sent_again() {
    let (url, notes) = silent_receiver();
    let mut sample = Sample::new(r#"{"say": "I looked at it."}"#);
    sample.configure("defaults: {notifiers: [webhook]}\nprojects:\n  r: {path: r}\n");
    let mut fix = sample.fix_command("sh check.sh");
    fix.env("AO_WEBHOOK_URL", &url);
    let running = sample.world.start(fix);
    let first = notes.recv_timeout(LIMIT).expect("a person is told");
    kill_daemon(&sample.home).expect("a daemon ran");
    running.end(LIMIT).must(1);
    let mut list = sample.ao(&["list", "--all"]);
    list.env("AO_WEBHOOK_URL", &url);
    sample.world.run(list).must(0);
    sample.journal.look();
    let pending: Vec<_> = sample.journal.facts.pending.values().filter(|p| p.uncertain).collect();
    assert!(
        pending.iter().any(|p| p.effect.key().as_str().to_ascii_lowercase() == format!("notify:{first}")),
        "{pending:?}"
    );
    assert_eq!(sample.journal.repeated(), [], "asked for twice");
    sample.leave_nothing();
    let further: Vec<String> = notes.try_iter().filter(|id| *id == first).collect();
    assert!(further.is_empty(), "sent again: {further:?}");
}
