//! The loop: receive, decide, commit, publish, perform. One thread owns the machine; nothing else decides.

use crate::clock::wall_ms;
use crate::engine::{Engine, Inbound, Record, Word};
use crate::journal::{AppendError, Durability, Journal};
use crate::outage::Outage;
use crate::perform::Performer;
use crate::projection;
use ao_core::effect::Effect;
use ao_core::event::{Answer, Event};
use ao_core::facts::Facts;
use ao_core::id::{ProjectId, SessionId};
use ao_core::kind::{Fault, Kind};
use ao_core::machine;
use ao_core::time::{Millis, Time};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Events decided in one turn at the most: one write and one sync serve them all, and nobody waits longer than for these.
const TURN: usize = 64;

/// Pause before a journal that failed is tried again; it doubles up to [`LONGEST_PAUSE`] while it keeps failing.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest such pause: a person who has made room does not wait long.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Records that may be written and not synced: they are kept in memory, because a failed sync takes them back.
const UNSYNCED: usize = 1000;

/// The loop's own state.
pub(crate) struct Supervisor {
    /// Facts with every decision of this turn, committed or not.
    facts: Facts,
    journal: Journal,
    engine: Engine,
    performer: Performer,
    inbound: mpsc::Receiver<Word>,
    /// The next moment at which something is due, for the timer.
    due: watch::Sender<Option<Time>>,
    /// What is committed and not synced.
    unsynced: Vec<Record>,
    outage: Outage,
}

/// A caller and what it is told once its event is committed.
type Waiting = (oneshot::Sender<Result<Answer, Fault>>, Answer);

/// What was decided in a turn and is to be committed.
#[derive(Default)]
struct Decided {
    records: Vec<Record>,
    effects: Vec<Effect>,
    waiting: Vec<Waiting>,
    /// For each record whether nobody waits for its answer: the world reports once, and its news is kept over an outage.
    news: Vec<bool>,
}

impl Supervisor {
    pub(crate) fn new(
        facts: Facts,
        journal: Journal,
        engine: Engine,
        performer: Performer,
        inbound: mpsc::Receiver<Word>,
    ) -> (Self, watch::Receiver<Option<Time>>) {
        let (due, timer) = watch::channel(None);
        let outage = Outage::new(FIRST_PAUSE, LONGEST_PAUSE);
        (Self { facts, journal, engine, performer, inbound, due, unsynced: Vec::new(), outage }, timer)
    }

    /// Runs until it is told to finish. Blocking: it has a thread of its own.
    pub(crate) fn run(mut self) {
        self.announce_deadline();
        let mut open = true;
        while open && let Some(first) = self.inbound.blocking_recv() {
            let mut turn = Vec::new();
            let mut next = Some(first);
            while let Some(word) = next {
                match word {
                    Word::Decide(inbound) => turn.push(*inbound),
                    Word::Finish => open = false,
                }
                next = if open && turn.len() < TURN { self.inbound.try_recv().ok() } else { None };
            }
            self.turn(turn);
            self.announce_deadline();
        }
        if let Err(e) = self.journal.sync() {
            tracing::error!(error = %e, "the journal's last lines could not be synced");
        }
        // The next start then reads this instead of the history.
        if let Err(e) = self.journal.snapshot(wall_ms(), &self.facts) {
            tracing::warn!(error = %e, "no snapshot was written at the end");
        }
    }

    fn turn(&mut self, turn: Vec<Inbound>) {
        let mut turn = turn;
        if let Some(fault) = self.engine.failure() {
            if !self.goes_on() {
                return self.outage.wait(turn, &fault);
            }
            let missed =
                self.outage.over().into_iter().map(|event| Inbound { event, once: None, durable: false, reply: None });
            turn.splice(0..0, missed);
        }
        let mut decided = Decided::default();
        let mut promised = false;
        for inbound in turn {
            promised |= inbound.durable;
            let now = self.engine.now();
            let decision = match &inbound.once {
                Some(once) => machine::decide_once(&self.facts, &inbound.event, once, now),
                None => machine::decide(&self.facts, &inbound.event, now),
            };
            if !decision.delta.is_empty() || !decision.effects.is_empty() {
                decided.news.push(inbound.reply.is_none());
                decided.records.push(self.record(inbound.event, now, &decision, decided.records.len()));
                self.facts.apply_all(decision.delta);
                decided.effects.extend(decision.effects);
            }
            if let Some(reply) = inbound.reply {
                decided.waiting.push((reply, decision.answer));
            }
        }
        let durable = !decided.effects.is_empty() || promised || self.unsynced.len() > UNSYNCED;
        match self.commit(&decided.records, durable) {
            Ok(()) => self.committed(decided),
            Err(fault) => self.failed(&fault, decided),
        }
    }

