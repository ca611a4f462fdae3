//! Slot `runtime`: where an agent's terminal lives, and how to reach it.

use crate::Answer;
use ao_core::id::{LaunchId, SessionId};
use ao_core::kind::{Fault, Kind};
use ao_core::limits::{Container, Limits};
pub use ao_core::screen::{Mark, Region, Screen};
pub use ao_core::session::Remains;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// What a runtime can do beyond starting and stopping; the contract suite tests what is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Keeps every byte of output, in order, also while the daemon is away.
    pub byte_log: bool,
    /// Keeps a screen model.
    pub screen: bool,
    /// Reports the exit code even if the agent ended while the daemon was away.
    pub exit_code: bool,
    /// Ends the whole process tree and proves it.
    pub tree: bool,
    /// Remembers typed stages, so that typing can be repeated safely.
    pub typing_log: bool,
    /// Keeps rows that scrolled off, by number.
    pub history: bool,
    /// Opens views for people: [`Control::attach`].
    pub views: bool,
    /// Keeps to [`LaunchPlan::limits`], or refuses the launch with the reason.
    pub limits: bool,
    /// Says what a launch uses: [`Control::usage`].
    pub usage: bool,
    /// Halts a launch and lets it go on: [`Control::freeze`], [`Control::thaw`].
    pub freeze: bool,
}

/// Everything a runtime needs to start an agent.
#[derive(Clone, Debug)]
pub struct LaunchPlan {
    /// For which session.
    pub session: SessionId,
    /// Which launch.
    pub launch: LaunchId,
    /// A name that no other data root on this machine uses, for what the runtime makes outside `dir`: `ao-{hash}-{session}`.
    pub label: String,
    /// Directory for this launch's files; the runtime creates it, mode 0700.
    pub dir: PathBuf,
    /// Path for the socket, short enough for every system (at most 100 bytes).
    pub socket: PathBuf,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Working directory.
    pub cwd: PathBuf,
    /// The complete environment.
    pub env: BTreeMap<String, String>,
    /// Columns of the terminal.
    pub cols: u16,
    /// Rows of the terminal.
    pub rows: u16,
    /// Bounds of everything it runs.
    pub limits: Limits,
    /// The container to run in, for runtimes that have one.
    pub container: Option<Container>,
    /// Directories that must be reachable inside, at the same path, beside `cwd`: the repository of a worktree, the data root.
    pub reach: Vec<PathBuf>,
}

/// What a launch uses at this moment, its whole process tree together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time since it began, in microseconds; none when the system does not say.
    pub cpu_us: Option<u64>,
    /// Memory, in bytes; none when the system does not say.
    pub memory_bytes: Option<u64>,
    /// Processes; none when the system does not say.
    pub processes: Option<u32>,
    /// Its processes are halted.
    pub frozen: bool,
    /// What it may use: what the launch was started with.
    pub limits: Limits,
}

/// Where a launch lives, known without asking anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchPlace {
    /// Which launch.
    pub launch: LaunchId,
    /// Directory of its files.
    pub dir: PathBuf,
}

/// What a look at a launch says; never concluded from a failed look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It answers.
    Alive,
    /// It is over.
    Dead(Option<Exit>),
    /// Nobody knows.
    Unknown(String),
}

/// How an agent's process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Exit code.
    pub code: Option<i32>,
    /// Signal that ended it.
    pub signal: Option<i32>,
    /// Why it could not start.
    pub why: Option<String>,
    /// Processes of its tree that were left, when that is known.
    pub left: Option<u32>,
}

/// The slot's interface.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// What it can do.
    fn abilities(&self) -> Abilities;
    /// For runtimes whose agents see neither this machine's programs nor its home directories: where the home of a launch
    /// with the directory `dir` lies on this machine.
    fn own_home(&self, dir: &Path) -> Option<PathBuf> {
        let _ = dir;
        None
    }
    /// Makes sure that the launch runs; a second call finds the first one's work.
    async fn ensure(&self, plan: &LaunchPlan) -> Answer<()>;
    /// Looks at a launch.
    async fn find(&self, place: &LaunchPlace) -> Found;
    /// What is left of the processes of a launch that [`Runtime::find`] calls dead without an exit.
    async fn remains(&self, _place: &LaunchPlace) -> Remains {
        Remains::Unknown
    }
    /// Ends what is left of such a launch, as far as it can be told that it is its own; what is left then.
    async fn clear(&self, place: &LaunchPlace) -> Remains {
        self.remains(place).await
    }
    /// Connects to a live launch: pushes arrive on the link's channel.
    async fn connect(&self, place: &LaunchPlace) -> Answer<Link>;
}

/// A connection to one launch: commands go through `control`, what happens arrives on `pushes`.
pub struct Link {
    /// Commands.
    pub control: Box<dyn Control>,
    /// What happens; closed when the connection is lost.
    pub pushes: mpsc::Receiver<Push>,
}

