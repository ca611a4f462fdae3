//! Follows a run for a person: drawn in place on a terminal, line by line elsewhere, through restarts of the daemon.
//!
//! It shows and asks; what happens to a run is decided elsewhere.

use crate::context::Context;
use crate::follow::{Follower, insist};
use crate::render::run::{Live, changes, picture};
use crate::render::words::now_ms;
use crate::{ask, route};
use ao_api::client::Client;
use ao_api::event::EventView;
use ao_api::request::Nothing;
use ao_api::run::RunView;
use ao_api::session::SessionView;
use ao_core::kind::{Fault, Kind};
use std::future::poll_fn;
use std::io::{self, Write as _};
use std::task::Poll;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// The picture is drawn at most this often: a terminal over a slow line keeps up, and a person sees no difference.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// Times in the picture go on when nothing happens.
const TICK: Duration = Duration::from_secs(1);
/// Where lines cannot be redrawn, silence is broken after these many seconds, then every last of them.
const SILENCE: [u64; 5] = [1, 2, 5, 10, 30];
/// A second Ctrl-C within this time stops what was begun.
const SECOND: Duration = Duration::from_secs(2);
/// Sessions may take this long to end before they are left to the daemon.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// What a person is told who leaves.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// How to come back.
    pub resume: String,
    /// How to stop it.
    pub stop: String,
}

/// How following ended.
#[derive(Clone, Debug)]
pub enum Followed {
    /// The run is over.
    Finished(RunView),
    /// The person left; it goes on.
    Left,
    /// The person stopped it.
    Stopped(RunView),
}

/// Waits for Ctrl-C from now on, which ends nothing by itself any more: a press is never lost, and never leaves half.
///
/// # Errors
/// `bug` when the system refuses it.
pub fn presses() -> Result<Signal, Fault> {
    signal(SignalKind::interrupt()).map_err(|e| Fault::new(Kind::Bug, format!("Ctrl-C cannot be waited for: {e}")))
}

/// Whether Ctrl-C was pressed since the last look.
pub async fn pressed(presses: &mut Signal) -> bool {
    poll_fn(|cx| Poll::Ready(presses.poll_recv(cx).is_ready())).await
}

/// Follows a run to its end, or until the person leaves.
///
/// # Errors
/// `unavailable` when the daemon was stopped and does not come back.
pub async fn follow_run(
    context: &Context,
    run: RunView,
    leaving: &Leaving,
    presses: &mut Signal,
) -> Result<Followed, Fault> {
    let (mut live, seq) = insist(context, async |client| look(client, run.clone()).await).await?;
    let mut events = Follower::new(context, Some(seq)).project(Some(live.run.project_id.clone()));
    let mut screen = Screen::new(context);
    screen.show(&live);
    while live.run.state != "finished" {
        tokio::select! {
            event = events.next() => {
                take(&mut live, event?);
                screen.show(&live);
            }
            () = screen.due() => screen.tick(&live),
            _ = presses.recv() => {
                screen.clear();
                return left(context, live.run, leaving, presses).await;
            }
        }
    }
    screen.clear();
    Ok(Followed::Finished(live.run))
}

/// The run as it is, with what belongs to it, and the number of the last event in it.
async fn look(client: &Client, run: RunView) -> Result<(Live, u64), Fault> {
    let found = ask::sessions(client, Some(&run.project_id), true).await?;
    let notes = run.notes;
    let mut run: RunView = client.get(&route::run(&run.id)).await?;
    run.notes = notes;
    let queue = ask::queues(client, Some(&run.project_id)).await?.into_iter().next();
    let sessions =
        found.sessions.into_iter().filter(|s| s.run.as_deref() == Some(&run.id)).map(|s| (s.id.clone(), s)).collect();
    Ok((Live { run, sessions, queue }, found.seq))
}

fn take(live: &mut Live, event: EventView) {
    for run in event.runs {
        if run.id == live.run.id {
            let notes = std::mem::take(&mut live.run.notes);
            live.run = RunView { notes, ..run };
        }
    }
    for session in event.sessions {
        if session.run.as_deref() == Some(&live.run.id) {
            live.sessions.insert(session.id.clone(), session);
        }
    }
    for queue in event.queues {
        if queue.project_id == live.run.project_id {
            live.queue = Some(queue);
        }
    }
}

/// After the first Ctrl-C: the second one within a moment stops the run.
async fn left(context: &Context, run: RunView, leaving: &Leaving, presses: &mut Signal) -> Result<Followed, Fault> {
    let out = &context.out;
    out.note(&format!("left; {} goes on", run.id));
    out.note(&format!("  come back:  {}", leaving.resume));
    out.note(&format!("  stop it:    {}   (or Ctrl-C again now)", leaving.stop));
    if timeout(SECOND, presses.recv()).await.is_err() {
        return Ok(Followed::Left);
    }
    out.note(&format!("stopping {} …", run.id));
    let run = cancel(context, &run.id).await?;
    Ok(Followed::Stopped(run))
}

