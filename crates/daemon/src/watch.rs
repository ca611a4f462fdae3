//! One actor per launch: connects to its host, reads observations out of what is pushed, and notices its end.

use crate::engine::Engine;
use crate::hub::SessionLink;
use crate::paths::Paths;
use ao_core::activity::{Activity, Observation, Source};
use ao_core::adapter::dialog::{Dialogs, SETTLED_MS};
use ao_core::adapter::watch::Watch;
use ao_core::adapter::{Adapter, observe, startup};
use ao_core::delivery::DeliveryState;
use ao_core::event::{Event, Probe};
use ao_core::freeze::Frozen;
use ao_core::id::{LaunchId, SessionId};
use ao_core::kind::Fault;
use ao_core::screen::Screen;
use ao_core::session::Process;
use ao_core::terminal::{Heard, Said};
use ao_core::time::{Millis, Time};
use ao_slots::agent::Agent;
use ao_slots::runtime::{Control, Exit, Found, LaunchPlace, Link, Push, Runtime, TypeStage};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Flowing output is reported at most this often: it is only a sign of life.
const LIFE_SIGN: Millis = Millis::mins(1);

/// Keys pressed for start-up questions of one launch, at the most: the longest measured menu has four choices, and no agent
/// asks more than three such questions. What needs more is for a person.
const STARTUP_KEYS: u32 = 12;

/// The first pause before a host that does not answer is asked again; it doubles up to [`LONGEST_PAUSE`], for ever.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The pause before the end of an agent that could not be recorded is reported again.
const UNTOLD_PAUSE: Duration = Duration::from_secs(2);

/// Starts actors.
#[derive(Clone)]
pub(crate) struct Watcher {
    engine: Engine,
    runtime: Handle,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

struct Actor {
    engine: Engine,
    session: SessionId,
    launch: LaunchId,
    place: LaunchPlace,
    runtime: Arc<dyn Runtime>,
    agent: Arc<dyn Agent>,
    /// What was seen so far, so that only news is reported.
    seen: Watch,
    /// What the program says to the person before the terminal.
    heard: Heard,
    life_sign: Time,
    /// The dialogs that it shows.
    dialogs: Dialogs,
    /// Keys pressed for questions at start-up.
    pressed: u32,
}

/// Why a connection ended.
enum Ended {
    Exited(Exit),
    Lost,
}

impl Watcher {
    pub(crate) fn new(engine: Engine, runtime: Handle, tasks: TaskTracker, shutdown: CancellationToken) -> Self {
        Self { engine, runtime, tasks, shutdown }
    }

    /// Connects to a launch and watches it from then on. A launch that is watched already is left alone.
    pub(crate) async fn watch(&self, session: &SessionId, launch: &LaunchId) -> Result<(), Fault> {
        if self.engine.hub().link(session).is_ok_and(|l| l.launch == *launch) {
            return Ok(());
        }
        let mut actor = self.actor(session, launch)?;
        // An agent that ended at once has left its exit record instead of a socket.
        let first = match actor.runtime.find(&actor.place).await {
            Found::Dead(exit) => First::Dead(exit),
            Found::Alive | Found::Unknown(_) => First::Link(actor.connect().await?),
        };
        let dir = actor.place.dir.clone();
        let shutdown = self.shutdown.clone();
        let work = async move {
            tokio::select! {
                () = actor.live(first) => {}
                () = shutdown.cancelled() => {}
            }
        };
        self.tasks.spawn_on(work, &self.runtime);
        let (engine, shutdown) = (self.engine.clone(), self.shutdown.clone());
        let reading = crate::transcript::follow(engine, session.clone(), launch.clone(), dir, shutdown);
        self.tasks.spawn_on(reading, &self.runtime);
        Ok(())
    }

    /// Looks at a launch that an earlier daemon started, until something is known; an unknown is never an end.
    pub(crate) fn adopt(&self, session: SessionId, launch: LaunchId) {
        let this = self.clone();
        let work = async move {
            let mut pause = FIRST_PAUSE;
            while !this.shutdown.is_cancelled() {
                match this.look(&session, &launch).await {
                    Ok(Looked::Settled) => return,
                    // It may be a disk that is not there: looked at again until that is believed or it answers.
                    Ok(Looked::Lost) => {}
                    Err(fault) => {
                        let probe = Probe::Unknown { why: fault.message };
                        this.engine
                            .report(Event::HostProbed { session: session.clone(), launch: launch.clone(), probe })
                            .await;
                    }
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                    () = this.shutdown.cancelled() => {}
                }
            }
        };
        self.tasks.spawn_on(work, &self.runtime);
    }