/// Commands to one launch.
#[async_trait]
pub trait Control: Send + Sync {
    /// Types one stage of a delivery; a repeated stage types nothing and returns what was recorded.
    async fn type_stage(&self, stage: TypeStage) -> Answer<Typed>;
    /// Every stage that was typed in this launch.
    async fn typed_stages(&self) -> Answer<Vec<TypedStage>>;
    /// Ends the whole tree: politely for `grace_ms`, then by force. Returns when nothing is left.
    async fn stop(&self, grace_ms: u64) -> Answer<Exit>;
    /// Tells the runtime that the exit was noted and its files may rest.
    async fn acknowledge_exit(&self) -> Answer<()>;
    /// Opens a view for a person: the true screen first, then bytes from exactly that offset.
    async fn attach(&self, view: View) -> Answer<Attachment>;
    /// Rows that scrolled off, `[from, to)` by number, as text with SGR.
    async fn history(&self, from: u64, to: u64) -> Answer<Vec<String>>;
    /// What it uses now.
    async fn usage(&self) -> Answer<Usage> {
        Err(cannot("say what a session uses"))
    }
    /// Halts every process of it; repeated, it changes nothing. A conflict while somebody looks at it. Whoever views it, types
    /// into it or stops it wakes it first.
    async fn freeze(&self) -> Answer<()> {
        Err(cannot("halt a session"))
    }
    /// Lets them go on; repeated, it changes nothing.
    async fn thaw(&self) -> Answer<()> {
        Err(cannot("halt a session"))
    }
}

/// The answer to what a runtime did not declare.
fn cannot(what: &str) -> Fault {
    Fault::new(Kind::Unsupported, format!("this runtime cannot {what}"))
}

/// One stage to be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeStage {
    /// The delivery's id.
    pub delivery: String,
    /// `paste`, `submit#1`, `submit#2`, …
    pub stage: String,
    /// Type only while these rows still hold this text.
    pub if_region: Option<Region>,
    /// For `paste` the text, which the runtime wraps if the program asked for bracketed paste; else the keys.
    pub bytes: Vec<u8>,
}

/// What became of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// Written now; the output offset at that moment.
    Written {
        /// Offset.
        offset: u64,
    },
    /// Written earlier; the output offset recorded then.
    Repeat {
        /// Offset.
        offset: u64,
    },
    /// The region holds something else now; nothing was written.
    Moved,
}

/// A stage that was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedStage {
    /// The delivery's id.
    pub delivery: String,
    /// The stage.
    pub stage: String,
    /// Output offset when it was written.
    pub offset: u64,
}

/// What happens in a launch.
#[derive(Clone, Debug, PartialEq)]
pub enum Push {
    /// The screen changed, or was asked for: the whole of it as text.
    Screen(Screen),
    /// The agent ended.
    Exited(Exit),
    /// It was halted or woken, by whomever.
    Frozen(bool),
}

/// How a person wants to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Columns of their terminal.
    pub cols: u16,
    /// Rows of their terminal.
    pub rows: u16,
    /// They may not type.
    pub read_only: bool,
}

/// A person's view.
pub struct Attachment {
    /// What to show: the first frame is always a screen.
    pub frames: Box<dyn Frames>,
    /// What they do; dropped means they left.
    pub input: Box<dyn Inputs>,
}

/// The frames of a view, in order. A view that is a connection is read by whoever shows it: a task and a channel between
/// the two would cost each key a detour.
pub trait Frames: Send {
    /// The next frame; none when the view is over.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame>>;
}

impl dyn Frames + '_ {
    /// Waits for the next frame; none when the view is over.
    pub async fn recv(&mut self) -> Option<Frame> {
        poll_fn(|cx| self.poll_next(cx)).await
    }
}

impl Frames for mpsc::Receiver<Frame> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame>> {
        self.poll_recv(cx)
    }
}

/// Where a viewer's doings go, in order.
#[async_trait]
pub trait Inputs: Send {
    /// Passes one on.
    ///
    /// # Errors
    /// [`Over`]; what was shown before may still wait in the frames.
    async fn send(&mut self, input: ViewerInput) -> Result<(), Over>;
}

/// The view takes nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the view is over")]
pub struct Over;

#[async_trait]
impl Inputs for mpsc::Sender<ViewerInput> {
    async fn send(&mut self, input: ViewerInput) -> Result<(), Over> {
        mpsc::Sender::send(self, input).await.map_err(|_| Over)
    }
}

/// What a viewer is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Forget everything; this rebuilds the screen.
    Screen {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
        /// Rows that have scrolled off so far.
        history: u64,
        /// Offset at which live bytes continue.
        offset: u64,
        /// Escape sequences.
        bytes: Vec<u8>,
    },
    /// More output.
    Output {
        /// Offset after the last byte: what a viewer reports as seen once it has shown them.
        offset: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The terminal has another size.
    Resized {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// The agent ended.
    Exited(Exit),
}

/// What a viewer does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViewerInput {
    /// Keys.
    Keys(Vec<u8>),
    /// Their terminal has another size.
    Resize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// Everything up to this offset was shown.
    Seen(u64),
}
