//! Many prompts of every size, sent to agents with bad manners at every bad moment while the daemon is killed again and
//! again: which arrived, how often, and what went where it should not.
//!
//! The prompts are sent by the real `ao`; what arrived is what the agents noted (`tui`). A wave of sessions runs at a time,
//! a thread each, and one more that kills.

mod patience;
mod person;
mod place;
mod report;
mod text;

pub use place::Place;
pub use report::{Moment, Report, Row};

use crate::dice::Dice;
use crate::tui::{Manners, Note, notes};
use patience::{ARRIVES_WITHIN, LOOK_EVERY};
use report::Sent;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A moment that does not come is not waited for longer than any turn lasts.
const MOMENT_WITHIN: Duration = Duration::from_secs(10);

/// The agents' manners: everything happens often enough to be met many times.
const MANNERS: Manners = Manners {
    seed: 0,
    start: (2000, 5000),
    turn: (300, 2500),
    draw: (5, 400),
    question: (500, 2500),
    questions: 40,
    swallowed: 8,
    storms: 20,
    permission: false,
};

/// What is to be tried.
#[derive(Clone, Debug)]
pub struct Trial<'a> {
    /// The binary.
    pub ao: &'a Path,
    /// The command that plays the agent; the directory of its notes is added to it.
    pub agent: Vec<String>,
    /// Repeats a run, as far as the machine lets it.
    pub seed: u64,
    /// Waves of sessions, one after the other.
    pub waves: usize,
    /// Sessions of a wave.
    pub sessions: usize,
    /// Prompts for each session at each [`Moment`].
    pub each: usize,
}

/// Runs a trial.
///
/// # Errors
/// When `ao`, git or the place to try it fail; that prompts are lost is no error but the report.
pub fn run(trial: &Trial<'_>) -> io::Result<Report> {
    let place = Place::new(trial.ao, &trial.agent, &Manners { seed: trial.seed, ..MANNERS })?;
    let (done, kills) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut report = Report::default();
    std::thread::scope(|scope| {
        let killer = scope.spawn(|| kill(&place, trial.seed, &done, &kills));
        let outcome = waves(trial, &place, &mut report);
        done.store(true, Ordering::Relaxed);
        let killed = killer.join().unwrap_or_else(|_| Err(io::Error::other("the killer failed")));
        outcome.and(killed)
    })?;
    report.kills = kills.into_inner();
    Ok(report)
}

fn waves(trial: &Trial<'_>, place: &Place, report: &mut Report) -> io::Result<()> {
    for wave in 0..trial.waves {
        let all: Vec<io::Result<Session>> = std::thread::scope(|scope| {
            let first = wave * trial.sessions;
            let threads: Vec<_> =
                (first..first + trial.sessions).map(|n| scope.spawn(move || one_session(trial, place, n))).collect();
            threads.into_iter().map(|t| t.join().unwrap_or_else(|_| Err(io::Error::other("a sender failed")))).collect()
        });
        for session in all {
            let Session { sent, look } = session?;
            report.looks.extend(look);
            let Some(id) = sent.first().map(|s| s.session.clone()) else { continue };
            report.add(&sent, &notes(place.notes(), &id)?);
        }
    }
    Ok(())
}

/// Kills the daemon at random moments and starts it again some time later.
fn kill(place: &Place, seed: u64, done: &AtomicBool, kills: &AtomicUsize) -> io::Result<()> {
    let mut dice = Dice::new(seed, u64::MAX);
    let mut rest = |least: u64, most: u64| {
        let until = Instant::now() + Duration::from_millis(least + dice.below(most - least));
        while Instant::now() < until && !done.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK_EVERY);
        }
    };
    while !done.load(Ordering::Relaxed) {
        rest(1000, 6000);
        if place.kill_daemon()? {
            kills.fetch_add(1, Ordering::Relaxed);
        }
        rest(0, 1500);
        place.start_daemon()?;
    }
    Ok(())
}

/// What was done with a session.
struct Session {
    sent: Vec<Sent>,
    /// How it looked when a prompt did not arrive.
    look: Option<String>,
}

/// One session from its beginning to its end.
fn one_session(trial: &Trial<'_>, place: &Place, n: usize) -> io::Result<Session> {
    let mut dice = Dice::new(trial.seed, n as u64);
    let id = place.new_session()?;
    let mut sent: Vec<Sent> = Vec::new();
    let plan = Moment::ALL[1..].iter().copied().cycle().take(trial.each * (Moment::ALL.len() - 1));
    for moment in std::iter::repeat_n(Moment::Start, trial.each).chain(plan) {
        let text = text::make(n, sent.len());
        wait_for(place, &id, moment, &sent)?;
        let person = match moment {
            Moment::Person => Some(person::begins(place, &id, sent.len())?),
            Moment::Start | Moment::Idle | Moment::Busy | Moment::Question => None,
        };
        let met = person.as_ref().map_or_else(|| met(place, &id), |_| Ok(Moment::Person))?;
        place.send(&id, &text)?;
        sent.push(Sent { session: id.clone(), text, moment: met });
        if let Some(words) = person {
            std::thread::sleep(Duration::from_millis(dice.below(7000)));
            person::ends(place, &id, &words)?;
        }
    }
    let look = if arrived(place, &id, &sent)? { None } else { Some(place.look(&id)?) };
    place.stop(&id)?;
    Ok(Session { sent, look })
}

/// The moment that it is by what the agent noted last.
fn met(place: &Place, id: &str) -> io::Result<Moment> {
    let notes = notes(place.notes(), id)?;
    let last = notes.iter().rev().find(|note| !matches!(note, Note::Swallowed | Note::Astray { .. }));
    Ok(match last {
        None | Some(Note::Started) => Moment::Start,
        Some(Note::Idle | Note::Swallowed | Note::Astray { .. }) => Moment::Idle,
        Some(Note::Submitted { .. } | Note::Answered { .. }) => Moment::Busy,
        Some(Note::Asked) => Moment::Question,
    })
}

/// Waits until the moment is there; one that cannot come any more is given up, and the prompt counts as sent when it was.
fn wait_for(place: &Place, id: &str, moment: Moment, sent: &[Sent]) -> io::Result<()> {
    if moment == Moment::Start {
        return Ok(());
    }
    if matches!(moment, Moment::Idle | Moment::Person) {
        arrived(place, id, sent)?;
    }
    let begun = Instant::now();
    loop {
        let now = met(place, id)?;
        let there = match moment {
            Moment::Start => true,
            Moment::Idle | Moment::Person => now == Moment::Idle,
            Moment::Busy | Moment::Question => now == moment,
        };
        if there || begun.elapsed() > MOMENT_WITHIN {
            return Ok(());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Waits until everything sent so far has arrived, or must count as lost; whether it has.
fn arrived(place: &Place, id: &str, sent: &[Sent]) -> io::Result<bool> {
    let begun = Instant::now();
    while begun.elapsed() < ARRIVES_WITHIN {
        let notes = notes(place.notes(), id)?;
        if sent.iter().all(|sent| notes.iter().any(|note| sent.is_in(note))) {
            return Ok(true);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(false)
}