    async fn look(&self, session: &SessionId, launch: &LaunchId) -> Result<Looked, Fault> {
        let mut actor = self.actor(session, launch)?;
        match actor.runtime.find(&actor.place).await {
            Found::Alive => {
                self.watch(session, launch).await?;
                self.engine
                    .report(Event::HostProbed { session: session.clone(), launch: launch.clone(), probe: Probe::Alive })
                    .await;
                Ok(Looked::Settled)
            }
            Found::Dead(exit) => {
                actor.report_end(exit).await;
                Ok(if actor.is_over() { Looked::Settled } else { Looked::Lost })
            }
            Found::Unknown(why) => Err(Fault::unavailable(why)),
        }
    }

    fn actor(&self, session: &SessionId, launch: &LaunchId) -> Result<Actor, Fault> {
        let (project, facts) = self.engine.read(|c| {
            let found = c.facts.sessions.get(session);
            let project = found.and_then(|s| c.facts.projects.get(&s.project)).cloned();
            (project, found.cloned())
        });
        let (Some(project), Some(facts)) = (project, facts) else {
            return Err(Fault::not_found(format!("there is no session {session}")));
        };
        Ok(Actor {
            engine: self.engine.clone(),
            session: session.clone(),
            launch: launch.clone(),
            place: LaunchPlace { launch: launch.clone(), dir: Paths::launch_dir(&project, session, launch) },
            runtime: self.engine.registry().runtime(&facts.runtime)?,
            agent: self.engine.registry().agent(&facts.agent)?,
            seen: Watch::default(),
            heard: if facts.launch.as_ref() == Some(launch) { Heard::after(&facts.terminal) } else { Heard::default() },
            life_sign: facts.last_output,
            dialogs: Dialogs::default(),
            pressed: 0,
        })
    }
}

/// What a look at a launch of an earlier daemon led to.
enum Looked {
    /// It is watched, or over.
    Settled,
    /// Its host is gone, which nobody believes yet.
    Lost,
}

enum First {
    Link(Connected),
    Dead(Option<Exit>),
}

struct Connected {
    link: Wire,
    screen: watch::Sender<Screen>,
}

struct Wire {
    control: Arc<dyn Control>,
    pushes: tokio::sync::mpsc::Receiver<Push>,
}

impl Actor {
    async fn connect(&mut self) -> Result<Connected, Fault> {
        let Link { control, pushes } = self.runtime.connect(&self.place).await?;
        let control: Arc<dyn Control> = Arc::from(control);
        let (sender, screen) = watch::channel(Screen::default());
        let agent = self.agent.clone();
        let link = SessionLink { launch: self.launch.clone(), control: control.clone(), screen, agent };
        self.engine.hub().put(&self.session, link);
        Ok(Connected { link: Wire { control, pushes }, screen: sender })
    }

