//! A link to a pane: one control client of tmux, and the task that owns it.
//!
//! tmux tells what the program writes as it comes, and answers in the same stream, so that a capture stands exactly between
//! two pieces of output. Nothing is polled: output makes the screen due, at most ten times a second and once after it.

pub(super) mod telling;

use super::control::{Answered, Reader, Said, half_character};
use super::ended::Ended;
use super::pane::{self, Pane, TmuxRecord};
use super::screen::{Listener, Log, Seen};
use super::server::Server;
use super::tree::Family;
use super::viewers::{self, Viewers};
use ao_core::kind::{Fault, Kind};
use ao_host::engine::queries::QueryFilter;
use ao_host::record::now_ms;
use ao_slots::Answer;
use ao_slots::runtime::{Exit, Frame, Push, View, ViewerInput};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

/// Between two looks while output flows, and from the last output to the last look, as session hosts do.
const PERIOD: Duration = Duration::from_millis(100);
/// Between two looks at a program whose process has ended and whose end tmux has not noticed: it takes a millisecond.
const NOTICES: Duration = Duration::from_millis(20);
/// tmux attaches a client within milliseconds.
const ATTACHES_WITHIN: Duration = Duration::from_secs(20);
/// Bytes read from tmux at once.
const READ: usize = 64 * 1024;
/// Reads that may wait for the task: what does not fit waits in tmux, which drops a client that is minutes behind.
const READS: usize = 4;
/// Pushes that may wait for the session's actor; one that does not fit is made anew later.
pub(super) const PUSHES: usize = 64;
/// Requests that may wait for the task: people type slowly, and a delivery waits for its answers.
pub(super) const REQUESTS: usize = 64;

/// What a link is asked to do.
pub(super) enum Request {
    /// Gives commands to tmux.
    Ask {
        /// The commands, ` ; ` between them.
        commands: String,
        /// The answers, in order, up to the first command that could not be carried out.
        answer: oneshot::Sender<Vec<Answered>>,
    },
    /// Opens a view.
    Attach {
        /// How.
        view: View,
        /// Where its frames go.
        frames: mpsc::Sender<Frame>,
        /// Its number.
        number: oneshot::Sender<u64>,
    },
    /// A viewer did something.
    Input {
        /// Which.
        viewer: u64,
        /// What.
        input: ViewerInput,
    },
    /// A viewer left.
    Leave(u64),
    /// Halts every process of it, unless somebody looks, or lets them go on.
    Halt {
        /// Whether to halt.
        frozen: bool,
        /// Whether that is so now.
        answer: oneshot::Sender<Answer<()>>,
    },
}

/// What an answer is for.
enum Waiting {
    /// The screen for the daemon.
    Look,
    /// The screen for these viewers.
    Pictures(Vec<u64>),
    /// Somebody who asked.
    Asker(oneshot::Sender<Vec<Answered>>),
    /// Nobody: keys and sizes.
    Nobody,
}

/// The connection is over.
struct Lost;

/// A launch in tmux, reached.
pub(super) struct Place {
    /// The server.
    pub(super) server: Server,
    /// What was written down of it.
    pub(super) record: TmuxRecord,
    /// Its files.
    pub(super) dir: PathBuf,
    /// Its pane.
    pub(super) pane: Pane,
}

/// The task's end of a link.
pub(super) struct Ends {
    /// What it is asked.
    pub(super) requests: mpsc::Receiver<Request>,
    /// What happens.
    pub(super) pushes: mpsc::Sender<Push>,
    /// Bytes of output so far.
    pub(super) offset: Arc<AtomicU64>,
}

