//! Actions on terminals: look at the screen, read what was printed, press keys, open a live view.

use super::row::{Call, Row, Serve};
use super::transcript::{self, LastScreen};
use crate::access::caller::{Inside, Need};
use crate::paths::Paths;
use ao_api::request::{Keys, LogsQuery, Nothing};
use ao_api::session::SessionView;
use ao_api::terminal::{Logs, ScreenView, ViewQuery};
use ao_core::event::Event;
use ao_core::keys as named;
use ao_core::kind::{Fault, Kind};
use ao_core::session::Session;
use ao_slots::runtime::{Attachment, View, ViewerInput};
use axum::http::Method;
use std::path::PathBuf;
use std::time::Duration;

/// Lines of a log when nobody says how many: a few screens.
const LINES: u32 = 200;
/// Most lines in one answer: a host keeps 10,000 rows, and a screen has at most 300.
const MOST_LINES: u32 = 10_300;
/// How long a terminal may take to take keys: a program that reads nothing is waited for no longer.
const PRESSED_WITHIN: Duration = Duration::from_secs(10);
/// Most keys by name in one request: more is a text, or a program that plays a person.
const MOST_NAMED: usize = 100;
/// Most bytes of keys in one request: a person's paste; longer texts are prompts.
const MOST_KEYS: usize = 64 * 1024;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("GET_AGENT_SCREEN", Method::GET, "/api/sessions/{id}/screen", screen)
            .says("Shows the screen of an agent as text, or the last one it had.")
            .needs(Need::Viewer)
            .inside(Inside::Own),
        Row::new("GET_AGENT_LOGS", Method::GET, "/api/sessions/{id}/logs", logs)
            .verb("ao logs")
            .says("Shows what an agent printed: rows that scrolled off, then the screen.")
            .needs(Need::Viewer)
            .inside(Inside::Own),
        Row::new("SEND_KEYS_TO_AGENT", Method::POST, "/api/sessions/{id}/keys", keys)
            .verb("ao send-keys")
            .says("Presses keys in an agent's terminal at once, as a person would.")
            .status(202),
        Row::new("INTERRUPT_AGENT", Method::POST, "/api/sessions/{id}/interrupt", interrupt)
            .verb("ao interrupt")
            .says("Presses the keys that interrupt an agent's turn; its session says when the turn has ended.")
            .inside(Inside::Project)
            .status(202),
        Row::new("OPEN_AGENT_TERMINAL", Method::GET, "/api/sessions/{id}/terminal", live)
            .verb("ao attach")
            .says("Opens a live view of a terminal as a WebSocket: the screen first, then output.")
            .needs(Need::Viewer)
            .inside(Inside::Own)
            .served(Serve::Socket),
    ]
}

async fn screen(call: Call, _: Nothing) -> Result<ScreenView, Fault> {
    let session = call.session()?;
    if let Ok(shown) = call.engine().screen(&session.id) {
        return Ok(ScreenView {
            session: session.id.to_string(),
            cols: shown.cols,
            rows: shown.rows,
            cursor_row: shown.cursor.0,
            cursor_col: shown.cursor.1,
            title: shown.title,
            alternate: shown.alternate,
            live: true,
        });
    }
    let last = last_screen(&call, &session).await.ok_or_else(|| nothing_left(&session))?;
    Ok(ScreenView { session: session.id.to_string(), cols: last.size.cols, rows: last.screen, ..ScreenView::default() })
}

async fn logs(call: Call, query: LogsQuery) -> Result<Logs, Fault> {
    let session = call.session()?;
    let wanted = query.lines.unwrap_or(LINES);
    if wanted > MOST_LINES {
        return Err(Fault::invalid(format!("at most {MOST_LINES} lines are kept")));
    }
    let live = call.engine().screen(&session.id).ok();
    let is_live = live.is_some();
    let mut shown = match live {
        Some(screen) => screen.rows,
        None => last_screen(&call, &session).await.map(|l| l.screen).unwrap_or_default(),
    };
    while shown.last().is_some_and(|row| row.trim().is_empty()) {
        shown.pop();
    }
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    if let Some(from) = query.from {
        let past = match launch_dir(&call, &session) {
            Some(dir) => blocking(move || transcript::past(&dir, usize::MAX)).await?,
            None => transcript::Past::default(),
        };
        let skipped = from.saturating_sub(past.first);
        let rows = past.rows.iter().map(|row| transcript::plain(row, query.color));
        let all = rows.chain(shown.iter().map(|row| transcript::plain(row, false)));
        let lines = all.skip(usize::try_from(skipped).unwrap_or(usize::MAX)).take(wanted).collect();
        return Ok(Logs { session: session.id.to_string(), lines, earlier: from.max(past.first), live: is_live });
    }
    let room = wanted.saturating_sub(shown.len());
    let cut = shown.len().saturating_sub(wanted);
    let past = match launch_dir(&call, &session) {
        Some(dir) => blocking(move || transcript::past(&dir, room.max(1))).await?,
        None => transcript::Past::default(),
    };
    let spare = past.rows.len().saturating_sub(room);
    let rows = past.rows.iter().skip(spare).map(|row| transcript::plain(row, query.color));
    let lines = rows.chain(shown.iter().skip(cut).map(|row| transcript::plain(row, false))).collect();
    let earlier = past.first + u64::try_from(spare + cut).unwrap_or(0);
    Ok(Logs { session: session.id.to_string(), lines, earlier, live: is_live })
}