    /// Watches until the agent has ended.
    async fn live(mut self, first: First) {
        let mut next = match first {
            First::Dead(exit) => {
                self.report_end(exit).await;
                None
            }
            First::Link(connected) => Some(connected),
        };
        let mut pause = FIRST_PAUSE;
        loop {
            if let Some(connected) = next.take() {
                pause = FIRST_PAUSE;
                let control = connected.link.control.clone();
                if let Ended::Exited(exit) = self.listen(connected).await {
                    self.engine.hub().remove(&self.session, &self.launch);
                    if self.report_end(Some(exit)).await {
                        self.rest(&control).await;
                        return;
                    }
                    // It is told again, by a host that waits until it is told to rest.
                    tokio::time::sleep(UNTOLD_PAUSE).await;
                }
                self.engine.hub().remove(&self.session, &self.launch);
            }
            if self.is_over() {
                return;
            }
            match self.runtime.find(&self.place).await {
                Found::Dead(exit) => {
                    self.report_end(exit).await;
                }
                Found::Alive => match self.connect().await {
                    Ok(connected) => {
                        next = Some(connected);
                        self.report_probe(Probe::Alive).await;
                    }
                    Err(fault) => self.report_unknown(fault.message).await,
                },
                Found::Unknown(why) => self.report_unknown(why).await,
            }
            if next.is_none() && !self.is_over() {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    async fn listen(&mut self, mut connected: Connected) -> Ended {
        // Never cloned: a clone of a pattern has memory of its own to match in, half a megabyte for all of them.
        let agent = self.agent.clone();
        let adapter = agent.adapter();
        // Rules that must hold for a while are looked at again when nothing new has come for that long.
        let longest = waits(adapter).max().unwrap_or(0);
        let mut last: Option<(Screen, Instant)> = None;
        loop {
            let again = last
                .as_ref()
                .filter(|(screen, _)| screen.quiet_ms < longest)
                .map(|(screen, at)| *at + left(adapter, screen));
            // What came too often waits until it may be told.
            let now = self.engine.now();
            let told = self.heard.due().map(|due| Instant::now() + Duration::from_millis(due.since(now).0));
            let push = tokio::select! {
                push = connected.link.pushes.recv() => push,
                () = until(told) => {
                    let news = self.heard.ripe(self.engine.now());
                    self.tell(news).await;
                    continue;
                }
                () = until(again) => {
                    if let Some((screen, at)) = &mut last {
                        let now = Instant::now();
                        screen.quiet_ms = screen.quiet_ms.saturating_add(u64::try_from(now.duration_since(*at).as_millis()).unwrap_or(u64::MAX));
                        *at = now;
                        self.observe(adapter, screen).await;
                        self.answer_startup(adapter, screen, &connected.link.control).await;
                    }
                    continue;
                }
            };
            match push {
                None => return Ended::Lost,
                Some(Push::Exited(exit)) => return Ended::Exited(exit),
                Some(Push::Frozen(frozen)) => self.report_frozen(frozen).await,
                Some(Push::Screen(screen)) => {
                    self.observe(adapter, &screen).await;
                    self.answer_startup(adapter, &screen, &connected.link.control).await;
                    connected.screen.send_replace(screen.clone());
                    last = Some((screen, Instant::now()));
                }
            }
        }
    }

    async fn tell(&self, news: Vec<Said>) {
        for said in news {
            let (session, launch) = (self.session.clone(), self.launch.clone());
            self.engine.report(Event::TerminalSaid { session, launch, said }).await;
        }
    }

    async fn observe(&mut self, adapter: &Adapter, screen: &Screen) {
        let now = self.engine.now();
        let news = self.heard.look(screen, now);
        self.tell(news).await;
        for observation in self.seen.look(adapter, screen, now) {
            self.report(observation).await;
        }
        if let Some(dialog) = self.dialogs.look(adapter, screen, now) {
            let (session, launch, dialog) = (self.session.clone(), self.launch.clone(), dialog.map(Box::new));
            self.engine.report(Event::DialogShown { session, launch, dialog }).await;
        }
        if adapter.door.output_begins_turn && self.waits_for_a_turn() {
            self.report_passed_turn(adapter, screen).await;
        }
        if now.since(self.life_sign) >= LIFE_SIGN && screen.quiet_ms < LIFE_SIGN.0 {
            self.life_sign = now;
            let event =
                Event::OutputSeen { session: self.session.clone(), launch: self.launch.clone(), offset: screen.offset };
            self.engine.report(event).await;
        }
    }

    /// Presses the next key for a question at start-up that the adapter may answer, if the screen is still the one it was
    /// read from.
    async fn answer_startup(&mut self, adapter: &Adapter, screen: &Screen, control: &Arc<dyn Control>) {
        if self.seen.begun() || self.pressed >= STARTUP_KEYS {
            return;
        }
        let Some(step) = startup::step(adapter, screen) else { return };
        self.pressed += 1;
        let rows = u16::try_from(screen.rows.len()).unwrap_or(u16::MAX);
        let stage = TypeStage {
            delivery: format!("{}.startup", self.launch),
            stage: format!("key#{}", self.pressed),
            if_region: Some(screen.region(0, rows)),
            bytes: step.press.into_bytes(),
        };
        if let Err(fault) = control.type_stage(stage).await {
            tracing::debug!(session = %self.session, %fault, "a start-up question was not answered");
        }
    }

    /// Whether a prompt was typed and no turn was seen to begin.
    fn waits_for_a_turn(&self) -> bool {
        self.engine.read(|c| {
            let first = c.facts.sessions.get(&self.session).and_then(|s| s.outbox.first());
            let state = first.and_then(|d| c.facts.deliveries.get(d)).map(|d| &d.state);
            matches!(state, Some(DeliveryState::Submitting { .. } | DeliveryState::Submitted { .. }))
        })
    }

    /// A command may be over before any screen shows it at work: its output and the new prompt sign are all there is to see.
    async fn report_passed_turn(&self, adapter: &Adapter, screen: &Screen) {
        let now = self.engine.now();
        let shown = observe::screen(adapter, screen, now).filter(|seen| seen.activity == Activity::Idle);
        if let Some(seen) = shown {
            let why = "output, and the prompt sign again".to_owned();
            self.report(Observation { source: Source::Process, offset: Some(screen.offset), why, ..seen }).await;
        }
    }

    async fn report(&self, observation: Observation) {
        self.engine
            .report(Event::Observed { session: self.session.clone(), launch: self.launch.clone(), observation })
            .await;
    }

    /// Whether this launch is known to be over: nobody has to look at it any more.
    fn is_over(&self) -> bool {
        self.engine.read(|c| {
            c.facts.sessions.get(&self.session).is_none_or(|s| {
                let gone = matches!(s.process, Process::Exited { .. } | Process::Missing);
                gone || s.ended() || s.launch.as_ref() != Some(&self.launch)
            })
        })
    }

    /// Hosts say it with every connection: only what is news is recorded.
    async fn report_frozen(&self, frozen: bool) {
        let known = self.engine.read(|c| c.facts.sessions.get(&self.session).map(|s| s.freeze.frozen.clone()));
        let news = match known {
            None => false,
            Some(Frozen::No) => frozen,
            Some(Frozen::Since { .. }) => !frozen,
            Some(Frozen::Asked | Frozen::Waking) => true,
        };
        if news {
            let (session, launch) = (self.session.clone(), self.launch.clone());
            self.engine.report(Event::HostFrozen { session, launch, frozen }).await;
        }
    }

    async fn report_unknown(&self, why: String) {
        self.report_probe(Probe::Unknown { why }).await;
    }

    async fn report_probe(&self, probe: Probe) {
        self.engine
            .report(Event::HostProbed { session: self.session.clone(), launch: self.launch.clone(), probe })
            .await;
    }

    /// Reports the end, as durably as a command: the host is told to rest only when it is on the disk. False when it is not.
    async fn report_end(&mut self, exit: Option<Exit>) -> bool {
        // It says no more: what waited is told.
        let news = self.heard.rest();
        self.tell(news).await;
        let (session, launch) = (self.session.clone(), self.launch.clone());
        let event = match exit {
            Some(Exit { code, signal, why, .. }) => Event::HostExited { session, launch, code, signal, why },
            None => {
                let left = self.runtime.remains(&self.place).await;
                Event::HostProbed { session, launch, probe: Probe::Gone { left } }
            }
        };
        let recorded = self.engine.command(event).await;
        if let Err(fault) = &recorded {
            tracing::warn!(session = %self.session, %fault, "the end of an agent was not recorded; it is looked at again");
        }
        recorded.is_ok()
    }

    async fn rest(&self, control: &Arc<dyn Control>) {
        if let Err(fault) = control.acknowledge_exit().await {
            tracing::debug!(session = %self.session, %fault, "the host left before it was told to rest");
        }
    }
}

/// How long a screen must stand still for a rule, or to be settled.
fn waits(adapter: &Adapter) -> impl Iterator<Item = u64> + '_ {
    adapter.rules.iter().map(|rule| rule.hold_ms).chain([adapter.settle_ms, SETTLED_MS])
}

/// How long until the next rule that must hold for a while may hold.
fn left(adapter: &Adapter, screen: &Screen) -> Duration {
    let next = waits(adapter).filter(|hold| *hold > screen.quiet_ms).min();
    Duration::from_millis(next.map_or(0, |hold| hold - screen.quiet_ms))
}

/// Waits until then; for ever when there is no then.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