/// The task.
struct Actor {
    place: Arc<Place>,
    stdin: ChildStdin,
    pushes: mpsc::Sender<Push>,
    offset: Arc<AtomicU64>,
    waiting: VecDeque<(u64, Waiting)>,
    answered: Vec<Answered>,
    asked: u64,
    seen: Seen,
    /// Marks up to here were pushed.
    told: u64,
    listener: Listener,
    log: Log,
    /// Length of the log when the link began, and how much of tmux's own words came since.
    base: u64,
    heard: u64,
    /// Looks in a row at which the log was behind.
    behind: u32,
    filter: QueryFilter,
    /// The first bytes of a character whose rest has not come.
    half: Vec<u8>,
    viewers: Viewers,
    rev: u64,
    /// When something first changed since the last look.
    changed: Option<Instant>,
    /// When something last changed, until the look after it.
    busy: Option<Instant>,
    looked: Option<Instant>,
    looking: bool,
    last_output: Option<Instant>,
    person_at: Option<u64>,
    /// Somebody is attached by tmux itself, as of the last look.
    people: bool,
    /// The agent's process has ended.
    process_ended: bool,
    /// Its processes are halted.
    frozen: bool,
    exit: Option<Exit>,
}

/// Attaches a control client and starts the task that owns it. `seen` is what earlier daemons saw.
pub(super) async fn start(place: Arc<Place>, mut seen: Seen, ends: Ends) -> Answer<()> {
    let mut child = place.server.control(&place.record.name)?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Fault::unavailable("tmux was started without pipes"));
    };
    let (reads, mut said) = mpsc::channel(READS);
    tokio::spawn(read(stdout, reads));
    let attached = timeout(ATTACHES_WITHIN, async {
        while let Some(batch) = said.recv().await {
            for said in batch {
                match said {
                    Said::Attached => return Ok(()),
                    Said::Answer(Answered { done: false, lines }) => return Err(lines.join(" ")),
                    _ => {}
                }
            }
        }
        Err("the connection was closed".to_owned())
    });
    match attached.await {
        Ok(Ok(())) => {}
        Ok(Err(why)) => {
            return Err(Fault::unavailable(format!("tmux does not attach to {}: {why}", place.record.name)));
        }
        Err(_) => return Err(Fault::unavailable(format!("tmux does not attach to {}", place.record.name))),
    }
    let ended = Ended::of(place.pane.pid);
    let size = pane::size(ao_host::engine::Size::MAX_COLS, ao_host::engine::Size::MAX_ROWS);
    let mut listener = Listener::new(size, &seen);
    let mut log = Log::of(&place.dir);
    let base = log.len().max(seen.told);
    // What was said while no daemon was there.
    log.read(&mut listener, &mut seen)
        .map_err(|e| Fault::new(Kind::StorageFailed, format!("{}: {e}", place.dir.display())))?;
    ends.offset.store(base, Ordering::Relaxed);
    let now = Instant::now();
    let mut actor = Actor {
        stdin,
        pushes: ends.pushes,
        offset: ends.offset,
        waiting: VecDeque::new(),
        answered: Vec::new(),
        asked: 0,
        told: 0,
        listener,
        log,
        base,
        heard: 0,
        behind: 0,
        seen,
        filter: QueryFilter::new(),
        half: Vec::new(),
        viewers: Viewers::default(),
        rev: 0,
        // The first look comes at once.
        changed: Some(now - PERIOD),
        busy: None,
        looked: None,
        looking: false,
        last_output: None,
        person_at: None,
        people: false,
        process_ended: false,
        frozen: false,
        exit: None,
        place,
    };
    let frozen = with_family(&actor.place, |family| family.frozen()).await?;
    actor.say_frozen(frozen);
    tokio::spawn(actor.live(child, said, ends.requests, ended));
    Ok(())
}