/// The keys in words; characters are counted and never repeated, for they may be a password.
fn in_words(keys: &Keys) -> String {
    let text = keys.text.as_deref().map_or(0, |text| text.chars().count());
    let named = keys.keys.iter().map(|key| if key.chars().count() == 1 { "1 character" } else { key }.to_owned());
    let text = (text > 0).then(|| format!("{text} characters"));
    text.into_iter().chain(named).collect::<Vec<_>>().join(", ")
}

async fn interrupt(call: Call, _: Nothing) -> Result<SessionView, Fault> {
    let session = call.session()?;
    let link = call.engine().hub().link(&session.id)?;
    let adapter = link.agent.adapter();
    if adapter.interrupt_keys.is_empty() {
        let fault = Fault::new(Kind::Unsupported, format!("how {} is interrupted is not known", adapter.name));
        return Err(fault.hint(format!("ao send-keys {} C-c, or ao stop {}", session.id, session.id)));
    }
    let keys = "the keys that interrupt".to_owned();
    let from = call.caller.name.clone();
    let event = Event::KeysPressed { session: session.id.clone(), from, keys, interrupt: true };
    call.engine().command(event).await?;
    press(&call, &session, adapter.interrupt_keys.clone().into_bytes()).await?;
    super::sessions::view(&call, &session.id)
}

async fn keys(call: Call, keys: Keys) -> Result<Nothing, Fault> {
    let session = call.session()?;
    if keys.keys.len() > MOST_NAMED {
        return Err(Fault::invalid(format!(
            "at most {MOST_NAMED} named keys are sent at once, not {}",
            keys.keys.len()
        )));
    }
    let said = in_words(&keys);
    let mut bytes = keys.text.unwrap_or_default().into_bytes();
    for name in &keys.keys {
        bytes.extend(named::bytes(name)?);
    }
    if bytes.is_empty() || bytes.len() > MOST_KEYS {
        let fault = Fault::invalid(format!("1 to {MOST_KEYS} bytes of keys are sent at once, not {}", bytes.len()));
        return Err(fault.hint("longer texts are prompts: POST …/message"));
    }
    call.engine().screen(&session.id)?;
    let from = call.caller.name.clone();
    let event = Event::KeysPressed { session: session.id.clone(), from, keys: said, interrupt: false };
    call.engine().command(event).await?;
    press(&call, &session, bytes).await?;
    Ok(Nothing {})
}

/// Presses keys as a viewer who comes, types and leaves: hosts take keys from viewers alone. It has the terminal's own size,
/// so that nobody else's changes.
async fn press(call: &Call, session: &Session, bytes: Vec<u8>) -> Result<(), Fault> {
    let shown = call.engine().screen(&session.id)?;
    let rows = u16::try_from(shown.rows.len()).unwrap_or(u16::MAX);
    let view = View { cols: shown.cols, rows, read_only: false };
    let Attachment { mut frames, mut input } = call.engine().attach(&session.id, view).await?;
    let lost = || Fault::unavailable(format!("the terminal of session {} closed meanwhile", session.id));
    input.send(ViewerInput::Keys(bytes)).await.map_err(|_| lost())?;
    drop(input);
    // The view ends after everything that was sent into it.
    let ended = async { while frames.recv().await.is_some() {} };
    tokio::time::timeout(PRESSED_WITHIN, ended).await.map_err(|_| lost())
}

async fn live(call: Call, _: ViewQuery) -> Result<Nothing, Fault> {
    call.session()?;
    Err(Fault::new(Kind::Unsupported, "a terminal is a WebSocket, and this is no WebSocket request")
        .hint("`…/screen` and `…/logs` show it as text"))
}

/// The last screen of the session's agent, from its files.
async fn last_screen(call: &Call, session: &Session) -> Option<LastScreen> {
    let dir = launch_dir(call, session)?;
    blocking(move || transcript::last_screen(&dir)).await.ok().flatten()
}

/// The last screen as it is shown to a viewer who comes too late: escape sequences that draw it, and how the agent ended.
pub(crate) async fn after_the_end(call: &Call, session: &Session) -> Option<Ended> {
    let last = last_screen(call, session).await?;
    let rows: Vec<String> = last.screen.iter().map(|row| transcript::plain(row, false)).collect();
    Some(Ended {
        cols: last.size.cols,
        rows: last.size.rows,
        history: last.rows_total,
        offset: last.last_offset,
        bytes: format!("\u{1b}[H\u{1b}[2J{}", rows.join("\r\n")).into_bytes(),
        code: last.code,
        signal: last.signal,
        why: last.reason,
    })
}

/// A terminal whose agent has ended.
pub(crate) struct Ended {
    pub(crate) cols: u16,
    pub(crate) rows: u16,
    pub(crate) history: u64,
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) why: Option<String>,
}

fn launch_dir(call: &Call, session: &Session) -> Option<PathBuf> {
    let launch = session.launch.as_ref()?;
    call.engine().read(|c| c.facts.projects.get(&session.project).map(|p| Paths::launch_dir(p, &session.id, launch)))
}

/// Runs short file work beside the tasks that serve others.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Fault::new(Kind::Bug, format!("a read did not end: {e}")))
}

fn nothing_left(session: &Session) -> Fault {
    Fault::conflict(format!("session {} has no running agent and left no screen", session.id))
        .hint(format!("`ao status {}` says why", session.id))
}
