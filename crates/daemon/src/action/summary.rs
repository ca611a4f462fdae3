//! One line for people about each event: what happened, then what came of it. It tells what facts say and derives nothing.

use crate::engine::Record;
use ao_core::delivery::{Cause, DeliveryState, MAX_SUBMITS};
use ao_core::effect::{Inspection, Outcome};
use ao_core::event::{Event, Probe};
use ao_core::facts::{Change, Facts};
use ao_core::failure::Report;
use ao_core::id::{CommitId, EffectKey};
use ao_core::pull_request::PrState;
use ao_core::run::{RunOutcome, RunState};
use ao_core::session::{Conversation, Ending, Phase, Session, TurnHow};
use ao_core::status::exit_words;
use ao_core::terminal::Said;
use ao_core::time::Time;

/// A line is cut here: a terminal's width and a half.
const LONGEST: usize = 200;
/// What somebody wrote is quoted up to here.
const QUOTE: usize = 60;

/// The stable name of an event's kind, as in the journal.
pub(crate) const fn kind(event: &Event) -> &'static str {
    match event {
        Event::DaemonStarted { .. } => "daemon_started",
        Event::Ticked => "ticked",
        Event::StorageFailed { .. } => "storage_failed",
        Event::PlacesMeasured { .. } => "places_measured",
        Event::ProjectConfigured { .. } => "project_configured",
        Event::ProjectRemoved { .. } => "project_removed",
        Event::SessionRequested { .. } => "session_requested",
        Event::MessageSent { .. } => "message_sent",
        Event::StopRequested { .. } => "stop_requested",
        Event::RestoreRequested { .. } => "restore_requested",
        Event::CleanupRequested { .. } => "cleanup_requested",
        Event::ArchiveRequested { .. } => "archive_requested",
        Event::AnswerRequested { .. } => "answer_requested",
        Event::MergeRequested { .. } => "merge_requested",
        Event::KeysPressed { .. } => "keys_pressed",
        Event::FreezeRequested { .. } => "freeze_requested",
        Event::ThawRequested { .. } => "thaw_requested",
        Event::DeliveryDropped { .. } => "delivery_dropped",
        Event::RunRequested { .. } => "run_requested",
        Event::RunCancelled { .. } => "run_cancelled",
        Event::QueueRetried { .. } => "queue_retried",
        Event::EffectDone { .. } => "effect_done",
        Event::EffectFailed { .. } => "effect_failed",
        Event::Observed { .. } => "observed",
        Event::TranscriptRead { .. } => "transcript_read",
        Event::OutputSeen { .. } => "output_seen",
        Event::TerminalSaid { said: Said::Title { .. }, .. } => "terminal_title",
        Event::TerminalSaid { said: Said::Bells { .. }, .. } => "terminal_bell",
        Event::TerminalSaid { said: Said::Notified { .. }, .. } => "terminal_notification",
        Event::TerminalSaid { said: Said::Commands { .. }, .. } => "terminal_command",
        Event::DialogShown { .. } => "dialog_shown",
        Event::HostExited { .. } => "host_exited",
        Event::PortsTaken { .. } => "ports_taken",
        Event::HostFrozen { .. } => "host_frozen",
        Event::HostProbed { .. } => "host_probed",
    }
}

/// The line. `facts` are those after the event, as far as the event touched them.
pub(crate) fn summary(record: &Record, facts: &Facts) -> String {
    let head = happened(record, facts);
    let mut parts: Vec<String> = head.into_iter().collect();
    for part in consequences(record) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    let line = if parts.is_empty() { "time passed".to_owned() } else { parts.join("; ") };
    shorten(&line, LONGEST)
}

