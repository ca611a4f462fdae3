//! What a link tells the daemon and its viewers of a pane, and halting it.

use super::super::control::Answered;
use super::super::pane::{self, Pane};
use super::super::screen::{self, Look};
use super::super::server::senseless;
use super::{Actor, Lost, PERIOD, Waiting, with_family};
use crate::runtime::process::exit::exit_of;
use ao_core::kind::{Fault, Kind};
use ao_core::screen::Mark;
use ao_host::record::now_ms;
use ao_slots::Answer;
use ao_slots::runtime::Push;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Looks in a row for a log that is behind: whoever writes it is gone then.
const BEHIND: u32 = 50;

impl Actor {
    pub(super) async fn look(&mut self) -> Result<(), Lost> {
        let (id, name) = (&self.place.pane.id, &self.place.record.name);
        let commands = format!(
            "display-message -p -t \"{id}\" \"{}\" ; capture-pane -p -t \"{id}\" ; \
             list-clients -t \"={name}\" -F \"#{{client_control_mode}} #{{client_activity}}\"",
            screen::LOOK
        );
        self.looking = true;
        self.looked = Some(Instant::now());
        if self.busy.is_some_and(|busy| busy.elapsed() >= PERIOD) {
            self.busy = None;
        }
        self.changed = None;
        self.ask(&commands, Waiting::Look).await
    }

    pub(super) async fn picture(&mut self, viewers: Vec<u64>) -> Result<(), Lost> {
        let id = &self.place.pane.id;
        let commands = format!("display-message -p -t \"{id}\" \"{}\" ; capture-pane -e -p -t \"{id}\"", screen::VIEW);
        self.ask(&commands, Waiting::Pictures(viewers)).await
    }

    pub(super) fn pictured(&mut self, viewers: &[u64], answers: &[Answered]) -> Result<(), Lost> {
        let [line, rows] = answers else { return Err(Lost) };
        let first = line.lines.first().ok_or(Lost)?;
        let picture = screen::view_of(first, &rows.lines, self.seen.bracketed_paste).map_err(|fault| {
            tracing::warn!(%fault, "tmux cannot be understood");
            Lost
        })?;
        self.viewers.show(viewers, &picture, self.base + self.heard, self.exit.as_ref());
        Ok(())
    }

    pub(super) async fn looked(&mut self, answers: &[Answered]) -> Result<(), Lost> {
        self.looking = false;
        let look = read_look(answers).map_err(|fault| {
            tracing::warn!(%fault, "tmux cannot be understood");
            Lost
        })?;
        let person = answers.get(2).and_then(|clients| last_person(&clients.lines));
        self.people = person.is_some();
        self.person_at = self.person_at.max(person);
        if self.people {
            self.wake().await;
        }
        let ending = look.ending.clone();
        if self.process_ended && ending.is_none() {
            self.place.record.nudge();
        }
        self.read_log();
        if self.exit.is_none() {
            self.push_screen(look);
        }
        if ending.is_some() && self.exit.is_none() {
            self.end(Pane { ending, ..self.place.pane.clone() }).await;
        }
        Ok(())
    }

    /// Halts the processes or lets them go on, and tells the daemon when that changed something.
    pub(super) async fn halt(&mut self, frozen: bool) -> Answer<()> {
        if with_family(&self.place, move |family| family.freeze(frozen)).await? {
            self.say_frozen(frozen);
            return Ok(());
        }
        Err(Fault::new(Kind::Unsupported, "this session has no control group, so it cannot be halted"))
    }

    pub(super) fn say_frozen(&mut self, frozen: bool) {
        if std::mem::replace(&mut self.frozen, frozen) != frozen {
            let pushes = self.pushes.clone();
            // It must arrive, and the task must not wait for it.
            tokio::spawn(async move { pushes.send(Push::Frozen(frozen)).await });
        }
    }

    /// Whoever looks or types finds it awake.
    pub(super) async fn wake(&mut self) {
        if self.frozen
            && let Err(fault) = self.halt(false).await
        {
            tracing::warn!(%fault, launch = %self.place.record.launch, "a halted session does not go on");
        }
    }

