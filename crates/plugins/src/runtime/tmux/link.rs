//! A link to a pane: one control client of tmux, and the task that owns it.
//!
//! tmux tells what the program writes as it comes, and answers in the same stream, so that a capture stands exactly between
//! two pieces of output. Nothing is polled: output makes the screen due, at most ten times a second and once after it.

use super::control::{Answered, Reader, Said, half_character};
use super::ended::Ended;
use super::pane::{self, Pane, TmuxRecord};
use super::screen::{self, Listener, Log, Look, Seen};
use super::server::{Server, senseless};
use super::tree::Family;
use super::viewers::{self, Viewers};
use crate::runtime::process::exit::exit_of;
use ao_core::kind::{Fault, Kind};
use ao_core::screen::Mark;
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
/// Looks in a row for a log that is behind: whoever writes it is gone then.
const BEHIND: u32 = 50;
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

    async fn look(&mut self) -> Result<(), Lost> {
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

    async fn picture(&mut self, viewers: Vec<u64>) -> Result<(), Lost> {
        let id = &self.place.pane.id;
        let commands = format!("display-message -p -t \"{id}\" \"{}\" ; capture-pane -e -p -t \"{id}\"", screen::VIEW);
        self.ask(&commands, Waiting::Pictures(viewers)).await
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

    fn pictured(&mut self, viewers: &[u64], answers: &[Answered]) -> Result<(), Lost> {
        let [line, rows] = answers else { return Err(Lost) };
        let first = line.lines.first().ok_or(Lost)?;
        let picture = screen::view_of(first, &rows.lines, self.seen.bracketed_paste).map_err(|fault| {
            tracing::warn!(%fault, "tmux cannot be understood");
            Lost
        })?;
        self.viewers.show(viewers, &picture, self.base + self.heard, self.exit.as_ref());
        Ok(())
    }

    async fn looked(&mut self, answers: &[Answered]) -> Result<(), Lost> {
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
    async fn halt(&mut self, frozen: bool) -> Answer<()> {
        if with_family(&self.place, move |family| family.freeze(frozen)).await? {
            self.say_frozen(frozen);
            return Ok(());
        }
        Err(Fault::new(Kind::Unsupported, "this session has no control group, so it cannot be halted"))
    }

    fn say_frozen(&mut self, frozen: bool) {
        if std::mem::replace(&mut self.frozen, frozen) != frozen {
            let pushes = self.pushes.clone();
            // It must arrive, and the task must not wait for it.
            tokio::spawn(async move { pushes.send(Push::Frozen(frozen)).await });
        }
    }

    /// Whoever looks or types finds it awake.
    async fn wake(&mut self) {
        if self.frozen
            && let Err(fault) = self.halt(false).await
        {
            tracing::warn!(%fault, launch = %self.place.record.launch, "a halted session does not go on");
        }
    }

    /// Reads what the program said besides drawing. The log is a moment behind what tmux itself says.
    fn read_log(&mut self) {
        let before = self.listener.offset();
        if let Err(error) = self.log.read(&mut self.listener, &mut self.seen) {
            tracing::warn!(%error, dir = %self.place.dir.display(), "the log of a pane cannot be read");
        }
        let read = self.listener.offset();
        self.seen.told = self.seen.told.max(self.base + self.heard).max(read);
        // The length at the beginning may itself have been behind, so that more may be missing than this tells.
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
    fn push_screen(&mut self, look: Look) {
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
    async fn end(&mut self, pane: Pane) {
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

/// Reads the answers to a look: [`screen::LOOK`] and the rows.
pub(super) fn read_look(answers: &[Answered]) -> Answer<Look> {
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