/// Ends control clients of daemons that were killed: what such a one was still to be told keeps it, and the server, for ever.
/// One of a person has a terminal.
pub(super) async fn drop_orphans(server: &Server, session: &str) {
    let format = "#{client_control_mode}|#{client_tty}|#{client_pid}";
    let Ok(said) = server.run(["list-clients", "-t", &format!("={session}"), "-F", format]).await else { return };
    let ours = std::process::id();
    for pid in said.lines().filter_map(|line| line.strip_prefix("1||")?.parse::<u32>().ok()) {
        let pid_of = |pid: u32| i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
        if !ao_host::platform::descendants(ours).contains(&pid)
            && let Some(pid) = pid_of(pid)
        {
            // Gone is fine.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

async fn read(mut stdout: ChildStdout, reads: mpsc::Sender<Vec<Said>>) {
    let mut reader = Reader::default();
    let mut buffer = vec![0_u8; READ];
    loop {
        let said = match stdout.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(n) => reader.read(buffer.get(..n).unwrap_or_default()),
        };
        if !said.is_empty() && reads.send(said).await.is_err() {
            return;
        }
    }
}

impl Actor {
    /// Serves until tmux goes, or nobody holds the link any more. `child` is ended with it.
    async fn live(
        mut self,
        child: Child,
        mut said: mpsc::Receiver<Vec<Said>>,
        mut requests: mpsc::Receiver<Request>,
        mut ended: Ended,
    ) {
        loop {
            let due = self.due();
            let went = tokio::select! {
                batch = said.recv() => match batch {
                    None => break,
                    Some(batch) => self.heard(batch).await,
                },
                request = requests.recv() => match request {
                    None => break,
                    Some(request) => self.request(request).await,
                },
                () = ended.wait(), if !self.process_ended => {
                    self.process_ended = true;
                    self.look().await
                }
                () = until(due) => self.tick().await,
            };
            if went.is_err() {
                break;
            }
        }
        drop(child);
    }

    /// When something is to be done though nothing happens.
    fn due(&self) -> Option<Instant> {
        let pace = |since: Instant| self.looked.map_or(since, |looked| looked.max(since)) + PERIOD;
        let flow = self.changed.map(pace);
        let quiet = self.busy.map(|busy| busy + PERIOD);
        let end =
            (self.process_ended && self.exit.is_none()).then(|| self.looked.unwrap_or_else(Instant::now) + NOTICES);
        let look = [flow, quiet, end].into_iter().flatten().min().filter(|_| !self.looking);
        [look, self.viewers.due()].into_iter().flatten().min()
    }

    fn touch(&mut self) {
        let now = Instant::now();
        self.changed.get_or_insert(now);
        self.busy = Some(now);
    }

    async fn tick(&mut self) -> Result<(), Lost> {
        let now = Instant::now();
        self.catch_up().await?;
        let due = !self.looking
            && (self.process_ended && self.exit.is_none()
                || self.changed.is_some()
                || self.busy.is_some_and(|busy| now >= busy + PERIOD));
        if due { self.look().await } else { Ok(()) }
    }

    /// Gives commands to tmux; a last one marks the end of their answers.
    async fn ask(&mut self, commands: &str, waiting: Waiting) -> Result<(), Lost> {
        self.asked += 1;
        let text = format!("{commands}\ndisplay-message -p \"ao-answered {}\"\n", self.asked);
        self.waiting.push_back((self.asked, waiting));
        self.stdin.write_all(text.as_bytes()).await.map_err(|_| Lost)
    }

    async fn heard(&mut self, batch: Vec<Said>) -> Result<(), Lost> {
        let mut output = Vec::new();
        for said in batch {
            match said {
                Said::Output { pane, bytes } => {
                    if pane == self.place.pane.id {
                        output.extend(bytes);
                    }
                    continue;
                }
                _ if output.is_empty() => {}
                // What was written before an answer is shown before it.
                _ => self.output(&std::mem::take(&mut output)),
            }
            match said {
                Said::Answer(answered) => self.answer(answered).await?,
                Said::Resized => {
                    self.touch();
                    let all = self.viewers.all();
                    if !all.is_empty() {
                        self.picture(all).await?;
                    }
                }
                Said::Visited if self.frozen => self.look().await?,
                Said::Left => return Err(Lost),
                Said::Visited | Said::Attached | Said::Output { .. } => {}
            }
        }
        if !output.is_empty() {
            self.output(&output);
        }
        self.catch_up().await
    }

    /// Shows the screen to viewers that had fallen behind.
    async fn catch_up(&mut self) -> Result<(), Lost> {
        let behind = self.viewers.that_can_go_on();
        if behind.is_empty() { Ok(()) } else { self.picture(behind).await }
    }

    fn output(&mut self, bytes: &[u8]) {
        self.heard += u64::try_from(bytes.len()).unwrap_or(0);
        let offset = self.base + self.heard;
        self.offset.store(offset, Ordering::Relaxed);
        self.last_output = Some(Instant::now());
        self.touch();
        // A view that begins here must not begin in the middle of a character.
        let mut whole = std::mem::take(&mut self.half);
        whole.extend_from_slice(bytes);
        self.half = whole.split_off(whole.len() - half_character(&whole));
        let shown = self.filter.filter_output(&whole);
        self.viewers.output(offset, &shown);
    }

    async fn answer(&mut self, answered: Answered) -> Result<(), Lost> {
        let last = |n: u64| answered.lines == [format!("ao-answered {n}")];
        match self.waiting.front() {
            Some((n, _)) if last(*n) => {}
            Some(_) => {
                self.answered.push(answered);
                return Ok(());
            }
            // Of the attaching, or of a hook.
            None => return Ok(()),
        }
        let answers = std::mem::take(&mut self.answered);
        let Some((_, waiting)) = self.waiting.pop_front() else { return Ok(()) };
        match waiting {
            Waiting::Nobody => Ok(()),
            Waiting::Asker(asker) => {
                // One that gave up wants no answer.
                drop(asker.send(answers));
                Ok(())
            }
            Waiting::Pictures(viewers) => self.pictured(&viewers, &answers),
            Waiting::Look => self.looked(&answers).await,
        }
    }

    async fn request(&mut self, request: Request) -> Result<(), Lost> {
        match request {
            Request::Ask { commands, answer } => self.ask(&commands, Waiting::Asker(answer)).await,
            Request::Attach { view, frames, number } => {
                self.wake().await;
                let viewer = self.viewers.add(view, frames);
                // One that gave up meanwhile leaves.
                let _ = number.send(viewer);
                if let Some(commands) = self.viewers.own(viewer, &self.place.record.name) {
                    self.ask(&commands, Waiting::Nobody).await?;
                }
                self.picture(vec![viewer]).await
            }
            Request::Leave(viewer) => {
                self.viewers.leave(viewer);
                Ok(())
            }
            Request::Input { viewer, input } => self.input(viewer, input).await,
            Request::Halt { frozen, answer } => {
                let looked_at = self.people || !self.viewers.is_empty();
                let done = match frozen && looked_at {
                    true => Err(Fault::conflict("somebody looks at the session")),
                    false => self.halt(frozen).await,
                };
                drop(answer.send(done));
                Ok(())
            }
        }
    }

    async fn input(&mut self, viewer: u64, input: ViewerInput) -> Result<(), Lost> {
        if !self.viewers.may_type(viewer) {
            return Ok(());
        }
        match input {
            // A view is bounded by its frames, whatever was shown of them.
            ViewerInput::Seen(_) => return Ok(()),
            ViewerInput::Resize { cols, rows } => self.viewers.set_size(viewer, cols, rows),
            ViewerInput::Keys(bytes) => {
                self.wake().await;
                self.person_at = Some(now_ms());
                self.touch();
                for commands in viewers::keys(&self.place.pane.id, &bytes) {
                    self.ask(&commands, Waiting::Nobody).await?;
                }
            }
        }
        match self.viewers.own(viewer, &self.place.record.name) {
            Some(commands) => self.ask(&commands, Waiting::Nobody).await,
            None => Ok(()),
        }
    }
}

/// Does something with the launch's processes, where waiting harms nobody.
pub(super) async fn with_family<T: Send + 'static>(
    place: &Arc<Place>,
    work: impl FnOnce(&mut Family) -> T + Send + 'static,
) -> Answer<T> {
    let place = place.clone();
    let done = tokio::task::spawn_blocking(move || work(&mut Family::of(place.pane.pid, &place.dir)));
    done.await.map_err(|e| Fault::new(Kind::Bug, format!("looking at processes failed: {e}")))
}

/// Waits until then; for ever when there is no then.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
