//! Presses the answer to a dialog: looks where its menu's cursor stands, moves it step by step, and presses Enter only on the
//! row that is seen to be selected.
//!
//! The host remembers every key by its number, and types it only while the dialog's rows are as they were read: doing this
//! again after a crash presses nothing twice, and nothing is ever pressed into another dialog.

use super::typing::{self, held};
use crate::clock::wall_ms;
use crate::engine::Engine;
use crate::hub::SessionLink;
use ao_core::adapter::dialog::{self, Shown};
use ao_core::effect::Outcome;
use ao_core::id::{LaunchId, SessionId};
use ao_core::kind::Fault;
use ao_core::question::{Dialog, Reply, find};
use ao_core::screen::{Region, Screen};
use ao_slots::runtime::{TypeStage, Typed};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Keys of one answer, at the most: twice through the longest menu that is read, so that swallowed arrows do not end it.
const MOST_KEYS: u32 = 64;
/// A pressed key shows, or its dialog goes away, within this time; a busy agent draws late.
const SHOWS_WITHIN: Duration = Duration::from_secs(5);
/// A dialog that is drawn anew, or has not come back after a restart, is looked for this long.
const LOOK_FOR: Duration = Duration::from_secs(5);

/// What is to be pressed on which dialog.
pub(super) struct Answer<'a> {
    pub(super) session: &'a SessionId,
    pub(super) launch: &'a LaunchId,
    pub(super) n: u32,
    pub(super) attempt: u32,
    pub(super) dialog: &'a Dialog,
    pub(super) reply: &'a Reply,
}

pub(super) async fn press(engine: &Engine, answer: &Answer<'_>) -> Result<Outcome, Fault> {
    let Some(mut link) = typing::link(engine, answer.session, answer.launch).await else {
        return Ok(held("its terminal is not connected"));
    };
    let words = match answer.reply {
        Reply::Hidden(sha256) => match engine.hub().words(answer.session, sha256) {
            Some(words) => Some(words),
            None => {
                return Ok(held("the words were not written down, and the daemon was started again: answer once more"));
            }
        },
        Reply::Text(words) => Some(words.clone()),
        Reply::Option(_) | Reply::Keys(_) => None,
    };
    let id = format!("{}.q{}.{}", answer.launch, answer.n, answer.attempt);
    let typed: Vec<String> =
        link.control.typed_stages().await?.into_iter().filter(|t| t.delivery == id).map(|t| t.stage).collect();
    let mut pressed = u32::try_from(typed.iter().filter(|stage| stage.starts_with("key#")).count()).unwrap_or(0);
    // What was pressed before a crash stays pressed: only whether it helped is looked at.
    let mut over = typed.iter().any(|stage| stage == "last");
    while !over {
        let Some((screen, shown)) = find_dialog(&mut link, answer.dialog).await else {
            return Ok(held(&gone(&link, answer.dialog)));
        };
        if let Some(ms) = person(&screen) {
            return Ok(held(&format!("a person typed at its terminal {ms} ms ago")));
        }
        let Some(step) = step(answer, &shown, words.as_deref(), pressed) else {
            return Ok(held("where its menu's cursor stands is not to be seen"));
        };
        if pressed >= MOST_KEYS {
            return Ok(held("its menu's cursor did not come to the choice"));
        }
        let before = shown.region(&screen);
        pressed += 1;
        let stage = TypeStage {
            delivery: id.clone(),
            stage: if step.last { "last".to_owned() } else { format!("key#{pressed}") },
            if_region: Some(before.clone()),
            bytes: step.press.into_bytes(),
        };
        match link.control.type_stage(stage).await? {
            Typed::Written { .. } | Typed::Repeat { .. } => over = step.last,
            // It was drawn anew meanwhile: this number was not used.
            Typed::Moved => pressed -= 1,
        }
        if !over {
            changes(&mut link, &before).await;
        }
    }
    Ok(if leaves(&mut link, answer.dialog).await {
        Outcome::Answered
    } else {
        held("its keys were pressed, and the dialog is still there")
    })
}

struct Step {
    press: String,
    last: bool,
}

fn step(answer: &Answer<'_>, shown: &Shown, words: Option<&str>, pressed: u32) -> Option<Step> {
    match answer.reply {
        Reply::Option(wanted) => {
            let menu = shown.menu.as_ref()?;
            let step = menu.step_to(find(&answer.dialog.options, wanted)?)?;
            Some(Step { press: step.press, last: step.last })
        }
        // First the words; Enter comes in a write of its own, once they are to be seen.
        Reply::Text(_) | Reply::Hidden(_) if pressed == 0 => {
            Some(Step { press: ao_core::prompt::clean(words?).replace(['\n', '\t'], " "), last: false })
        }
        Reply::Text(_) | Reply::Hidden(_) => Some(Step { press: "\r".to_owned(), last: true }),
        Reply::Keys(keys) => Some(Step { press: keys.clone(), last: true }),
    }
}

/// Milliseconds since a person typed, if that was just now.
fn person(screen: &Screen) -> Option<u64> {
    screen.person_at.map(|at| wall_ms().saturating_sub(at)).filter(|ms| *ms < typing::PERSON_RESTS_MS)
}

/// The dialog on the screen, waiting a little for one that is being drawn.
async fn find_dialog(link: &mut SessionLink, wanted: &Dialog) -> Option<(Screen, Shown)> {
    let until = Instant::now() + LOOK_FOR;
    loop {
        let screen = link.screen.borrow_and_update().clone();
        match dialog::read(link.agent.adapter(), &screen) {
            Some(shown) if same(&shown.dialog, wanted) => return Some((screen, shown)),
            // Another dialog is no dialog that is being drawn, once it stands.
            Some(_) if screen.quiet_ms >= dialog::SETTLED_MS => return None,
            Some(_) | None => {}
        }
        timeout_at(until, link.screen.changed()).await.ok()?.ok()?;
    }
}

/// Words that were typed into a dialog belong to what it shows.
fn same(shown: &Dialog, wanted: &Dialog) -> bool {
    if wanted.takes_text { shown.takes_text && shown.kind == wanted.kind } else { shown.is(wanted) }
}

/// Why a dialog cannot be answered that is not there.
fn gone(link: &SessionLink, wanted: &Dialog) -> String {
    let screen = link.screen.borrow().clone();
    match dialog::read(link.agent.adapter(), &screen) {
        Some(other) if !same(&other.dialog, wanted) => "its screen shows another dialog now".to_owned(),
        Some(_) | None => "its screen does not show the dialog any more".to_owned(),
    }
}

/// Waits until the dialog's rows changed, so that the next key goes by what the last one did.
async fn changes(link: &mut SessionLink, before: &Region) {
    let until = Instant::now() + SHOWS_WITHIN;
    loop {
        let now = link.screen.borrow_and_update().region(before.from, before.to);
        if now != *before {
            return;
        }
        match timeout_at(until, link.screen.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

/// Whether the dialog goes away.
async fn leaves(link: &mut SessionLink, wanted: &Dialog) -> bool {
    let until = Instant::now() + SHOWS_WITHIN;
    loop {
        let screen = link.screen.borrow_and_update().clone();
        if !dialog::read(link.agent.adapter(), &screen).is_some_and(|shown| same(&shown.dialog, wanted)) {
            return true;
        }
        match timeout_at(until, link.screen.changed()).await {
            Ok(Ok(())) => {}
            // The agent ended: so did its dialog.
            Ok(Err(_)) => return true,
            Err(_) => return false,
        }
    }
}
