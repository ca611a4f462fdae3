//! A connection to a host: one task reads, requests find their answers by id, pushes become the slot's pushes.

use super::exit::exit_of;
use super::halves::{self, Incoming, Outgoing};
use super::talk::{ANSWERS_WITHIN, fault_of, hello, lost, unexpected, unreachable};
use super::view;
use ao_core::kind::{Fault, Kind};
use ao_core::limits::Limits;
use ao_core::screen::{Mark, Screen};
use ao_host::record::HostRecord;
use ao_host::record::{HOST_FILE, now_ms, read_json};
use ao_host::wire::{
    self, Decoder, Form, FromHost, MAX_MESSAGE, PROTOCOL_USAGE, Push as HostPush, Reply, Request, RowRange, Stop, Type,
    Typed as HostTyped, WatchFrom,
};
use ao_slots::Answer;
use ao_slots::runtime::{
    Attachment, Control, Exit, LaunchPlace, Link, Push, TypeStage, Typed, TypedStage, Usage, View,
};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::future::poll_fn;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};
use tokio::time::timeout;

/// Pushes that may wait for the session's actor; the host itself keeps them at most ten a second.
const PUSHES: usize = 64;

/// Bytes read from the socket at once.
const READ: usize = 16 * 1024;

type Waiting = Arc<Mutex<BTreeMap<u32, oneshot::Sender<Reply>>>>;

/// The sending half of a connection.
struct Wire {
    launch: String,
    writer: AsyncMutex<(Outgoing, u32)>,
    waiting: Waiting,
}

struct HostControl {
    wire: Arc<Wire>,
    socket: PathBuf,
    /// The protocol that the host speaks with us.
    version: u16,
}

/// Connects and subscribes to the screen.
pub(super) async fn connect(place: &LaunchPlace) -> Answer<Link> {
    let record: HostRecord = read_json(&place.dir.join(HOST_FILE))
        .map_err(|e| Fault::unavailable(format!("the session host of {} has left no address: {e}", place.launch)))?;
    let (wire, version, from_host) = open(&record.socket, place.launch.as_str()).await?;
    let (pushes, receiver) = mpsc::channel(PUSHES);
    tokio::spawn(translate(from_host, pushes));
    match wire.ask(&Request::Watch(WatchFrom {}), ANSWERS_WITHIN).await? {
        Reply::Done => {}
        other => return Err(unexpected("watch", &other)),
    }
    Ok(Link { control: Box::new(HostControl { wire, socket: record.socket, version }), pushes: receiver })
}

/// Opens a connection and agrees on a protocol; what the host says unasked arrives on the channel, which closes with the
/// connection.
async fn open(socket: &Path, launch: &str) -> Answer<(Arc<Wire>, u16, mpsc::Receiver<HostPush>)> {
    let (reader, writer) = halves::connect(socket).map_err(|e| unreachable(socket, &e))?;
    let waiting = Waiting::default();
    let (pushes, receiver) = mpsc::channel(PUSHES);
    tokio::spawn(read(reader, waiting.clone(), pushes));
    let wire = Arc::new(Wire { launch: launch.to_owned(), writer: AsyncMutex::new((writer, 0)), waiting });
    match wire.ask(&hello(launch), ANSWERS_WITHIN).await? {
        Reply::HelloOk(hello) => Ok((wire, hello.version, receiver)),
        other => Err(unexpected("hello", &other)),
    }
}

