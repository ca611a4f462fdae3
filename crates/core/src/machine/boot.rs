//! What a daemon that begins to work makes of the sessions that it finds: adopted, resumed after a reboot, lost, or doubted.
//!
//! Nothing here ends a process. One lost host is believed after a moment; many lost at once are rather a disk that is not
//! there than so many deaths, and are left to a person.

use super::draft::Draft;
use super::lookup::{run_of, settings};
use super::{prompting, session as life, turn};
use crate::activity::{Activity, Known, Source};
use crate::effect::{Effect, Priority, Recovery};
use crate::event::Answer;
use crate::facts::Facts;
use crate::id::{ProjectId, SessionId};
use crate::session::{Lost, Phase, Process, Remains, Session, TurnHow};
use crate::time::{Millis, Time};
use std::collections::BTreeMap;

/// A lost host is believed after this long: what was lost together is reported within milliseconds, and must be seen
/// together.
pub(super) const SETTLE: Millis = Millis::secs(2);

/// So many hosts lost at once are doubted: two may die of one cause that is theirs (memory, a stray kill), and a person who
/// has no more sessions than that sees it at a glance.
const MASS_DEATH: usize = 3;

/// They are doubted when they are at least one in this many of all that lived.
const MASS_SHARE: usize = 2;

/// Why a session that lived when the machine went down waits for a place.
const RESUMED: &str = "the machine was restarted: it is resumed";

/// The daemon begins to work. Time in which nobody watched counts against nobody; after a reboot every process is gone.
pub(super) fn daemon_started(d: &mut Draft<'_>, boot_id: &str, clock_base: u64) -> Answer {
    let now = d.now;
    let before = std::mem::replace(&mut d.machine.boot_id, boot_id.to_owned());
    d.machine.clock_base = clock_base;
    d.machine.started = now;
    // What is sent at most once may have been on its way when the last daemon ended: nobody knows, so it is not repeated.
    // What is known to have failed was not sent.
    let once = |p: &crate::facts::Pending| p.effect.recovery() == Recovery::Once && p.again.is_none() && !p.uncertain;
    let once: Vec<_> = d.pending.values().filter(|p| once(p)).map(|p| p.effect.key()).collect();
    for key in once {
        if let Some(pending) = d.pending.get_mut(&key) {
            pending.uncertain = true;
        }
    }
    let rebooted = !before.is_empty() && !boot_id.is_empty() && before != boot_id;
    let all: Vec<SessionId> = d
        .sessions
        .values()
        .filter(|s| matches!(s.phase, Phase::Live | Phase::Launching))
        .map(|s| s.id.clone())
        .collect();
    if rebooted {
        d.machine.doubted = None;
        reboot(d, &all, boot_id);
    } else {
        all.iter().for_each(|id| watch_again(d, id));
    }
    Answer::Noted
}

fn watch_again(d: &mut Draft<'_>, id: &SessionId) {
    let now = d.now;
    if d.sessions.get(id).is_none_or(|s| !matches!(s.phase, Phase::Live)) {
        return;
    }
    prompting::watched_again(d, id);
    if let Some(session) = d.sessions.get_mut(id) {
        if session.in_turn() {
            session.last_output = now;
        }
        if let Some(lost) = &mut session.lost {
            // It is looked for anew.
            lost.since = now;
        }
    }
}

/// No process of before lives. Work of runs goes on by their rules; other sessions come back as they were left.
fn reboot(d: &mut Draft<'_>, all: &[SessionId], boot_id: &str) {
    let mut resumed: BTreeMap<ProjectId, Vec<String>> = BTreeMap::new();
    for id in all {
        let Some(session) = d.sessions.get_mut(id) else { continue };
        let over = matches!(session.process, Process::Exited { .. } | Process::Missing);
        if !over {
            session.lost = Some(Lost { since: d.now, left: Remains::None });
        }
        let Some(session) = d.sessions.get(id) else { continue };
        let by_rule = session.merge_wanted || run_of(d, session).is_some_and(|run| !run.finished());
        if matches!(session.phase, Phase::Launching) {
            relaunch(d, id);
        } else if over || by_rule || !settings(d, session).resume_on_boot {
            life::missing(d, id, "the machine was restarted");
        } else {
            resumed.entry(session.project.clone()).or_default().push(session.name.clone());
            resume(d, id);
        }
    }
    for (project, names) in resumed {
        let title = format!("the machine was restarted: sessions of {project} are resumed");
        let body = format!("{}. Nothing is typed into them but prompts that already waited.", names.join(", "));
        d.notify(format!("reboot:{project}:{boot_id}"), &project, None, Priority::Info, title, body);
    }
}