    /// Reads what the program said besides drawing. The log is a moment behind what tmux itself says.
    pub(super) fn read_log(&mut self) {
        let before = self.listener.offset();
        if let Err(error) = self.log.read(&mut self.listener, &mut self.seen) {
            tracing::warn!(%error, dir = %self.place.dir.display(), "the log of a pane cannot be read");
        }
        let read = self.listener.offset();
        // Its length at the beginning was itself behind what the program had written by then.
        self.base = self.base.max(read.saturating_sub(self.heard));
        self.offset.store(self.base + self.heard, Ordering::Relaxed);
        self.seen.told = self.seen.told.max(self.base + self.heard);
        if read > before {
            self.behind = 0;
        }
        if read < self.base + self.heard && self.behind < BEHIND {
            self.behind += 1;
            self.touch();
        } else {
            self.behind = 0;
        }
    }

    /// Tells the daemon of the screen; what does not fit is told with the next one.
    pub(super) fn push_screen(&mut self, look: Look) {
        if let Err(error) = self.seen.write(&self.place.dir) {
            tracing::warn!(%error, dir = %self.place.dir.display(), "what was seen cannot be written down");
        }
        let quiet = match self.last_output {
            Some(at) => at.elapsed().as_millis(),
            None => u128::from(now_ms().saturating_sub(look.active * 1000)),
        };
        let mut shown = look.screen;
        shown.rev = self.rev + 1;
        shown.offset = self.seen.told;
        shown.quiet_ms = u64::try_from(quiet).unwrap_or(u64::MAX);
        shown.person_at = self.person_at;
        shown.bracketed_paste = self.seen.bracketed_paste;
        shown.bells = self.seen.bells;
        // A link that is new is told the last ones again.
        let first = self.rev == 0;
        let news = |mark: &&Mark| first || mark.offset > self.told;
        shown.marks = self.seen.marks.iter().filter(news).cloned().collect();
        match self.pushes.try_send(Push::Screen(shown)) {
            Ok(()) => {
                self.rev += 1;
                self.told = self.listener.offset();
            }
            Err(mpsc::error::TrySendError::Full(_)) => self.touch(),
            // The link may be held for its commands alone.
            Err(mpsc::error::TrySendError::Closed(_)) => {}
        }
    }

    /// The agent ended: it is written down, then told.
    pub(super) async fn end(&mut self, pane: Pane) {
        let place = self.place.clone();
        match pane::settle(&place.server, &place.record, &place.dir, &pane).await {
            Ok(record) => {
                let exit = exit_of(&record);
                self.viewers.end(&exit);
                let (pushes, told) = (self.pushes.clone(), exit.clone());
                // It must arrive, and the task must not wait for it.
                tokio::spawn(async move { pushes.send(Push::Exited(told)).await });
                self.exit = Some(exit);
            }
            Err(fault) => {
                tracing::warn!(%fault, launch = %place.record.launch, "the end of an agent cannot be written down");
                self.touch();
            }
        }
    }
}

/// Reads the answers to a look: [`screen::LOOK`] and the rows.
pub(crate) fn read_look(answers: &[Answered]) -> Answer<Look> {
    let said = || answers.iter().flat_map(|answer| &answer.lines).next().cloned().unwrap_or_default();
    let [line, rows, ..] = answers else { return Err(senseless("a look at a pane", &said())) };
    if !line.done || !rows.done {
        return Err(senseless("a look at a pane", &said()));
    }
    screen::look_of(line.lines.first().map_or("", String::as_str), &rows.lines)
}

/// When a person who is attached by tmux itself last typed, Unix milliseconds; from lines of `CONTROL ACTIVITY`.
fn last_person(clients: &[String]) -> Option<u64> {
    clients.iter().filter_map(|line| line.strip_prefix("0 ")?.parse::<u64>().ok()).max().map(|seconds| seconds * 1000)
}
