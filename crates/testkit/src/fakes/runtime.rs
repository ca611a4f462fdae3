//! Hosts in memory: what is typed is recorded, what is shown is what the test says.

use ao_core::id::LaunchId;
use ao_core::screen::{Mark, Screen};
use ao_slots::runtime::{
    Abilities, Attachment, Control, Exit, Found, Frame, LaunchPlace, LaunchPlan, Link, Push, Runtime, TypeStage, Typed,
    TypedStage, View, ViewerInput,
};
use ao_slots::{Answer, Fault};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};

/// Frames that wait for a viewer before it counts as slow.
const BACKLOG: usize = 16;

/// The runtime.
#[derive(Default)]
pub struct FakeRuntime {
    hosts: Mutex<BTreeMap<LaunchId, Arc<FakeHost>>>,
}

impl FakeRuntime {
    /// The host of a launch, once it was started.
    #[must_use]
    pub fn host(&self, launch: &str) -> Option<Arc<FakeHost>> {
        lock(&self.hosts).get(&LaunchId::new(launch)).cloned()
    }
}

/// One host with its agent.
pub struct FakeHost {
    /// How it was started.
    pub plan: LaunchPlan,
    state: Mutex<State>,
    /// Grows with everything that a viewer or typer did.
    did: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    screen: Screen,
    pushes: Vec<mpsc::Sender<Push>>,
    viewers: Vec<mpsc::Sender<Frame>>,
    views: Vec<View>,
    inputs: Vec<ViewerInput>,
    typed: Vec<TypedStage>,
    bytes: Vec<u8>,
    exit: Option<Exit>,
}

impl State {
    /// Pushes the screen, with a new mark if one was said.
    fn say(&mut self, mark: Option<(u16, &str)>) {
        self.screen.rev += 1;
        self.screen.offset += 1;
        let offset = self.screen.offset;
        self.screen.marks.extend(mark.map(|(osc, text)| Mark { offset, osc, text: text.to_owned() }));
        let screen = self.screen.clone();
        // A link that was dropped is forgotten with the next one; nobody connected is no error.
        self.pushes.retain(|pushes| pushes.try_send(Push::Screen(screen.clone())).is_ok());
    }
}

impl FakeHost {
    fn new(plan: LaunchPlan) -> Self {
        let mut state = State::default();
        state.screen.cols = plan.cols;
        state.screen.rows = vec!["fake agent".to_owned(), "> ".to_owned()];
        state.screen.bracketed_paste = true;
        Self { plan, state: Mutex::new(state), did: watch::Sender::new(0) }
    }

    /// Shows rows, and says a mark (`idle`, `working`, `blocked`).
    pub fn show(&self, rows: &[&str], mark: Option<&str>) {
        let mut state = lock(&self.state);
        state.screen.rows = rows.iter().map(|r| (*r).to_owned()).collect();
        state.say(mark.map(|text| (7501, text)));
    }

    /// Says a title (0) or another OSC sequence.
    pub fn say(&self, osc: u16, text: &str) {
        lock(&self.state).say(Some((osc, text)));
    }

    /// Rings the bell so often.
    pub fn ring(&self, bells: u64) {
        let mut state = lock(&self.state);
        state.screen.bells += bells;
        state.say(None);
    }

    /// Prints bytes to every viewer that has room for them.
    pub fn print(&self, bytes: &[u8]) {
        let mut state = lock(&self.state);
        state.screen.offset += u64::try_from(bytes.len()).unwrap_or(0);
        let offset = state.screen.offset;
        for viewer in &state.viewers {
            // A slow viewer gets a new screen when it has caught up; here it simply misses this.
            let _ = viewer.try_send(Frame::Output { offset, bytes: bytes.to_vec() });
        }
    }

    /// Ends the agent.
    pub fn end(&self, code: i32) {
        self.end_as(Exit { code: Some(code), signal: None, why: None, left: Some(0) });
    }

    /// Ends the agent like this, if it did not end before; how it ended.
    pub fn end_as(&self, exit: Exit) -> Exit {
        let mut state = lock(&self.state);
        if let Some(known) = &state.exit {
            return known.clone();
        }
        state.exit = Some(exit.clone());
        for pushes in state.pushes.drain(..) {
            let _ = pushes.try_send(Push::Exited(exit.clone()));
        }
        for viewer in state.viewers.drain(..) {
            let _ = viewer.try_send(Frame::Exited(exit.clone()));
        }
        drop(state);
        self.noted();
        exit
    }