/// What the event itself says; none when only its consequences are worth a word.
fn happened(record: &Record, facts: &Facts) -> Option<String> {
    Some(match &record.event {
        Event::DaemonStarted { version, .. } => format!("the daemon started (version {version})"),
        Event::Ticked => return None,
        Event::StorageFailed { why } => {
            format!("the journal cannot be written, nothing more is done until a restart: {why}")
        }
        Event::PlacesMeasured { places: 0 } => "any number of agents may work at the same time".to_owned(),
        Event::PlacesMeasured { places } => format!("{places} agents may work at the same time"),
        Event::ProjectConfigured { project, path, .. } => format!("project {project} is {path}"),
        Event::ProjectRemoved { project } => format!("project {project} was taken off the list"),
        Event::SessionRequested { new } => {
            let made = sessions(record).next();
            let (id, agent) = made.map_or(("a session", ""), |s| (s.id.as_str(), s.agent.as_str()));
            format!("{id} was asked for: {} ({agent})", quote(&new.title))
        }
        Event::MessageSent { session, text, from } => format!("{session}: {from} sent {}", quote(text)),
        Event::StopRequested { session, why, cleanup } => {
            let also = if *cleanup { ", workspace too" } else { "" };
            format!("{session} is being stopped ({why}{also})")
        }
        Event::RestoreRequested { session } => format!("{session} is started again"),
        Event::CleanupRequested { session } => format!("{session}: its workspace is being removed"),
        Event::ArchiveRequested { session, stop: None } => format!("{session} is to be archived"),
        Event::ArchiveRequested { session, stop: Some(why) } => format!("{session} is stopped and archived ({why})"),
        Event::AnswerRequested { session, n, reply, by } => {
            format!("{session}: {by} answers question {n} with {}", shorten(&reply.words(), QUOTE))
        }
        Event::MergeRequested { session } => format!("{session}: its work is to be merged"),
        Event::KeysPressed { session, from, interrupt: true, .. } => format!("{session}: {from} interrupts its turn"),
        Event::KeysPressed { session, from, keys, .. } => format!("{session}: {from} pressed {}", shorten(keys, QUOTE)),
        Event::FreezeRequested { session } => format!("{session} is to be halted"),
        Event::ThawRequested { session } => format!("{session} is to go on"),
        Event::DeliveryDropped { delivery } => format!("prompt {delivery} was given up"),
        Event::RunRequested { new } => {
            let made =
                record.delta.iter().find_map(|c| if let Change::Run(r) = c { Some(r.id.as_str()) } else { None });
            let check = made.and_then(|id| facts.runs.get(&ao_core::id::RunId::new(id))).map(|r| r.check.as_str());
            format!(
                "{}: {} on {} is to be made green",
                made.unwrap_or("run"),
                quote(check.unwrap_or("the check")),
                new.target
            )
        }
        Event::RunCancelled { run } => format!("{run} was cancelled"),
        Event::QueueRetried { project } => format!("{project}: the merge queue is tried again"),
        Event::EffectDone { key, outcome } => return done(record, key, outcome),
        Event::EffectFailed { key, fault } => format!("{} failed: {}", task(key), fault.message),
        Event::Observed { session, observation, .. } => {
            format!("{session}: {} ({})", observation.activity.name(), shorten(&observation.why, QUOTE))
        }
        Event::OutputSeen { session, .. } => format!("{session} prints"),
        Event::TranscriptRead { session, .. } => format!("{session} wrote into its transcript"),
        Event::TerminalSaid { session, said, .. } => format!("{session}: {}", said_words(said)),
        Event::DialogShown { session, dialog: None, .. } => format!("{session} shows no dialog any more"),
        Event::DialogShown { session, dialog: Some(dialog), .. } => {
            let last = dialog.text.lines().rfind(|line| !line.is_empty()).unwrap_or_default();
            format!("{session} shows a dialog: {}", quote(last))
        }
        Event::HostExited { session, code, signal, why, .. } => {
            let why = why.as_ref().map(|w| format!(": {w}")).unwrap_or_default();
            format!("{session}: the agent ended with {}{why}", exit_words(*code, *signal))
        }
        Event::PortsTaken { session, .. } => format!("{session}: others listen on its ports, it gets other ones"),
        Event::HostFrozen { session, frozen: true, .. } => format!("{session}: its processes are halted"),
        Event::HostFrozen { session, frozen: false, .. } => format!("{session}: its processes go on"),
        Event::HostProbed { session, probe, .. } => match probe {
            Probe::Alive => format!("{session}: the agent runs"),
            Probe::Gone { .. } => format!("{session}: its host is gone and left no record of an end"),
            Probe::Unknown { why } => format!("{session}: whether the agent runs is not known ({why})"),
        },
    })
}