    fn record(&self, event: Event, now: Time, decision: &machine::Decision, ahead: usize) -> Record {
        let (project, session) = subject(&self.facts, &event);
        Record {
            seq: self.journal.next_seq() + u64::try_from(ahead).unwrap_or(0),
            at: wall_ms(),
            time: now.0,
            project: project.map(|p| p.to_string()),
            session: session.map(|s| s.to_string()),
            event,
            delta: decision.delta.clone(),
            effects: decision.effects.clone(),
        }
    }

    fn commit(&mut self, records: &[Record], durable: bool) -> Result<(), Fault> {
        if records.is_empty() {
            return Ok(());
        }
        let durability = if durable { Durability::Synced } else { Durability::Written };
        let committed = self.journal.append(records, durability).map_err(|e| match e {
            AppendError::Storage(e) => Fault::new(Kind::StorageFailed, format!("the journal cannot be written: {e}"))
                .hint("make room or mend the disk: the daemon goes on by itself within seconds"),
            other => Fault::new(Kind::Bug, format!("the journal refused the event: {other}")),
        })?;
        self.outage.good();
        self.unsynced.extend_from_slice(records);
        self.unsynced.retain(|record| record.seq > committed.synced_seq);
        Ok(())
    }

    fn committed(&mut self, decided: Decided) {
        let touched = projection::touched(&decided.records);
        self.engine.publish(decided.records);
        for effect in decided.effects {
            self.performer.perform(effect);
        }
        for (reply, answer) in decided.waiting {
            // A caller that went away wants no answer.
            let _ = reply.send(Ok(answer));
        }
        self.engine.read(|committed| projection::write(&committed.facts, &touched, self.engine.now()));
        if self.journal.snapshot_due()
            && let Err(e) = self.journal.snapshot(wall_ms(), &self.facts)
        {
            tracing::warn!(error = %e, "the snapshot was not written; the journal goes on");
        }
    }

    /// The journal is read-only for now: what was decided in this turn did not happen. What the world reported is kept.
    fn failed(&mut self, fault: &Fault, decided: Decided) {
        tracing::error!(error = %fault, "nothing more is done until the journal can be written again");
        let first = self.engine.failure().is_none();
        self.facts = self.engine.read(|committed| committed.facts.clone());
        // Lines that a failed sync took back keep their numbers: they are written again first.
        let nothing_taken_back = self.journal.next_seq() == self.engine.read(|committed| committed.seq) + 1;
        if first && nothing_taken_back && fault.kind == Kind::StorageFailed {
            self.record_failure(fault);
        }
        if self.journal.failure().is_some() {
            self.engine.set_failure(Some(fault.clone()));
            let news = decided.records.into_iter().zip(decided.news).filter(|(_, news)| *news);
            self.outage.keep(news.map(|(record, _)| record.event));
        }
        for (reply, _) in decided.waiting {
            let _ = reply.send(Err(fault.clone()));
        }
    }

    /// Whether the journal takes records again, with everything in it that was told to anybody.
    fn goes_on(&mut self) -> bool {
        if !self.outage.may_try() {
            return false;
        }
        if let Err(e) = self.journal.mend() {
            tracing::debug!(error = %e, "the journal still cannot be written");
            return false;
        }
        let next = self.journal.next_seq();
        let again: Vec<Record> = self.unsynced.iter().filter(|record| record.seq >= next).cloned().collect();
        if !again.is_empty()
            && let Err(e) = self.journal.append(&again, Durability::Synced)
        {
            tracing::debug!(error = %e, "the journal still cannot be written");
            return false;
        }
        self.unsynced.clear();
        self.engine.set_failure(None);
        tracing::warn!("the journal can be written again: the daemon goes on");
        true
    }

    /// Uses the reserve to leave a line that says what happened; when even that fails the log has it.
    fn record_failure(&mut self, fault: &Fault) {
        let now = self.engine.now();
        let event = Event::StorageFailed { why: fault.message.clone() };
        let record = Record {
            seq: self.journal.next_seq(),
            at: wall_ms(),
            time: now.0,
            project: None,
            session: None,
            event,
            delta: Vec::new(),
            effects: Vec::new(),
        };
        match self.journal.record_failure(&record) {
            Ok(_) => self.engine.publish(vec![record]),
            Err(e) => tracing::error!(error = %e, "the failure could not be recorded either"),
        }
    }

