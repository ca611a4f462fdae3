//! What a session's launches left on the disk: found and read without a daemon.

use crate::context::Context;
use crate::{ask, connect};
use ao_core::kind::{Fault, Kind};
use ao_host::discover::{Found, Standing, probe};
use ao_host::engine::terminal::Terminal;
use ao_host::engine::{Engine, Size};
use ao_host::files::{IndexKind, read_index, read_output};
use ao_host::record::{Ending, ExitRecord};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Output that is read again to find a last screen that nobody wrote down: programs that fill their screen do so every
/// few kilobytes.
const REPLAYED: u64 = 8 << 20;

/// One launch of a session.
pub struct Launch {
    /// The session's id.
    pub session: String,
    /// Which launch, counted from 1.
    pub ordinal: u32,
    /// Its directory, and how it stands.
    pub found: Found,
}

/// The session's id: from the daemon if it answers, else an id or a unique prefix of one that left files.
///
/// # Errors
/// `not_found`, or `invalid` when it fits several.
pub async fn session_id(context: &Context, given: &str) -> Result<String, Fault> {
    if let Ok(Some(client)) = connect::running(context).await {
        match ask::session(&client, given).await {
            Err(fault) if fault.kind == Kind::Unavailable => {}
            other => return Ok(other?.id),
        }
    }
    ao_core::id::checked_name("session", given).map_err(|e| Fault::invalid(e.to_string()))?;
    let mut known = sessions(context.paths.root());
    known.retain(|id| id.starts_with(given));
    if known.iter().any(|id| id == given) {
        return Ok(given.to_owned());
    }
    known.sort_unstable();
    known.dedup();
    match known.as_slice() {
        [id] => Ok(id.clone()),
        [] => Err(Fault::not_found(format!("there is no session {given:?}"))
            .hint("ao list --all shows every session; without a daemon only ids are found")),
        _ => Err(Fault::invalid(format!("{given:?} fits several sessions: {}", known.join(", ")))),
    }
}

/// The session's newest launch, or the given one.
///
/// # Errors
/// `not_found` when it left no files.
pub fn launch(context: &Context, session: &str, wanted: Option<u32>) -> Result<Launch, Fault> {
    ao_core::id::checked_name("session", session).map_err(|e| Fault::invalid(e.to_string()))?;
    let mut launches: Vec<(u32, PathBuf)> = directories(context.paths.root())
        .iter()
        .flat_map(|project| directories(&project.join("sessions").join(format!("{session}.d"))))
        .filter_map(|dir| Some((dir.file_name()?.to_str()?.parse().ok()?, dir)))
        .collect();
    launches.sort_unstable();
    let found = match wanted {
        Some(wanted) => launches.into_iter().find(|(ordinal, _)| *ordinal == wanted),
        None => launches.pop(),
    };
    let (ordinal, dir) = found.ok_or_else(|| {
        let what = wanted.map_or_else(|| "no terminal yet".to_owned(), |n| format!("no start number {n}"));
        Fault::not_found(format!("session {session} has {what}")).hint(format!("`ao status {session}` says why"))
    })?;
    Ok(Launch { session: session.to_owned(), ordinal, found: probe(&dir) })
}

/// Ids of every session that left files.
fn sessions(root: &Path) -> Vec<String> {
    let all = directories(root).into_iter().flat_map(|project| directories(&project.join("sessions")));
    all.filter_map(|dir| Some(dir.file_name()?.to_str()?.strip_suffix(".d")?.to_owned())).collect()
}

fn directories(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect()
}

impl Launch {
    /// How its program ended, if that is known.
    #[must_use]
    pub fn exit(&self) -> Option<&ExitRecord> {
        match &self.found.standing {
            Standing::Dead { exit } => exit.as_ref(),
            Standing::Alive { hello } => match &hello.child {
                ao_host::wire::Child::Ended { exit } => Some(exit),
                ao_host::wire::Child::Running { .. } => None,
            },
            Standing::NotStarted | Standing::Unknown { .. } => None,
        }
    }

    /// The last screen as text without the blank rows at its end: as the host wrote it down, or drawn again from the output.
    #[must_use]
    pub fn last_screen(&self) -> Vec<String> {
        let mut rows = match self.exit() {
            Some(exit) => exit.screen.clone(),
            None => replayed(&self.found.launch_dir).unwrap_or_default(),
        };
        while rows.last().is_some_and(|row| row.trim().is_empty()) {
            rows.pop();
        }
        rows
    }
}

/// The screen after all the output that is kept.
fn replayed(dir: &Path) -> io::Result<Vec<String>> {
    let index = read_index(dir)?;
    let sizes = index.iter().filter_map(|record| match record.kind {
        IndexKind::Resize(size) => Some((record.offset, size)),
        IndexKind::Data | IndexKind::Gap { .. } => None,
    });
    let sizes: Vec<(u64, Size)> = sizes.collect();
    let end = index.last().map_or(0, |record| record.offset);
    let mut at = end.saturating_sub(REPLAYED);
    let first = sizes.iter().rfind(|(offset, _)| *offset <= at).or(sizes.first());
    let mut engine = Terminal::new(first.map_or(Size { cols: 80, rows: 24 }, |(_, size)| *size));
    loop {
        // Up to the next change of size; an empty piece is the end.
        let next = sizes.iter().find(|(offset, _)| *offset > at);
        let room = next.map_or(usize::MAX, |(offset, _)| usize::try_from(offset - at).unwrap_or(usize::MAX));
        let (from, bytes) = read_output(dir, at, room)?;
        engine.feed(&bytes);
        drop((engine.take_scrolled(), engine.take_events()));
        at = from + bytes.len() as u64;
        if let Some((_, size)) = sizes.iter().find(|(offset, _)| *offset == at) {
            engine.resize(*size);
        }
        if bytes.is_empty() {
            return Ok((0..engine.size().rows).map(|row| engine.row_text(row)).collect());
        }
    }
}

/// How a program ended, in words.
#[must_use]
pub fn words(exit: &ExitRecord) -> String {
    match &exit.ending {
        Ending::Exited { code } => format!("exit code {code}"),
        Ending::Signaled { signal } => format!("signal {signal}"),
        Ending::NotStarted { reason } => format!("it could not be started: {reason}"),
    }
}