/// What an agent goes on with, in words that follow its start.
const fn begun(conversation: Conversation) -> &'static str {
    match conversation {
        Conversation::First => "",
        Conversation::Continued => ", it continues its conversation",
        Conversation::Anew => ", it begins a new conversation",
    }
}

/// What a program said to the person before its terminal.
fn said_words(said: &Said) -> String {
    match said {
        Said::Title { text, .. } if text.is_empty() => "its window has no title any more".to_owned(),
        Said::Title { text, .. } => format!("its window is called {}", quote(text)),
        Said::Bells { total: 1, .. } => "it rang its bell".to_owned(),
        Said::Bells { total, .. } => format!("it rang its bell ({total} times so far)"),
        Said::Notified { last, count } => {
            let more = if *count > 1 { format!(", the last of {count}") } else { String::new() };
            format!("it says {}{more}", quote(&last.text))
        }
        Said::Commands { last, count, failed } => {
            let code = last.code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"));
            match count {
                0 | 1 => format!("a command ended with {code}"),
                _ => format!("{count} commands ended, {failed} of them failed, the last with {code}"),
            }
        }
    }
}

fn done(record: &Record, key: &EffectKey, outcome: &Outcome) -> Option<String> {
    let who = record.session.as_deref().or(record.project.as_deref()).unwrap_or("ao");
    Some(match outcome {
        Outcome::WorkspaceReady { branch, .. } => format!("{who}: workspace ready on {branch}"),
        Outcome::HostStarted { conversation } => format!("{who}: agent started{}", begun(*conversation)),
        Outcome::Pasted => format!("{who}: prompt pasted"),
        Outcome::Submitted { .. } => format!("{who}: prompt submitted"),
        Outcome::Frozen => format!("{who}: its processes are halted"),
        Outcome::Thawed => format!("{who}: its processes go on"),
        Outcome::Held { why } if key.as_str().starts_with("freeze:") => format!("{who}: not halted ({why})"),
        Outcome::Unseen => format!("{who}: the prompt was typed, and its composer does not show it"),
        Outcome::Held { why } if key.as_str().starts_with("answer:") => {
            format!("{who}: the dialog was not answered ({why})")
        }
        Outcome::Held { why } => format!("{who}: prompt held back ({why})"),
        Outcome::Answered => format!("{who}: the dialog was answered"),
        Outcome::Stopped { code } => match code {
            Some(code) => format!("{who}: nothing of it runs any more (exit code {code})"),
            None => format!("{who}: nothing of it runs any more"),
        },
        Outcome::WorkspaceRemoved { rescue: Some(name), .. } => {
            format!("{who}: workspace removed, its work is kept as {name}")
        }
        Outcome::WorkspaceRemoved { rescue: None, .. } => {
            format!("{who}: workspace removed, there was nothing to keep")
        }
        Outcome::Archived { before, after } if after < before => {
            format!("{who}: archived, its logs take {after} bytes instead of {before}")
        }
        Outcome::Archived { .. } => format!("{who}: archived"),
        Outcome::Inspected { found } => match found {
            Inspection::Missing => format!("{who}: its workspace is gone"),
            Inspection::Unchanged => format!("{who}: nothing was changed"),
            Inspection::Unmerged { files } => format!("{who}: conflicts are left in {}", files.join(", ")),
            Inspection::Changed { head, .. } => format!("{who}: its work is {}", head.short()),
        },
        Outcome::Checked { report, .. } => format!("{}: {}", task(key), verdict(report)),
        Outcome::PullRequestOpen => format!("{who}: pull request open"),
        Outcome::CandidateBuilt { old, built, conflicts, later, contained, .. } => {
            candidate(record, old, (built.len(), conflicts.len(), later.len(), contained.len()))
        }
        // What landed is a consequence, with names.
        Outcome::Landed => return None,
        Outcome::SwapLost { actual } => {
            format!("{who}: the target moved to {} meanwhile, trying again", actual.short())
        }
        Outcome::LandBlocked { why } => format!("{who}: landing is blocked ({why})"),
        Outcome::Target { commit } => format!("{who}: the target is at {}", commit.short()),
        Outcome::ScratchRemoved => format!("{who}: scratch checkouts removed"),
        Outcome::Notified => format!("{who}: a person was told"),
    })
}

