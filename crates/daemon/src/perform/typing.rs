//! Performs the stages of a delivery: look at the composer, type through the host, see that it is there.
//!
//! The host remembers every stage, so doing this again after a crash types nothing twice (`docs/design/delivery.md`).

use crate::clock::wall_ms;
use crate::engine::Engine;
use crate::hub::SessionLink;
use ao_core::adapter::composer::{self, Found};
use ao_core::delivery::PromptFile;
use ao_core::effect::Outcome;
use ao_core::id::{DeliveryId, LaunchId, SessionId};
use ao_core::kind::{Fault, Kind};
use ao_core::screen::Screen;
use ao_slots::runtime::{TypeStage, Typed};
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// The composer is looked for, and a moved one looked at again, at most this often …
const LOOKS: u32 = 5;
/// … within this time (`docs/design/delivery.md`).
const LOOK_FOR: Duration = Duration::from_secs(10);
/// A pasted prompt is seen in the composer within this time, or it is reported as held.
const SEEN_WITHIN: Duration = Duration::from_secs(5);
/// A person who typed less than this long ago is not interrupted (`docs/design/delivery.md`).
pub(super) const PERSON_RESTS_MS: u64 = 5_000;
/// How long to wait for the link of a launch that was just started.
const LINK_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn paste(
    engine: &Engine,
    delivery: &DeliveryId,
    session: &SessionId,
    launch: &LaunchId,
    text: &str,
    file: Option<&PromptFile>,
) -> Result<Outcome, Fault> {
    let Some(mut link) = link(engine, session, launch).await else { return Ok(held("its terminal is not connected")) };
    if let Some(file) = file {
        write_file(engine, session, file).await?;
    }
    let typed = link.control.typed_stages().await?;
    if !typed.iter().any(|t| t.delivery == delivery.as_str() && t.stage == "paste")
        && let Err(why) = paste_now(&mut link, delivery, text).await?
    {
        return Ok(held(&why));
    }
    let seen = wait(&mut link, SEEN_WITHIN, |link, screen| {
        composer::find(link.agent.adapter(), screen)
            .is_some_and(|found| composer::holds(link.agent.adapter(), &found, text))
    })
    .await;
    // A submit that was typed before a crash has emptied the composer: it is not to be seen any more.
    let submitted = typed.iter().any(|t| t.delivery == delivery.as_str() && t.stage.starts_with("submit"));
    Ok(if seen.is_some() || submitted { Outcome::Pasted } else { Outcome::Unseen })
}

async fn paste_now(link: &mut SessionLink, delivery: &DeliveryId, text: &str) -> Result<Result<(), String>, Fault> {
    let until = Instant::now() + LOOK_FOR;
    let mut why = "no composer was found on its screen".to_owned();
    for _ in 0..LOOKS {
        let screen = link.screen.borrow_and_update().clone();
        match free_composer(link, &screen, text) {
            Ok(found) => {
                let stage = TypeStage {
                    delivery: delivery.to_string(),
                    stage: "paste".to_owned(),
                    if_region: Some(found.region),
                    // The host wraps it as the program wants its pastes at that very moment.
                    bytes: text.as_bytes().to_vec(),
                };
                match link.control.type_stage(stage).await? {
                    Typed::Written { .. } | Typed::Repeat { .. } => return Ok(Ok(())),
                    Typed::Moved => "its composer changed each time it was to be typed into".clone_into(&mut why),
                }
            }
            // A person is let finish: the machine comes back when they have rested.
            Err(Busy::Taken(reason)) => return Ok(Err(reason)),
            Err(Busy::NotFound) => {}
        }
        if timeout_at(until, link.screen.changed()).await.is_err() {
            break;
        }
    }
    Ok(Err(why))
}

/// Why the composer cannot be typed into.
enum Busy {
    /// Somebody uses it; the reason in words.
    Taken(String),
    /// It is not on the screen, yet.
    NotFound,
}

