//! A launch with a link to it, as the daemon holds one.

use super::patience::{LIMIT, until};
use ao_core::screen::{Region, Screen};
use ao_slots::Answer;
use ao_slots::runtime::{
    Attachment, Exit, Found, Frame, Frames, Inputs, LaunchPlace, LaunchPlan, Link, Push, Runtime, TypeStage, Typed,
    View, ViewerInput,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// A launch and a link.
pub struct Agent {
    /// How it was started.
    pub plan: LaunchPlan,
    /// Where it is.
    pub place: LaunchPlace,
    /// The runtime that holds the link.
    pub runtime: Arc<dyn Runtime>,
    /// The link.
    pub link: Link,
    /// The screen as last told.
    pub screen: Screen,
    /// How it ended, once that was told.
    pub exit: Option<Exit>,
}

impl Agent {
    /// Connects to a launch that runs.
    pub async fn connect(runtime: Arc<dyn Runtime>, plan: LaunchPlan) -> Self {
        let place = LaunchPlace { launch: plan.launch.clone(), dir: plan.dir.clone() };
        let link = runtime.connect(&place).await;
        let link = link.unwrap_or_else(|fault| panic!("a launch that was just started cannot be reached: {fault}"));
        Self { plan, place, runtime, link, screen: Screen::default(), exit: None }
    }

    /// The same launch seen by another daemon; this one's link is dropped.
    pub async fn again(self, runtime: Arc<dyn Runtime>) -> Self {
        let Self { plan, link, runtime: old, .. } = self;
        drop((link, old));
        Self::connect(runtime, plan).await
    }

    /// Takes the next push; false when the link is closed.
    async fn next(&mut self) -> bool {
        match self.link.pushes.recv().await {
            None => return false,
            Some(Push::Screen(screen)) => self.screen = screen,
            Some(Push::Exited(exit)) => self.exit = Some(exit),
            Some(Push::Frozen(_)) => {}
        }
        true
    }

    /// Waits until the screen is as wanted.
    pub async fn sees(&mut self, what: &str, wanted: impl Fn(&Screen) -> bool) -> Screen {
        let told = timeout(LIMIT, async {
            while !wanted(&self.screen) {
                if !self.next().await {
                    return false;
                }
            }
            true
        });
        match told.await {
            Ok(true) => self.screen.clone(),
            Ok(false) => panic!("the link closed before {what} was shown; last screen: {:#?}", self.screen),
            Err(_) => panic!("{what} was never shown; last screen: {:#?}", self.screen),
        }
    }

    /// Waits until some row holds the text.
    pub async fn shows(&mut self, text: &str) -> Screen {
        let owned = text.to_owned();
        self.sees(&format!("{text:?}"), move |screen| screen.rows.iter().any(|row| row.contains(&owned))).await
    }

    /// Waits until the end is told.
    pub async fn ended(&mut self) -> Exit {
        let told = timeout(LIMIT, async {
            loop {
                if let Some(exit) = &self.exit {
                    return exit.clone();
                }
                assert!(self.next().await, "the link closed and the end was not told");
            }
        });
        told.await.unwrap_or_else(|_| panic!("the end was never told; last screen: {:#?}", self.screen))
    }

    /// Waits until it is known that it is over.
    pub async fn found_dead(&self) -> Option<Exit> {
        found_dead(&*self.runtime, &self.place).await
    }

    /// Ends it, and notes the end.
    pub async fn leave(self) {
        let Self { link, .. } = self;
        link.control.stop(0).await.unwrap_or_else(|fault| panic!("it cannot be stopped: {fault}"));
        link.control.acknowledge_exit().await.unwrap_or_else(|fault| panic!("an end cannot be noted: {fault}"));
    }

    /// Types a stage of delivery `d1`.
    pub async fn types(&self, stage: &str, if_region: Option<Region>, bytes: &[u8]) -> Typed {
        let typed = self.try_typing(stage, if_region, bytes).await;
        typed.unwrap_or_else(|fault| panic!("stage {stage} cannot be typed: {fault}"))
    }

    /// Tries to type a stage of delivery `d1`.
    pub async fn try_typing(&self, stage: &str, if_region: Option<Region>, bytes: &[u8]) -> Answer<Typed> {
        let stage = TypeStage { delivery: "d1".to_owned(), stage: stage.to_owned(), if_region, bytes: bytes.to_vec() };
        timeout(LIMIT, self.link.control.type_stage(stage)).await.expect("typing is answered in time")
    }

    /// Types a stage that must be written now, and gives the offset.
    pub async fn writes(&self, stage: &str, bytes: &[u8]) -> u64 {
        match self.types(stage, None, bytes).await {
            Typed::Written { offset } => offset,
            other => panic!("stage {stage} was to be written now, the answer is {other:?}"),
        }
    }

    /// Opens a view of the launch's own size.
    pub async fn view(&self, read_only: bool) -> Viewer {
        let view = View { cols: self.plan.cols, rows: self.plan.rows, read_only };
        let opened = timeout(LIMIT, self.link.control.attach(view)).await.expect("a view is opened in time");
        let Attachment { frames, input } = opened.unwrap_or_else(|fault| panic!("no view can be opened: {fault}"));
        Viewer { frames, input, seen: Vec::new(), screens: 0, size: (0, 0), history: 0, ended: None }
    }
}

/// How long one link is listened to before another look.
const LISTENS: Duration = Duration::from_secs(1);

/// Waits until it is known that a launch is over: a look says so, or what still answers for it tells the end.
pub(super) async fn found_dead(runtime: &dyn Runtime, place: &LaunchPlace) -> Option<Exit> {
    let found = until(|| async {
        match runtime.find(place).await {
            Found::Dead(exit) => Some(exit),
            Found::Alive => told_end(runtime, place).await.map(Some),
            Found::Unknown(_) => None,
        }
    });
    found.await.unwrap_or_else(|| panic!("{} is over, and neither a look nor a link says so", place.launch))
}

/// Whether it is known that a launch is over.
pub(super) async fn is_over(runtime: &dyn Runtime, place: &LaunchPlace) -> bool {
    match runtime.find(place).await {
        Found::Dead(_) => true,
        Found::Alive => told_end(runtime, place).await.is_some(),
        Found::Unknown(_) => false,
    }
}

/// The end that a link tells at once; a host answers until its agent's end was noted.
async fn told_end(runtime: &dyn Runtime, place: &LaunchPlace) -> Option<Exit> {
    let mut link = runtime.connect(place).await.ok()?;
    let told = timeout(LISTENS, async {
        loop {
            match link.pushes.recv().await {
                None => return None,
                Some(Push::Exited(exit)) => return Some(exit),
                Some(Push::Screen(_) | Push::Frozen(_)) => {}
            }
        }
    });
    told.await.ok().flatten()
}

/// A view that reads.
pub struct Viewer {
    frames: Box<dyn Frames>,
    /// What the person does.
    pub input: Box<dyn Inputs>,
    /// Every byte since the last screen, that screen first.
    pub seen: Vec<u8>,
    /// How many screens came.
    pub screens: u32,
    /// Columns and rows, as last told.
    pub size: (u16, u16),
    /// Rows that had scrolled off at the last screen.
    pub history: u64,
    /// How it ended, once that was told.
    pub ended: Option<Exit>,
}

impl Viewer {
    /// Takes a frame; false when the view is closed.
    pub async fn next(&mut self) -> bool {
        let Ok(frame) = timeout(LIMIT, self.frames.recv()).await else {
            panic!("the view says nothing more; it showed {:?}", self.text())
        };
        match frame {
            None => return false,
            Some(Frame::Screen { cols, rows, history, offset, bytes }) => {
                self.screens += 1;
                self.size = (cols, rows);
                self.history = history;
                self.seen = bytes;
                self.acknowledge(offset).await;
            }
            Some(Frame::Output { offset, bytes }) => {
                assert!(self.screens > 0, "output came before a screen");
                self.seen.extend(bytes);
                self.acknowledge(offset).await;
            }
            Some(Frame::Resized { cols, rows }) => self.size = (cols, rows),
            Some(Frame::Exited(exit)) => self.ended = Some(exit),
        }
        true
    }

    async fn acknowledge(&mut self, offset: u64) {
        // A view that is over says so by its frames.
        let _ = self.input.send(ViewerInput::Seen(offset)).await;
    }

    /// Reads until the view is as wanted.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        while !wanted(self) {
            assert!(self.next().await, "the view closed before {what}; it showed {:?}", self.text());
        }
    }

    /// Reads until this text was shown.
    pub async fn shows(&mut self, text: &str) {
        self.until(&format!("{text:?} was shown"), |view| view.text().contains(text)).await;
    }

    /// What was shown since the last screen, as text without escape sequences and carriage returns.
    #[must_use]
    pub fn text(&self) -> String {
        plain(&self.seen)
    }
}

/// Text of a terminal stream: CSI, OSC and short escape sequences and carriage returns taken out.
pub(super) fn plain(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            0x1b => match rest.next() {
                Some(b'[') => while rest.next().is_some_and(|b| !(0x40..=0x7e).contains(&b)) {},
                Some(b']' | b'P' | b'_' | b'^' | b'X') => {
                    while let Some(b) = rest.next() {
                        if b == 0x07 || (b == 0x1b && rest.next_if_eq(&b'\\').is_some()) {
                            break;
                        }
                    }
                }
                Some(b'(' | b')' | b'*' | b'+' | b'#' | b'%') => drop(rest.next()),
                Some(_) | None => {}
            },
            b'\r' => {}
            _ => text.push(byte),
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}