fn candidate(record: &Record, old: &CommitId, counts: (usize, usize, usize, usize)) -> String {
    let (built, conflicts, later, contained) = counts;
    let mut said = vec![format!("{built} on top of {}", old.short())];
    for (count, word) in [(conflicts, "in conflict"), (later, "put off"), (contained, "there already")] {
        if count > 0 {
            said.push(format!("{count} {word}"));
        }
    }
    format!("{}: merge candidate built ({})", record.project.as_deref().unwrap_or("ao"), said.join(", "))
}

fn verdict(report: &Report) -> String {
    match (report.passed, report.failures.as_slice()) {
        (true, _) => "passed".to_owned(),
        (false, [one]) => format!("failed: {}", shorten(&one.name, QUOTE)),
        (false, several) => format!("{} failures", several.len()),
    }
}

/// The key of an effect in words: `check:app-1:2:own` and the like.
fn task(key: &EffectKey) -> String {
    let parts: Vec<&str> = key.as_str().split(':').collect();
    match parts.as_slice() {
        ["check", who, _, "own"] => format!("{who}: its own failures"),
        ["check", who, _, "all"] => format!("{who}: the whole check"),
        ["check", who, "target"] => format!("{who}: the check on the target"),
        ["check", who, round] => format!("{who}: the check (round {round})"),
        ["check", who] => format!("{who}: the check on the merge candidate"),
        ["workspace", who] => format!("{who}: making the workspace"),
        ["host", who] => format!("{who}: starting the agent"),
        ["paste" | "submit", who, ..] => format!("{who}: typing the prompt"),
        ["answer", who, ..] => format!("{who}: answering the dialog"),
        ["stop", who] => format!("{who}: stopping"),
        ["remove", who] => format!("{who}: removing the workspace"),
        ["archive", who] => format!("{who}: archiving"),
        ["inspect", who, ..] => format!("{who}: looking at the workspace"),
        ["pr", who, ..] => format!("{who}: opening the pull request"),
        ["build", who] => format!("{who}: building the merge candidate"),
        ["land", who] => format!("{who}: landing"),
        ["target", who, ..] => format!("{who}: reading the target"),
        ["scratch", who, ..] => format!("{who}: removing the scratch checkouts"),
        ["notify", ..] => "telling a person".to_owned(),
        _ => key.to_string(),
    }
}

/// What changed at the moment of this event and is worth a word.
fn consequences(record: &Record) -> Vec<String> {
    let now = Time(record.time);
    record.delta.iter().flat_map(|change| consequence(record, change, now)).collect()
}