    fn announce_deadline(&self) {
        let next = match self.outage.next_try() {
            Some(pause) if self.engine.failure().is_some() => {
                Some(self.engine.now().after(Millis(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX) + 1)))
            }
            _ => machine::deadline(&self.facts, self.engine.now()),
        };
        self.due.send_if_modified(|due| {
            let changed = *due != next;
            *due = next;
            changed
        });
    }
}

/// Ticks whenever something is due. Nothing due costs nothing.
pub(crate) async fn timer(engine: Engine, mut due: watch::Receiver<Option<Time>>) {
    loop {
        let next = *due.borrow_and_update();
        let changed = match next {
            None => due.changed().await,
            Some(at) => {
                let left = std::time::Duration::from_millis(at.since(engine.now()).0);
                tokio::select! {
                    changed = due.changed() => changed,
                    () = tokio::time::sleep(left) => {
                        engine.report(Event::Ticked).await;
                        // The loop answers with the next deadline, or with this one again when nothing came of it.
                        tokio::select! {
                            changed = due.changed() => changed,
                            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => Ok(()),
                        }
                    }
                }
            }
        };
        if changed.is_err() {
            return;
        }
    }
}

/// What an event is about.
fn subject<'e>(facts: &'e Facts, event: &'e Event) -> (Option<&'e ProjectId>, Option<&'e SessionId>) {
    let of_session = |id: &'e SessionId| (facts.sessions.get(id).map(|s| &s.project), Some(id));
    match event {
        Event::DaemonStarted { .. } | Event::Ticked | Event::StorageFailed { .. } | Event::PlacesMeasured { .. } => {
            (None, None)
        }
        Event::ProjectConfigured { project, .. }
        | Event::ProjectRemoved { project }
        | Event::QueueRetried { project } => (Some(project), None),
        Event::SessionRequested { new } => (Some(&new.project), None),
        Event::RunRequested { new } => (Some(&new.project), None),
        Event::MessageSent { session, .. }
        | Event::StopRequested { session, .. }
        | Event::RestoreRequested { session }
        | Event::CleanupRequested { session }
        | Event::ArchiveRequested { session, .. }
        | Event::AnswerRequested { session, .. }
        | Event::DialogShown { session, .. }
        | Event::MergeRequested { session }
        | Event::KeysPressed { session, .. }
        | Event::FreezeRequested { session }
        | Event::ThawRequested { session }
        | Event::PortsTaken { session, .. }
        | Event::HostFrozen { session, .. }
        | Event::Observed { session, .. }
        | Event::OutputSeen { session, .. }
        | Event::TranscriptRead { session, .. }
        | Event::TerminalSaid { session, .. }
        | Event::HostExited { session, .. }
        | Event::HostProbed { session, .. } => of_session(session),
        Event::DeliveryDropped { delivery } => {
            facts.deliveries.get(delivery).map_or((None, None), |d| of_session(&d.session))
        }
        Event::RunCancelled { run } => (facts.runs.get(run).map(|r| &r.project), None),
        Event::EffectDone { key, .. } | Event::EffectFailed { key, .. } => {
            let effect = facts.pending.get(key).map(|p| &p.effect);
            match effect.and_then(Effect::session) {
                Some(session) => of_session(session),
                None => (effect.and_then(project_of), None),
            }
        }
    }
}

fn project_of(effect: &Effect) -> Option<&ProjectId> {
    match effect {
        Effect::RunCheck { project, .. }
        | Effect::EnsurePullRequest { project, .. }
        | Effect::BuildCandidate { project, .. }
        | Effect::Land { project, .. }
        | Effect::ReadTarget { project, .. }
        | Effect::RemoveScratch { project, .. }
        | Effect::Notify { project, .. } => Some(project),
        Effect::EnsureWorkspace { .. }
        | Effect::EnsureHost { .. }
        | Effect::PastePrompt { .. }
        | Effect::SubmitPrompt { .. }
        | Effect::AnswerQuestion { .. }
        | Effect::EnsureStopped { .. }
        | Effect::EnsureFrozen { .. }
        | Effect::EnsureThawed { .. }
        | Effect::RemoveWorkspace { .. }
        | Effect::ArchiveSession { .. }
        | Effect::InspectWorkspace { .. } => None,
    }
}