/// The composer, if nobody else is using it.
fn free_composer(link: &SessionLink, screen: &Screen, ours: &str) -> Result<Found, Busy> {
    let ago = screen.person_at.map(|at| wall_ms().saturating_sub(at));
    if let Some(ms) = ago.filter(|ms| *ms < PERSON_RESTS_MS) {
        return Err(Busy::Taken(format!("composer_busy: a person typed {ms} ms ago")));
    }
    let found = composer::find(link.agent.adapter(), screen).ok_or(Busy::NotFound)?;
    if found.text.is_empty() || composer::holds(link.agent.adapter(), &found, ours) {
        Ok(found)
    } else {
        Err(Busy::Taken("composer_busy: it holds text that is not ours".to_owned()))
    }
}

pub(super) async fn submit(
    engine: &Engine,
    delivery: &DeliveryId,
    session: &SessionId,
    launch: &LaunchId,
    n: u32,
    text: &str,
) -> Result<Outcome, Fault> {
    let Some(mut link) = link(engine, session, launch).await else { return Ok(held("its terminal is not connected")) };
    let name = format!("submit#{n}");
    let typed = link.control.typed_stages().await?;
    if let Some(done) = typed.iter().find(|t| t.delivery == delivery.as_str() && t.stage == name) {
        return Ok(Outcome::Submitted { offset: done.offset });
    }
    tokio::time::sleep(Duration::from_millis(link.agent.adapter().door.pause_ms)).await;
    for _ in 0..LOOKS {
        let screen = link.screen.borrow_and_update().clone();
        let adapter = link.agent.adapter();
        // Programs that do not echo show nothing of a paste; but Enter is pressed again only on what is seen to wait.
        let found = composer::find(adapter, &screen).filter(|found| match n {
            1 => composer::holds(adapter, found, text),
            _ => composer::still_holds(adapter, &screen, found, text),
        });
        let Some(found) = found else { return Ok(held("the composer does not hold the prompt any more")) };
        let stage = TypeStage {
            delivery: delivery.to_string(),
            stage: name.clone(),
            if_region: Some(found.region),
            bytes: b"\r".to_vec(),
        };
        match link.control.type_stage(stage).await? {
            Typed::Written { offset } | Typed::Repeat { offset } => return Ok(Outcome::Submitted { offset }),
            Typed::Moved => {
                if timeout(SEEN_WITHIN, link.screen.changed()).await.is_err() {
                    break;
                }
            }
        }
    }
    Ok(held("its composer changed each time Enter was to be pressed"))
}

pub(super) fn held(why: &str) -> Outcome {
    Outcome::Held { why: why.to_owned() }
}

/// Waits until the screen is as wanted.
async fn wait(
    link: &mut SessionLink,
    limit: Duration,
    wanted: impl Fn(&SessionLink, &Screen) -> bool,
) -> Option<Screen> {
    let until = Instant::now() + limit;
    loop {
        let screen = link.screen.borrow_and_update().clone();
        if wanted(link, &screen) {
            return Some(screen);
        }
        match timeout_at(until, link.screen.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return None,
        }
    }
}

/// The link of this launch, waiting a little for one that is being made.
pub(super) async fn link(engine: &Engine, session: &SessionId, launch: &LaunchId) -> Option<SessionLink> {
    let until = Instant::now() + LINK_WITHIN;
    let mut additions = engine.hub().additions();
    loop {
        if let Some(link) = engine.hub().link(session).ok().filter(|l| l.launch == *launch) {
            return Some(link);
        }
        timeout_at(until, additions.changed()).await.ok()?.ok()?;
    }
}

/// Puts a long prompt into the workspace, where git does not see it.
async fn write_file(engine: &Engine, session: &SessionId, file: &PromptFile) -> Result<(), Fault> {
    let (_, session) = super::lookup::look_up(engine, session)?;
    let Some(workspace) = session.workspace_path else { return Err(Fault::conflict("the session has no workspace")) };
    let path = Path::new(&workspace).join(&file.path);
    let failed = |e: std::io::Error| Fault::new(Kind::StorageFailed, format!("{}: {e}", path.display()));
    if let Some(parent) = path.parent() {
        tokio::fs::create_dir_all(parent).await.map_err(failed)?;
    }
    tokio::fs::write(&path, &file.text).await.map_err(failed)
}
