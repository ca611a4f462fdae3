//! Follows the daemon's events through its restarts: nothing is missed and nothing comes twice.

use crate::connect::{self, Standing};
use crate::context::Context;
use crate::route;
use ao_api::client::{Client, EventStream};
use ao_api::event::EventView;
use ao_api::project::DaemonFile;
use ao_core::kind::{Fault, Kind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep};

/// A daemon that was stopped may come back within this time (`ao daemon restart`) before a follower gives up.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(15);
/// Between two looks for it.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Follows events.
pub struct Follower<'a> {
    context: &'a Context,
    session: Option<String>,
    project: Option<String>,
    since: Option<u64>,
    stream: Option<EventStream>,
}

impl<'a> Follower<'a> {
    /// Follows from after `since` on, or from now.
    #[must_use]
    pub const fn new(context: &'a Context, since: Option<u64>) -> Self {
        Self { context, session: None, project: None, since, stream: None }
    }

    /// Only events of this session.
    #[must_use]
    pub fn session(mut self, session: Option<String>) -> Self {
        self.session = session;
        self
    }

    /// Only events of this project.
    #[must_use]
    pub fn project(mut self, project: Option<String>) -> Self {
        self.project = project;
        self
    }

    /// The next event. Safe to drop before it is there.
    ///
    /// # Errors
    /// `unavailable` when the daemon was stopped and did not come back, and what it says otherwise.
    pub async fn next(&mut self) -> Result<EventView, Fault> {
        loop {
            let Some(stream) = &mut self.stream else {
                self.open().await?;
                continue;
            };
            match stream.next().await {
                Ok(Some(text)) => {
                    let event: EventView = serde_json::from_str(&text)
                        .map_err(|e| Fault::new(Kind::Bug, format!("an event is not understood: {e}")))?;
                    self.since = Some(event.seq);
                    return Ok(event);
                }
                Ok(None) => self.stream = None,
                Err(fault) if fault.kind == Kind::Unavailable => self.stream = None,
                Err(fault) => return Err(fault),
            }
        }
    }

    async fn open(&mut self) -> Result<(), Fault> {
        let parts = [
            ("since", self.since.map(|s| s.to_string())),
            ("session", self.session.clone()),
            ("project", self.project.clone()),
        ];
        let path = route::query("/api/events", &parts);
        let begun = Instant::now();
        loop {
            let client = reconnect(self.context).await?;
            match client.follow(&path).await {
                Ok(stream) => {
                    self.stream = Some(stream);
                    return Ok(());
                }
                Err(fault) if fault.kind != Kind::Unavailable || begun.elapsed() > COMES_BACK_WITHIN => {
                    return Err(fault);
                }
                Err(_) => sleep(LOOK_EVERY).await,
            }
        }
    }
}

/// A request is made again for so many daemons that go away over it.
const ASKED_AGAIN: u32 = 5;

/// Asks, and asks again when the daemon goes away over it. Only for requests that mean the same when they come twice.
///
/// # Errors
/// What the daemon says; `unavailable` when it was stopped and does not come back.
pub async fn insist<A>(context: &Context, ask: impl AsyncFn(&Client) -> Result<A, Fault>) -> Result<A, Fault> {
    let mut again = 0;
    loop {
        let file = there(context).await?;
        let client = connect::client_of(&file)?;
        let answer = ask(&client).await;
        match &answer {
            Err(fault) if fault.kind == Kind::Unavailable && again < ASKED_AGAIN => again += 1,
            Ok(_) | Err(_) => return answer,
        }
        if client.has_lost() {
            // One that was killed looks alive for a moment longer than its connections.
            sleep(LOOK_EVERY).await;
            continue;
        }
        // A daemon that is still there has meant it.
        if connect::look(context).await == Standing::Running(file) {
            return answer;
        }
    }
}

/// Posts a command, and posts it again when the daemon goes away over it: what it makes is made once.
///
/// # Errors
/// As for [`insist`].
pub async fn once<Q, A>(context: &Context, path: &str, body: &Q) -> Result<A, Fault>
where
    Q: Serialize + Sync,
    A: DeserializeOwned,
{
    // No other call of this user has both.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let key = format!("ao-{}-{}", std::process::id(), now.as_nanos());
    insist(context, async |client| client.post_once(path, body, &key).await).await
}

/// A client of the daemon as it is now. One that crashed is started again; one that was stopped stays stopped.
///
/// # Errors
/// `unavailable` when it was stopped and does not come back.
pub async fn reconnect(context: &Context) -> Result<Client, Fault> {
    connect::client_of(&there(context).await?)
}

async fn there(context: &Context) -> Result<DaemonFile, Fault> {
    let begun = Instant::now();
    loop {
        match connect::look(context).await {
            Standing::Running(_) | Standing::Crashed => return connect::ensure(context, None).await,
            Standing::Absent if begun.elapsed() > COMES_BACK_WITHIN => {
                return Err(
                    Fault::unavailable("the daemon was stopped").hint("`ao daemon start` starts it; sessions live on")
                );
            }
            Standing::Absent => sleep(LOOK_EVERY).await,
        }
    }
}