    /// How the agent ended.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        lock(&self.state).exit.clone()
    }

    /// Everything that stages of deliveries typed.
    #[must_use]
    pub fn typed(&self) -> Vec<u8> {
        lock(&self.state).bytes.clone()
    }

    /// What viewers did.
    #[must_use]
    pub fn inputs(&self) -> Vec<ViewerInput> {
        lock(&self.state).inputs.clone()
    }

    /// How viewers came.
    #[must_use]
    pub fn views(&self) -> Vec<View> {
        lock(&self.state).views.clone()
    }

    /// Waits until something that was done to the host makes `seen` true; the caller sets a time limit.
    pub async fn until(&self, seen: impl Fn(&Self) -> bool) {
        let mut did = self.did.subscribe();
        while !seen(self) {
            if did.changed().await.is_err() {
                return;
            }
        }
    }

    fn noted(&self) {
        self.did.send_modify(|n| *n += 1);
    }
}

#[async_trait]
impl Runtime for FakeRuntime {
    fn abilities(&self) -> Abilities {
        Abilities {
            byte_log: false,
            screen: true,
            exit_code: true,
            tree: true,
            typing_log: true,
            history: false,
            views: true,
            limits: false,
            usage: false,
            freeze: false,
        }
    }

    async fn ensure(&self, plan: &LaunchPlan) -> Answer<()> {
        std::fs::create_dir_all(&plan.dir).map_err(|e| Fault::unavailable(format!("{}: {e}", plan.dir.display())))?;
        lock(&self.hosts).entry(plan.launch.clone()).or_insert_with(|| Arc::new(FakeHost::new(plan.clone())));
        Ok(())
    }

    async fn find(&self, place: &LaunchPlace) -> Found {
        match self.host(place.launch.as_str()) {
            None => Found::Dead(None),
            Some(host) => match lock(&host.state).exit.clone() {
                Some(exit) => Found::Dead(Some(exit)),
                None => Found::Alive,
            },
        }
    }

    async fn connect(&self, place: &LaunchPlace) -> Answer<Link> {
        let host = self.host(place.launch.as_str()).ok_or_else(|| Fault::unavailable("no such host"))?;
        let (sender, pushes) = mpsc::channel(64);
        let mut state = lock(&host.state);
        let _ = sender.try_send(Push::Screen(state.screen.clone()));
        match &state.exit {
            Some(exit) => drop(sender.try_send(Push::Exited(exit.clone()))),
            None => state.pushes.push(sender),
        }
        drop(state);
        Ok(Link { control: Box::new(FakeControl(host)), pushes })
    }
}

/// Commands to a host.
struct FakeControl(Arc<FakeHost>);

#[async_trait]
impl Control for FakeControl {
    async fn type_stage(&self, stage: TypeStage) -> Answer<Typed> {
        let mut state = lock(&self.0.state);
        let offset = state.screen.offset;
        let known = state.typed.iter().find(|t| t.delivery == stage.delivery && t.stage == stage.stage);
        if let Some(known) = known {
            return Ok(Typed::Repeat { offset: known.offset });
        }
        if let Some(region) = &stage.if_region
            && state.screen.region(region.from, region.to) != *region
        {
            return Ok(Typed::Moved);
        }
        state.typed.push(TypedStage { delivery: stage.delivery, stage: stage.stage, offset });
        state.bytes.extend(stage.bytes);
        drop(state);
        self.0.noted();
        Ok(Typed::Written { offset })
    }

    async fn typed_stages(&self) -> Answer<Vec<TypedStage>> {
        Ok(lock(&self.0.state).typed.clone())
    }

    async fn stop(&self, _grace_ms: u64) -> Answer<Exit> {
        Ok(self.0.end_as(Exit { code: Some(0), signal: None, why: None, left: Some(0) }))
    }

    async fn acknowledge_exit(&self) -> Answer<()> {
        Ok(())
    }

    async fn attach(&self, view: View) -> Answer<Attachment> {
        let (sender, frames) = mpsc::channel(BACKLOG);
        let (input, mut done) = mpsc::channel(BACKLOG);
        let mut state = lock(&self.0.state);
        let screen = Frame::Screen {
            cols: state.screen.cols,
            rows: self.0.plan.rows,
            history: 0,
            offset: state.screen.offset,
            bytes: state.screen.rows.join("\r\n").into_bytes(),
        };
        let _ = sender.try_send(screen);
        state.views.push(view);
        state.viewers.push(sender.clone());
        drop(state);
        self.0.noted();
        let host = self.0.clone();
        tokio::spawn(async move {
            while let Some(input) = done.recv().await {
                lock(&host.state).inputs.push(input);
                host.noted();
            }
            lock(&host.state).viewers.retain(|viewer| !viewer.same_channel(&sender));
        });
        Ok(Attachment { frames: Box::new(frames), input: Box::new(input) })
    }

    async fn history(&self, _from: u64, _to: u64) -> Answer<Vec<String>> {
        Ok(Vec::new())
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