async fn read(mut reader: Incoming, waiting: Waiting, pushes: mpsc::Sender<HostPush>) {
    let mut decoder = Decoder::new(MAX_MESSAGE);
    let mut buffer = vec![0_u8; READ];
    loop {
        let read = match poll_fn(|cx| reader.poll_read(cx, &mut buffer)).await {
            Ok(0) | Err(_) => break,
            Ok(n) => n,
        };
        decoder.push(buffer.get(..read).unwrap_or_default());
        if !deliver(&mut decoder, &waiting, &pushes).await {
            break;
        }
    }
    // Whoever still waits is told by the closed channel.
    waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// Hands out what has arrived; false when the connection makes no sense any more.
async fn deliver(decoder: &mut Decoder, waiting: &Waiting, pushes: &mpsc::Sender<HostPush>) -> bool {
    loop {
        let message = match decoder.next_frame() {
            Ok(None) => return true,
            Ok(Some(frame)) => FromHost::decode(&frame),
            Err(e) => Err(e),
        };
        match message {
            Ok(None) => {}
            Ok(Some(FromHost::Reply(id, reply))) => {
                let asker = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                if let Some(asker) = asker {
                    // An asker that gave up wants no answer.
                    let _ = asker.send(reply);
                }
            }
            Ok(Some(FromHost::Push(push))) => {
                if pushes.send(push).await.is_err() {
                    return false;
                }
            }
            Err(e) => {
                tracing::warn!(error = %e, "a session host broke the protocol");
                return false;
            }
        }
    }
}

impl Wire {
    /// Sends a request and waits for its answer.
    async fn ask(&self, request: &Request, limit: Duration) -> Answer<Reply> {
        let (sender, answer) = oneshot::channel();
        {
            let mut writer = self.writer.lock().await;
            writer.1 = writer.1.wrapping_add(1);
            let id = writer.1;
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
            let mut bytes = Vec::new();
            request.encode(Some(id), &mut bytes);
            if let Err(e) = writer.0.write_all(&bytes).await {
                self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                return Err(self.lost(&e.to_string()));
            }
        }
        match timeout(limit, answer).await {
            Ok(Ok(Reply::Error(refusal))) => Err(fault_of(&refusal)),
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => Err(self.lost("the connection was closed")),
            Err(_) => Err(self.lost(&format!("no answer within {} s", limit.as_secs()))),
        }
    }

    fn lost(&self, why: &str) -> Fault {
        lost(&self.launch, why)
    }
}

impl HostControl {
    async fn done(&self, what: &str, request: &Request) -> Answer<()> {
        match self.wire.ask(request, ANSWERS_WITHIN).await? {
            Reply::Done => Ok(()),
            other => Err(unexpected(what, &other)),
        }
    }

    /// A session keeps the host that it was started with.
    fn needs_newer_host(&self, what: &str) -> Answer<()> {
        if self.version >= PROTOCOL_USAGE {
            return Ok(());
        }
        let fault =
            Fault::new(Kind::Unsupported, format!("this session's host is of an older version and cannot {what}"));
        Err(fault.hint("stop the session and restore it: its next host is of this version"))
    }
}

#[async_trait]
impl Control for HostControl {
    async fn type_stage(&self, stage: TypeStage) -> Answer<Typed> {
        let form = if stage.stage == "paste" { Form::Paste } else { Form::Raw };
        let region = stage.if_region.map(|r| wire::Region { from: r.from, to: r.to, sha256: r.sha256 });
        let request = Request::Type(Type {
            delivery: stage.delivery,
            stage: stage.stage,
            form,
            if_region: region,
            bytes: stage.bytes,
        });
        match self.wire.ask(&request, ANSWERS_WITHIN).await? {
            Reply::Typed(HostTyped::Written { offset }) => Ok(Typed::Written { offset }),
            Reply::Typed(
                HostTyped::Repeat { recorded: wire::Recorded::Failed { reason, .. }, .. }
                | HostTyped::Failed { reason, .. },
            ) => Err(Fault::new(Kind::Conflict, format!("only a part could be typed: {reason}"))),
            Reply::Typed(HostTyped::Repeat { offset, .. }) => Ok(Typed::Repeat { offset }),
            Reply::Typed(HostTyped::Moved { .. }) => Ok(Typed::Moved),
            other => Err(unexpected("type", &other)),
        }
    }

    async fn typed_stages(&self) -> Answer<Vec<TypedStage>> {
        match self.wire.ask(&Request::Deliveries, ANSWERS_WITHIN).await? {
            Reply::DeliveriesAre(stages) => Ok(stages
                .into_iter()
                .map(|s| TypedStage { delivery: s.delivery, stage: s.stage, offset: s.offset })
                .collect()),
            other => Err(unexpected("deliveries", &other)),
        }
    }

    async fn stop(&self, grace_ms: u64) -> Answer<Exit> {
        let limit = ANSWERS_WITHIN + Duration::from_millis(grace_ms) * 2;
        match self.wire.ask(&Request::Stop(Stop { grace_ms, keys: None }), limit).await? {
            Reply::Stopped(wire::Stopped { exit: Some(record), tree }) => {
                let exit = Exit { left: exit_of(&record).left, ..exit_of(&record) };
                match tree {
                    ao_host::record::Tree::Left { pids } => Err(Fault::unavailable(format!(
                        "{} processes of the session could not be ended: {pids:?}",
                        pids.len()
                    ))),
                    ao_host::record::Tree::Empty | ao_host::record::Tree::Unknown => Ok(exit),
                }
            }
            Reply::Stopped(wire::Stopped { exit: None, .. }) => {
                Err(Fault::unavailable("the agent could not be ended, not even by force"))
            }
            other => Err(unexpected("stop", &other)),
        }
    }

    async fn acknowledge_exit(&self) -> Answer<()> {
        match self.wire.ask(&Request::AckExit, ANSWERS_WITHIN).await? {
            Reply::Done => Ok(()),
            other => Err(unexpected("exit", &other)),
        }
    }

    async fn attach(&self, view: View) -> Answer<Attachment> {
        view::open(&self.socket, &self.wire.launch, view).await
    }

    async fn history(&self, from: u64, to: u64) -> Answer<Vec<String>> {
        match self.wire.ask(&Request::Rows(RowRange { from, to }), ANSWERS_WITHIN).await? {
            Reply::RowsAre(rows) => Ok(rows.rows),
            other => Err(unexpected("rows", &other)),
        }
    }

    async fn usage(&self) -> Answer<Usage> {
        self.needs_newer_host("say what a session uses")?;
        match self.wire.ask(&Request::Usage, ANSWERS_WITHIN).await? {
            Reply::UsageIs(usage) => Ok(Usage {
                cpu_us: usage.cpu_us,
                memory_bytes: usage.memory_bytes,
                processes: usage.processes,
                frozen: usage.frozen,
                limits: Limits {
                    memory_bytes: usage.limits.memory_bytes,
                    processes: usage.limits.processes,
                    cpu_percent: usage.limits.cpu_percent,
                },
            }),
            other => Err(unexpected("usage", &other)),
        }
    }

    async fn freeze(&self) -> Answer<()> {
        // An older host halts a session whoever looks at it, and wakes it for nobody.
        self.needs_newer_host("halt a session")?;
        self.done("freeze", &Request::Freeze).await
    }

    async fn thaw(&self) -> Answer<()> {
        self.done("thaw", &Request::Thaw).await
    }
}

/// Turns what the host tells a subscriber into the slot's pushes, keeping the whole screen as text.
async fn translate(mut from_host: mpsc::Receiver<HostPush>, pushes: mpsc::Sender<Push>) {
    let mut screen = Screen::default();
    while let Some(push) = from_host.recv().await {
        let push = match push {
            HostPush::Screen(change) => {
                take(&mut screen, change);
                Push::Screen(screen.clone())
            }
            HostPush::ExitIs(record) => Push::Exited(exit_of(&record)),
            HostPush::FrozenIs(is) => Push::Frozen(is.frozen),
            HostPush::Attached(_) | HostPush::Output(_) | HostPush::Error(_) => continue,
        };
        if pushes.send(push).await.is_err() {
            return;
        }
    }
}

fn take(screen: &mut Screen, change: wire::Screen) {
    let now = now_ms();
    let rows = usize::from(change.size.rows);
    if change.full {
        screen.rows.clear();
    }
    screen.rows.resize(rows, String::new());
    for row in change.rows {
        if let Some(kept) = screen.rows.get_mut(usize::from(row.row)) {
            *kept = row.text;
        }
    }
    screen.rev = change.rev;
    screen.cols = change.size.cols;
    screen.cursor = (change.cursor.row, change.cursor.col);
    screen.title = change.title;
    screen.bracketed_paste = change.modes.bracketed_paste;
    screen.alternate = change.modes.alternate_screen;
    screen.offset = change.offset;
    screen.log_degraded = change.log == wire::Health::Degraded;
    screen.quiet_ms = change.last_output_ms.map_or(u64::MAX, |at| now.saturating_sub(at));
    screen.person_at = change.person_input_ms;
    // A host of version 0.1.0 tells of those since it told last.
    screen.bells = change.bells_total.unwrap_or_else(|| screen.bells.saturating_add(change.bells.into()));
    screen.marks =
        change.osc.into_iter().map(|osc| Mark { offset: osc.offset, osc: osc.number, text: osc.text }).collect();
}
