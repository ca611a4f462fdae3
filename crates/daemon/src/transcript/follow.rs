//! One task per launch: looks for the transcript, reads on while the agent runs and once more when it is over.

use super::{find, tail};
use crate::clock::wall_ms;
use crate::engine::Engine;
use crate::hub::Named;
use crate::perform::told::agent_plan;
use ao_core::event::Event;
use ao_core::id::{LaunchId, SessionId};
use ao_core::session::Process;
use ao_core::time::Time;
use ao_core::transcript::read::Said;
use ao_core::transcript::{Reading, Shape};
use ao_slots::agent::Agent;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Between two looks at a transcript while its agent is in a turn: one `stat` each.
const BUSY: Duration = Duration::from_millis(300);

/// Between two looks while the agent rests.
const REST: Duration = Duration::from_secs(2);

/// Numbers alone are journalled at most this often: nobody decides by them.
const NUMBERS: Duration = Duration::from_secs(2);

/// Transcripts of sub-agents that are followed; more are passed over.
const MOST_BESIDE: usize = 32;

struct Follower {
    engine: Engine,
    session: SessionId,
    launch: LaunchId,
    agent: Arc<dyn Agent>,
    workspace: PathBuf,
    places: Vec<String>,
    /// When the launch began, milliseconds since 1970.
    since_unix_ms: u64,
    reading: Reading,
    /// What was told to the machine.
    told: Reading,
    told_at: Instant,
    /// The last trouble, so that it is said once.
    trouble: String,
}

/// Follows the transcript of a launch until it is over.
pub(crate) async fn follow(
    engine: Engine,
    session: SessionId,
    launch: LaunchId,
    dir: PathBuf,
    shutdown: CancellationToken,
) {
    let known = engine.read(|c| c.facts.sessions.get(&session).map(|s| (s.agent.clone(), s.reading.clone())));
    let Some((name, mut reading)) = known else { return };
    let Ok(agent) = engine.registry().agent(&name) else { return };
    if agent.adapter().records.rules.is_empty() {
        return;
    }
    let Ok(plan) = agent_plan(&engine, &session, &launch, false) else { return };
    let places = agent.transcripts(&plan);
    let began = std::fs::metadata(&dir).and_then(|m| m.created().or_else(|_| m.modified())).unwrap_or(UNIX_EPOCH);
    let since = began.duration_since(UNIX_EPOCH).unwrap_or_default();
    let told = reading.clone();
    // A tool of an earlier launch is not at work any more.
    if reading.files.is_empty() {
        reading.tools.clear();
    }
    let mut follower = Follower {
        engine,
        session,
        launch,
        agent,
        workspace: plan.workspace,
        places,
        since_unix_ms: u64::try_from(since.as_millis()).unwrap_or(0),
        reading,
        told,
        told_at: Instant::now(),
        trouble: String::new(),
    };
    loop {
        let over = follower.is_over();
        let busy = follower.look(over).await;
        if over {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(if busy { BUSY } else { REST }) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

impl Follower {
    fn is_over(&self) -> bool {
        self.engine.read(|c| {
            c.facts.sessions.get(&self.session).is_none_or(|s| {
                let gone = matches!(s.process, Process::Exited { .. } | Process::Missing);
                gone || s.ended() || s.launch.as_ref() != Some(&self.launch)
            })
        })
    }

    /// Reads what is there. True while something goes on.
    async fn look(&mut self, last: bool) -> bool {
        let named = self.engine.hub().named(&self.session, &self.launch);
        if named.native.is_some() {
            self.reading.native.clone_from(&named.native);
        }
        let mut moved = false;
        loop {
            let (agent, reading) = (self.agent.clone(), std::mem::take(&mut self.reading));
            let wanted = (self.places.clone(), self.workspace.clone(), self.since_unix_ms, named.clone());
            let read = tokio::task::spawn_blocking(move || {
                let mut reading = reading;
                let read = read_on(&agent.adapter().records, &mut reading, &wanted);
                (reading, read)
            });
            let Ok((reading, (said, went, more, trouble))) = read.await else { return false };
            self.reading = reading;
            moved |= went;
            self.say(trouble);
            let news = !said.is_empty();
            for one in said {
                self.report(&one).await;
            }
            self.tell(news || last && !more).await;
            if !more {
                break;
            }
        }
        let turn = self.engine.read(|c| c.facts.sessions.get(&self.session).is_some_and(|s| s.in_turn()));
        moved || turn
    }

    /// Tells the machine what is known by now, if it is news and time for it.
    async fn tell(&mut self, now: bool) {
        if self.reading == self.told || !now && self.told_at.elapsed() < NUMBERS {
            return;
        }
        let event = Event::TranscriptRead {
            session: self.session.clone(),
            launch: self.launch.clone(),
            reading: Box::new(self.reading.clone()),
        };
        self.engine.report(event).await;
        self.told.clone_from(&self.reading);
        self.told_at = Instant::now();
    }

    /// What was written before this launch says nothing of it.
    async fn report(&self, said: &Said) {
        let wall = wall_ms();
        let at = said.at_unix_ms.unwrap_or(wall).min(wall);
        if at < self.since_unix_ms {
            return;
        }
        let at = Time(self.engine.now().0.saturating_sub(wall - at));
        let observation = said.observation(&self.reading, at);
        self.engine
            .report(Event::Observed { session: self.session.clone(), launch: self.launch.clone(), observation })
            .await;
    }

    fn say(&mut self, trouble: Option<String>) {
        let trouble = trouble.unwrap_or_default();
        if trouble != self.trouble {
            if !trouble.is_empty() {
                tracing::warn!(session = %self.session, "the transcript is not read: {trouble}");
            }
            self.trouble = trouble;
        }
    }
}

type Wanted = (Vec<String>, PathBuf, u64, Named);

/// One step in every file: what was said, whether anything was read, whether there is more, and what went wrong.
fn read_on(shape: &Shape, reading: &mut Reading, wanted: &Wanted) -> (Vec<Said>, bool, bool, Option<String>) {
    let (places, workspace, since_unix_ms, named) = wanted;
    let main = find::transcript(&find::Wanted {
        places,
        shape,
        native: named.native.as_deref(),
        path: named.path.as_deref(),
        workspace,
        since_unix_ms: *since_unix_ms,
    });
    let Some(main) = main else { return (Vec::new(), false, false, None) };
    let text = main.display().to_string();
    // A new conversation of the same session: what the one before used stays counted.
    if reading.files.first().is_some_and(|first| first.path != text) {
        reading.files.clear();
        reading.tools.clear();
        reading.open = false;
    }
    let _ = reading.cursor(&text);
    for file in find::beside(shape, &main).into_iter().take(MOST_BESIDE) {
        if is_within(&file, &main) {
            let _ = reading.cursor(&file.display().to_string());
        }
    }
    let (mut said, mut moved, mut more, mut trouble) = (Vec::new(), false, false, None);
    for number in 0..reading.files.len() {
        match tail::step(shape, reading, number) {
            Ok(step) => {
                said.extend(step.said);
                moved |= step.moved;
                more |= step.more;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => trouble = Some(format!("{}: {error}", reading.files[number].path)),
        }
    }
    (said, moved, more, trouble)
}

/// Whether a sub-agent's file really lies beside the transcript.
fn is_within(file: &Path, main: &Path) -> bool {
    let dir = main.parent().and_then(|dir| std::fs::canonicalize(dir).ok());
    dir.is_some_and(|dir| std::fs::canonicalize(file).is_ok_and(|real| real.starts_with(dir)))
}