fn consequence(record: &Record, change: &Change, now: Time) -> Vec<String> {
    match change {
        Change::Session(s) => of_session(record, s, now),
        Change::Delivery(d) => {
            let id = &d.id;
            match (&d.state, &d.cause) {
                (DeliveryState::Queued, Cause::Reaction { key }) if d.queued == now => {
                    vec![format!("{}: told about {}", d.session, key.name())]
                }
                (DeliveryState::Submitting { n, .. }, _) if *n > 1 => {
                    vec![format!("{id}: no turn began, Enter is pressed again ({n} of {MAX_SUBMITS})")]
                }
                (DeliveryState::Delivered { at, .. }, _) if *at == now => vec![format!("{id}: prompt delivered")],
                (DeliveryState::Uncertain { why }, _) => {
                    vec![format!("{id}: nobody knows whether the prompt arrived ({why})")]
                }
                (DeliveryState::Dropped { why }, _) => vec![format!("{id}: prompt given up ({why})")],
                (
                    DeliveryState::Queued
                    | DeliveryState::Pasting { .. }
                    | DeliveryState::Submitting { .. }
                    | DeliveryState::Submitted { .. }
                    | DeliveryState::Delivered { .. },
                    _,
                ) => Vec::new(),
            }
        }
        Change::PullRequest(p) => match &p.state {
            PrState::Merged { commit, at } if *at == now => {
                vec![format!("{} landed on {} as {}", p.id, p.target, commit.short())]
            }
            PrState::Opening if p.opened == now => {
                vec![format!("{}: {} is proposed for {}", p.id, quote(&p.title), p.target)]
            }
            PrState::Closed { why } => vec![format!("{} closed ({why})", p.id)],
            PrState::Opening | PrState::Open | PrState::Merged { .. } => Vec::new(),
        },
        Change::Queue(q) => {
            let blocked = q.blocked.as_ref().filter(|b| b.since == now);
            blocked.map(|b| format!("{}: the merge queue is blocked ({})", q.project, b.why)).into_iter().collect()
        }
        Change::Run(r) => match &r.state {
            RunState::Finished { outcome, at } if *at == now => vec![match outcome {
                RunOutcome::Green { commit } => format!("{}: {} is green at {}", r.id, r.target, commit.short()),
                RunOutcome::Red { left: 1 } => format!("{}: over, 1 failure is left", r.id),
                RunOutcome::Red { left } => format!("{}: over, {left} failures are left", r.id),
                RunOutcome::DryRun => format!("{}: read, nothing was to be done", r.id),
                RunOutcome::Cancelled => format!("{}: cancelled", r.id),
                RunOutcome::Failed { fault } => format!("{}: cannot go on ({})", r.id, fault.message),
            }],
            RunState::Checking { .. } | RunState::Working | RunState::Verifying { .. } | RunState::Finished { .. } => {
                Vec::new()
            }
        },
        Change::Project(_)
        | Change::Pending(_)
        | Change::Settled(_)
        | Change::Answered(_)
        | Change::Forgotten(_)
        | Change::Machine(_) => Vec::new(),
    }
}

fn of_session(record: &Record, s: &Session, now: Time) -> Vec<String> {
    let mut out = Vec::new();
    if s.created == now && !matches!(record.event, Event::SessionRequested { .. }) {
        out.push(format!("{} was made: {} ({})", s.id, quote(&s.title), s.agent));
    }
    if let Some(turn) = &s.turn {
        if turn.began == now {
            out.push(format!("{}: turn {} began", s.id, turn.n));
        }
        if let Some(end) = turn.end.as_ref().filter(|e| e.at == now) {
            let how = match end.how {
                TurnHow::Done => "ended",
                TurnHow::Error => "ended with an error",
                TurnHow::Interrupted => "was interrupted",
                TurnHow::Refused => "ended with a refusal",
                TurnHow::Exited => "was cut off",
            };
            out.push(format!("{}: turn {} {how}", s.id, turn.n));
        }
    }
    if let Some(attention) = s.attention.as_ref().filter(|a| a.since == now) {
        out.push(format!("{} needs a person: {}", s.id, attention.why));
    }
    if let Phase::Ended { how, at } = &s.phase
        && *at == now
    {
        out.push(match how {
            Ending::Merged => format!("{} is merged", s.id),
            Ending::Done => format!("{} is done", s.id),
            Ending::Killed { why } => format!("{} was stopped ({why})", s.id),
            Ending::SpawnFailed { fault } => format!("{} could not be started: {}", s.id, fault.message),
            Ending::Errored { fault } => format!("{} cannot go on: {}", s.id, fault.message),
        });
    }
    out
}