/// It was being started when the machine went down: nobody can say how far that came, so it is started anew.
fn relaunch(d: &mut Draft<'_>, id: &SessionId) {
    let Some(session) = d.sessions.get_mut(id) else { return };
    let Some(launch) = session.launch.clone() else { return };
    let resume = session.launches > 1;
    session.process = Process::Missing;
    d.settle(&Effect::EnsureHost { session: id.clone(), launch, resume }.key());
    prompting::launch_over(d, id);
    life::launch(d, id, resume);
}

/// Puts a session in the queue for a place, to go on with its conversation and wait there: nobody is told to go on, for
/// fifty agents that begin to work at once would be nobody's wish. A prompt that was promised and not typed yet still waits.
fn resume(d: &mut Draft<'_>, id: &SessionId) {
    let now = d.now;
    prompting::launch_over(d, id);
    let _ = turn::end(d, id, TurnHow::Exited);
    let Some(session) = d.sessions.get_mut(id) else { return };
    session.process = Process::Missing;
    session.known = Known {
        activity: Activity::Exited { code: None },
        since: now,
        source: Source::Process,
        confidence: 90,
        why: "the machine was restarted".to_owned(),
    };
    session.phase = Phase::Queued { why: RESUMED.to_owned() };
}

fn is_looked_for(session: &Session) -> bool {
    session.lost.is_some() && matches!((&session.phase, &session.process), (Phase::Live, Process::ProbeFailed { .. }))
}

fn is_watched(session: &Session) -> bool {
    let gone = matches!(session.process, Process::Exited { .. } | Process::Missing);
    matches!(session.phase, Phase::Live) && !gone
}

/// When a lost host is to be believed.
pub(super) fn deadline(facts: &Facts) -> Option<Time> {
    if facts.machine.doubted.is_some() {
        return None;
    }
    let lost = facts.sessions.values().filter(|s| is_looked_for(s));
    lost.filter_map(|s| s.lost.as_ref().map(|lost| lost.since.after(SETTLE))).min()
}

/// Believes what is lost for a moment, unless too much is lost at once.
pub(super) fn advance(d: &mut Draft<'_>) {
    let now = d.now;
    let lost: Vec<(SessionId, ProjectId, Time)> = d
        .sessions
        .values()
        .filter(|s| is_looked_for(s))
        .filter_map(|s| s.lost.as_ref().map(|lost| (s.id.clone(), s.project.clone(), lost.since)))
        .collect();
    let Some((_, project, _)) = lost.first() else {
        d.machine.doubted = None;
        return;
    };
    let watched = d.sessions.values().filter(|s| is_watched(s)).count();
    if d.machine.doubted.is_none() && lost.len() >= MASS_DEATH && lost.len() * MASS_SHARE >= watched {
        d.machine.doubted = Some(now);
        let title = format!("{} of {watched} sessions lost their hosts at once", lost.len());
        let body =
            "That is rather a disk that is not mounted than so many deaths, so none of them was ended: they are \
            looked for again and again, and go on by themselves once they answer. If they are dead: \
            `ao stop SESSION`, then `ao restore SESSION`."
                .to_owned();
        d.notify(format!("mass-death:{}", now.0), &project.clone(), None, Priority::Urgent, title, body);
    }
    if d.machine.doubted.is_some() {
        return;
    }
    for (id, _, since) in lost {
        if since.after(SETTLE) <= now {
            life::missing(d, &id, "its host is gone and left no record of an end");
        }
    }
}
