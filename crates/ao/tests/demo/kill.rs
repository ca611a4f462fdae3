//! The demo with its daemon killed in the middle: nothing is lost, nothing is told twice, nothing keeps running.
//!
//! The product has no hook for this: the test races the journal, and kills the process that `daemon.json` names.

use crate::checkout::Checkout;
use crate::journal::Journal;
use crate::play::Play;
use crate::world::{LIMIT, Ran, wait};
use ao_api::project::DaemonFile;
use ao_core::delivery::DeliveryState;
use ao_core::effect::Effect;
use ao_daemon::instance::start_time;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// A moment in a demo.
#[derive(Clone, Copy, Debug)]
enum At {
    /// The journal has reached this line.
    Line(u64),
    /// An effect with such a key was asked for.
    Asked(&'static str),
    /// The words about a conflict are to be typed.
    Conflict,
}

impl At {
    fn is_reached(self, journal: &Journal) -> bool {
        let mut asked = journal.lines.iter().flat_map(|line| &line.effects);
        match self {
            Self::Line(seq) => journal.last() >= seq,
            Self::Asked(key) => asked.any(|effect| effect.key().as_str().starts_with(key)),
            Self::Conflict => {
                asked.any(|e| matches!(e, Effect::PastePrompt { text, .. } if text.contains("Merge conflict")))
            }
        }
    }
}

/// How a demo is disturbed.
#[derive(Clone, Copy, Debug)]
struct Kill {
    /// The daemon is killed then …
    at: At,
    /// … and this long afterwards: what was asked for is then somewhere in the middle.
    later: Duration,
    /// The daemon that comes next is killed as well, as soon as it has said that it starts.
    again: bool,
    /// Everything is left running at the end, for an independent look at it.
    keep: bool,
}

/// What came of it.
struct Report {
    /// The last line that the killed daemon wrote.
    died_at: u64,
    in_flight: Vec<String>,
    deaths: usize,
    took: Duration,
}

/// Kills the daemon of a data root, if the process that its file names is still the one that wrote it.
pub fn kill_daemon(home: &Path) -> Option<u32> {
    let file: DaemonFile = serde_json::from_slice(&std::fs::read(home.join("daemon.json")).ok()?).ok()?;
    if start_time(file.pid) != Some(file.started) {
        return None;
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(file.pid).ok()?)?;
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok()?;
    wait("the daemon's end", LIMIT, || (start_time(file.pid) != Some(file.started)).then_some(()));
    Some(file.pid)
}

/// Plays one demo. `None` when it was over before the journal came that far.
fn play(kill: Kill) -> Option<Report> {
    let begun = Instant::now();
    let mut play = Play::start(if kill.keep { &["--keep"] } else { &[] });
    let mut killed: Vec<(u32, u64)> = Vec::new();
    let wanted = 1 + usize::from(kill.again);
    let mut due = None;
    while play.look() {
        assert!(begun.elapsed() < LIMIT, "{kill:?}, killed {killed:?}: it does not end; it said:\n{}", play.said());
        let reached = match killed.last() {
            None => kill.at.is_reached(&play.journal),
            // A daemon that has said that it starts has everything pending in its hands.
            Some((_, died_at)) => play.journal.starts_after(*died_at),
        };
        if reached && killed.len() < wanted {
            let due = *due.get_or_insert_with(|| Instant::now() + kill.later);
            if Instant::now() >= due
                && let Some(pid) = kill_daemon(&play.home()).filter(|p| killed.last().is_none_or(|k| k.0 != *p))
            {
                killed.push((pid, play.journal.look()));
            }
        }
        std::thread::sleep(Duration::from_micros(300));
    }
    let ran = play.end();
    let (_, died_at) = *killed.first()?;
    let in_flight = play.journal.in_flight(died_at).iter().map(ToString::to_string).collect();
    judge(kill, play, &ran);
    Some(Report { died_at, in_flight, deaths: killed.len(), took: begun.elapsed() })
}

/// What must be true of a demo, however it was disturbed.
fn judge(kill: Kill, mut play: Play, ran: &Ran) {
    let said = format!("{kill:?}\nstdout:\n{}\nstderr:\n{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code(), 0, "{said}");
    assert!(ran.stderr.contains("green: main passes"), "{said}");
    if kill.keep {
        let checkout = Checkout::new(&play);
        let values = checkout.values_of_main();
        assert!(checkout.gate(values.last().expect("a value")).passed, "an independent checkout is green");
        let commits = play.world.git(&play.repository(), &["rev-list", "--count", "--no-merges", "main"]);
        assert_eq!(commits.trim(), "9", "every fix landed once; {said}");
        play.take_down();
    }
    play.world.must_be_empty();
    let open: Vec<_> =
        play.journal.deliveries().into_iter().filter(|d| !matches!(d.state, DeliveryState::Delivered { .. })).collect();
    assert!(open.is_empty(), "every prompt arrived: {open:#?}; {said}");
    assert_eq!(
        play.journal.delivered(),
        play.prompts.read(),
        "every prompt was read exactly once, and no other; {said}"
    );
    assert!(play.journal.repeated().is_empty(), "told twice: {:?}; {said}", play.journal.repeated());
}

/// The number of lines that an undisturbed demo writes, to spread the kills over.
fn lines_of_a_demo() -> u64 {
    let mut play = Play::start(&[]);
    play.end().must(0);
    play.journal.last()
}

/// The `n`th of `all` kills: spread over the whole demo, at once or a little later, once or twice.
fn nth(n: u64, all: u64, lines: u64) -> Kill {
    // The first line is written before anybody could know which process to kill.
    let at = At::Line(2 + n * (lines - 3) / (all - 1));
    let later = [0, 40, 5, 110, 15][usize::try_from(n % 5).expect("small")];
    Kill { at, later: Duration::from_millis(later), again: n % 3 == 2, keep: n.is_multiple_of(2) }
}

fn survives(at: At, later: u64, again: bool, keep: bool) {
    let kill = Kill { at, later: Duration::from_millis(later), again, keep };
    let report = play(kill).expect("every demo comes to that moment");
    assert_eq!(report.deaths, 1 + usize::from(again), "{kill:?}");
}

#[test]
fn a_daemon_killed_before_it_has_said_that_it_is_ready_costs_nothing() {
    survives(At::Line(2), 0, false, false);
}

#[test]
fn a_daemon_killed_while_it_types_types_nothing_twice() {
    survives(At::Asked("submit:"), 60, false, true);
}

#[test]
fn a_daemon_killed_twice_while_it_lands_lands_once() {
    survives(At::Asked("land:"), 0, true, true);
}

#[test]
fn a_daemon_killed_over_a_conflict_still_sends_it_back_once() {
    survives(At::Conflict, 15, false, false);
}

/// `make test-kill`.
#[test]
#[ignore = "takes a quarter of an hour; make test-kill runs it"]
fn fifty_kills() {
    const KILLS: u64 = 50;
    let lines = lines_of_a_demo();
    println!("an undisturbed demo writes {lines} lines; one daemon is killed at each of {KILLS} of them");
    println!("{:>3} {:>8} {:>6} {:>6} {:>6}  result  in flight", "run", "died at", "later", "deaths", "time");
    let mut died = BTreeSet::new();
    let mut red = 0;
    for n in 0..KILLS {
        let mut kill = nth(n, KILLS, lines);
        let mut seen = died.clone();
        let report = std::panic::catch_unwind(move || {
            loop {
                let At::Line(line) = kill.at else { unreachable!("nth says lines") };
                match play(kill) {
                    // Each at another line.
                    Some(report) if seen.insert(report.died_at) => break report,
                    Some(_) => kill.at = At::Line(line + 1),
                    // This demo wrote fewer lines than the first one did.
                    None => kill.at = At::Line(line - 4),
                }
            }
        });
        let row = format!("{:>3}", n + 1);
        let later = kill.later.as_millis();
        if let Ok(r) = report {
            died.insert(r.died_at);
            let (took, in_flight) = (r.took.as_secs_f32(), r.in_flight.join(" "));
            println!("{row} {:>8} {later:>4}ms {:>6} {took:>5.1}s  green   {in_flight}", r.died_at, r.deaths);
        } else {
            red += 1;
            println!("{row} {:>8} {later:>4}ms {:>6} {:>6}  RED     {:?}, said above", "", "", "", kill.at);
        }
    }
    assert_eq!(red, 0, "of {KILLS} runs");
    assert_eq!(died.len(), 50, "each at another line");
}