fn sessions(record: &Record) -> impl Iterator<Item = &Session> {
    record.delta.iter().filter_map(|c| if let Change::Session(s) = c { Some(&**s) } else { None })
}

fn quote(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or_default();
    format!("\u{201c}{}\u{201d}", shorten(line, QUOTE))
}

/// One line without controls, at most `most` characters.
fn shorten(text: &str, most: usize) -> String {
    let mut out: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most + 1).collect();
    if out.chars().count() > most {
        out = out.chars().take(most.saturating_sub(1)).collect();
        out.push('\u{2026}');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ao_core::activity::{Activity, Observation, Source};
    use ao_core::id::{LaunchId, ProjectId, SessionId};
    use ao_core::kind::Fault;

    fn line(event: Event, delta: Vec<Change>) -> String {
        let record = Record {
            seq: 1,
            at: 0,
            time: 5,
            project: Some("app".to_owned()),
            session: Some("app-1".to_owned()),
            event,
            delta,
            effects: Vec::new(),
        };
        summary(&record, &Facts::default())
    }

    #[test]
    fn lines_say_who_and_what() {
        let id = || SessionId::new("app-1");
        let done = |key: &str, outcome| line(Event::EffectDone { key: EffectKey::new(key), outcome }, Vec::new());
        assert_eq!(
            done("host:app-1.1", Outcome::HostStarted { conversation: Conversation::First }),
            "app-1: agent started"
        );
        assert_eq!(
            done(
                "remove:app-1",
                Outcome::WorkspaceRemoved { rescue: Some("refs/ao/rescue/app-1".to_owned()), ignored: None }
            ),
            "app-1: workspace removed, its work is kept as refs/ao/rescue/app-1"
        );
        let failed =
            Event::EffectFailed { key: EffectKey::new("workspace:app-1"), fault: Fault::unavailable("disk full") };
        assert_eq!(line(failed, Vec::new()), "app-1: making the workspace failed: disk full");
        let sent = Event::MessageSent {
            session: id(),
            text: "\n look\u{1b}[2J here\nmore".to_owned(),
            from: "you".to_owned(),
        };
        assert_eq!(line(sent, Vec::new()), "app-1: you sent \u{201c}look [2J here\u{201d}");
        assert_eq!(line(Event::Ticked, Vec::new()), "time passed");
        let observation = Observation {
            activity: Activity::Idle,
            source: Source::Screen,
            at: Time(5),
            offset: None,
            why: "composer".to_owned(),
        };
        let seen = Event::Observed { session: id(), launch: LaunchId::of(&id(), 1), observation };
        assert_eq!(line(seen, Vec::new()), "app-1: idle (composer)");
    }

    #[test]
    fn a_long_line_is_cut() {
        let why = "x".repeat(1000);
        let said = line(Event::StopRequested { session: SessionId::new("app-1"), why, cleanup: true }, Vec::new());
        assert_eq!(said.chars().count(), LONGEST);
        assert!(said.ends_with('\u{2026}'));
    }

    #[test]
    fn names_are_those_of_the_journal() {
        let events = [
            Event::Ticked,
            Event::QueueRetried { project: ProjectId::new("app") },
            Event::RestoreRequested { session: SessionId::new("app-1") },
        ];
        for event in events {
            let json = serde_json::to_value(&event).expect("json");
            assert_eq!(json.get("event").and_then(|v| v.as_str()), Some(kind(&event)));
        }
    }
}