/// Cancels a run and waits until its sessions have ended; worktrees stay.
///
/// # Errors
/// What the daemon says.
pub async fn cancel(context: &Context, run: &str) -> Result<RunView, Fault> {
    let path = route::run(run);
    let run: RunView = insist(context, async |client| client.delete(&path, &Nothing {}).await).await?;
    until_ended(context, |session| session.run.as_deref() == Some(&run.id)).await?;
    let path = route::run(&run.id);
    insist(context, async |client| client.get(&path).await).await
}

/// Waits until these sessions have ended, and says so when that takes too long.
///
/// # Errors
/// `unavailable` when the daemon was stopped and does not come back.
pub async fn until_ended(context: &Context, which: impl Fn(&SessionView) -> bool) -> Result<(), Fault> {
    let mut found = insist(context, async |client| ask::sessions(client, None, false).await).await?;
    let mut events = Follower::new(context, Some(found.seq));
    let waiting = async {
        loop {
            found.sessions.retain(|s| which(s) && !s.ended);
            if found.sessions.is_empty() {
                return Ok::<(), Fault>(());
            }
            for view in events.next().await?.sessions {
                if let Some(known) = found.sessions.iter_mut().find(|s| s.id == view.id) {
                    *known = view;
                }
            }
        }
    };
    match timeout(ENDS_WITHIN, waiting).await {
        Ok(ended) => ended,
        Err(_) => {
            context.out.note("its sessions are still being stopped; ao status shows them");
            Ok(())
        }
    }
}

/// What the person sees, on standard error: standard output is for results.
struct Screen<'a> {
    context: &'a Context,
    /// Lines of the picture that is there now.
    drawn: usize,
    /// What the last line or picture showed.
    shown: Option<Live>,
    due: Instant,
    last: Instant,
    silences: usize,
}

impl<'a> Screen<'a> {
    fn new(context: &'a Context) -> Self {
        let now = Instant::now();
        Self { context, drawn: 0, shown: None, due: now + TICK, last: now, silences: 0 }
    }

    const fn is_quiet(&self) -> bool {
        self.context.out.is_json() && !self.context.out.draws()
    }

    fn show(&mut self, live: &Live) {
        if self.is_quiet() {
            return;
        }
        if self.context.out.draws() {
            // Many events at once are one picture.
            self.due = self.due.min(Instant::now() + DRAW_EVERY);
            if self.shown.is_none() {
                self.draw(live);
            }
            return;
        }
        let lines = changes(self.shown.as_ref(), live, now_ms());
        for line in &lines {
            self.context.out.note(line);
        }
        if !lines.is_empty() {
            self.silences = 0;
            self.spoke();
        }
        self.shown = Some(live.clone());
    }

    async fn due(&self) {
        if self.is_quiet() {
            sleep(Duration::from_secs(3600)).await;
        } else {
            sleep_until(self.due).await;
        }
    }

    fn tick(&mut self, live: &Live) {
        if self.is_quiet() {
            self.due = Instant::now() + TICK;
        } else if self.context.out.draws() {
            self.draw(live);
        } else {
            self.context.out.note(&live.headline(now_ms()));
            self.silences += 1;
            self.spoke();
        }
    }

    fn spoke(&mut self) {
        self.last = Instant::now();
        let pause = SILENCE.get(self.silences).or(SILENCE.last()).copied().unwrap_or(1);
        self.due = self.last + Duration::from_secs(pause);
    }

    fn draw(&mut self, live: &Live) {
        let Some(size) = self.context.out.size_err() else { return };
        let lines = picture(live, now_ms(), size, self.context.out.colours_err());
        let mut text = erase(self.drawn);
        for line in &lines {
            text.push_str(line);
            text.push('\n');
        }
        put(&text);
        self.drawn = lines.len();
        self.shown = Some(live.clone());
        self.due = Instant::now() + TICK;
    }

    /// Takes the picture away: what comes next stands in its place.
    fn clear(&mut self) {
        put(&erase(self.drawn));
        self.drawn = 0;
    }
}

/// Back to the first line of the picture, and nothing below.
fn erase(lines: usize) -> String {
    if lines == 0 { String::new() } else { format!("\x1b[{lines}A\r\x1b[J") }
}

fn put(text: &str) {
    let mut err = io::stderr().lock();
    // A terminal that is gone needs no picture.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}
