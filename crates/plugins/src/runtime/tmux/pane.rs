//! The pane of a launch: where it is written down, what tmux says of it, and what is kept when it ends.

use super::screen;
use super::server::{Refused, Server, senseless};
use ao_core::id::LaunchId;
use ao_core::kind::{Fault, Kind};
use ao_core::screen::sha256_hex;
use ao_host::engine::Size;
use ao_host::exec_launch::AgentRecord;
use ao_host::record::{self, Durability, EXIT_FILE, Ending, ExitRecord, Tree, now_ms};
use ao_slots::Answer;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// Name of the record of a launch in tmux.
const FILE: &str = "tmux.json";

/// Rows that scrolled off and are kept by tmux for each session: as many as a session host keeps.
pub(super) const HISTORY: u64 = ao_host::spec::HISTORY_ROWS;

/// tmux forgets a tenth of the rows at once when there are too many; from then on their numbers mean nothing.
pub(super) const NUMBERED: u64 = HISTORY - HISTORY / 10;

/// The pane's option that names the launch, as a hash: any text is a plain word then.
pub(super) const LAUNCH_OPTION: &str = "@ao-launch";

/// The pane's option that says where the launch's files are.
pub(super) const DIR_OPTION: &str = "@ao-dir";

/// A launch in tmux: `tmux.json`, written before it is started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TmuxRecord {
    /// The launch.
    pub(super) launch: String,
    /// Its session.
    pub(super) session: String,
    /// The server's socket.
    pub(super) socket: PathBuf,
    /// The session's name in tmux.
    pub(super) name: String,
    /// Process id of the server, once it runs; 0 before.
    #[serde(default)]
    pub(super) server: u32,
    /// When that process started, in clock ticks since boot.
    #[serde(default)]
    pub(super) server_ticks: u64,
    /// During which boot.
    #[serde(default)]
    pub(super) boot_id: String,
}

impl TmuxRecord {
    /// The record of a launch directory; none when nothing was ever started there.
    pub(super) fn read(dir: &Path) -> io::Result<Option<Self>> {
        match record::read_json(&dir.join(FILE)) {
            Ok(record) => Ok(Some(record)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Replaces it.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        record::write_json(&dir.join(FILE), self, Durability::Process)
    }

    /// Asks the server to wait for its children. Seen with tmux 3.3: now and then it misses that one ended, which stays a
    /// zombie until the next one ends.
    pub(super) fn nudge(&self) {
        if self.server_runs()
            && let Some(pid) = i32::try_from(self.server).ok().and_then(rustix::process::Pid::from_raw)
        {
            // What it always gets when a child ends; one that has gone meanwhile shows in the next look.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::CHILD);
        }
    }

    /// Whether the server that was started then still runs.
    pub(super) fn server_runs(&self) -> bool {
        self.server != 0
            && self.boot_id == ao_host::platform::boot_id()
            && ao_host::platform::start_ticks(self.server) == Some(self.server_ticks)
    }
}

/// A launch as a word that needs no quotes.
pub(super) fn key(launch: &LaunchId) -> String {
    let mut hash = sha256_hex(launch.as_str().as_bytes());
    hash.truncate(16);
    hash
}

/// What tmux says of a pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pane {
    /// Its id, as `%1`; no other pane of this server ever has it.
    pub(super) id: String,
    /// Process id of the agent.
    pub(super) pid: u32,
    /// How it ended, when it did.
    pub(super) ending: Option<Ending>,
    /// Nothing has its terminal open any more, and its end has no status.
    pub(super) closed: bool,
}

/// What is asked of a pane: a line for [`pane_of`].
pub(super) const PANE: &str = "#{pane_id}|#{pane_pid}|#{pane_dead}|#{pane_dead_status}|#{pane_dead_signal}";

/// Reads a line of [`PANE`].
pub(super) fn pane_of(line: &str) -> Answer<Pane> {
    let fields: Vec<&str> = line.trim_end().split('|').collect();
    let [id, pid, dead, status, signal] = fields[..] else { return Err(senseless("what a pane is", line)) };
    let pid = pid.parse().map_err(|_| senseless("the process of a pane", line))?;
    let ending = screen::ending(dead, status, signal);
    Ok(Pane { id: id.to_owned(), pid, closed: dead == "1" && ending.is_none(), ending })
}

/// Lists panes of the whole server. One that has none, because it is just leaving, knows no "current" one to begin with.
pub(super) async fn list(server: &Server, filter: &str, format: &str) -> Result<String, Refused> {
    match server.run(["list-panes", "-a", "-f", filter, "-F", format]).await {
        Err(Refused::Said(words)) if words.contains("no current") => Ok(String::new()),
        other => other,
    }
}

/// Looks for the pane of a launch; none when the server has no such pane.
pub(super) async fn look(server: &Server, launch: &LaunchId) -> Result<Option<Pane>, Refused> {
    let filter = format!("#{{==:#{{{LAUNCH_OPTION}}},{}}}", key(launch));
    let said = list(server, &filter, PANE).await?;
    said.lines().next().map(pane_of).transpose().map_err(Refused::NotAsked)
}

/// Writes down how a launch ended, with its last screen and the rows before it, once.
pub(super) async fn settle(server: &Server, record: &TmuxRecord, dir: &Path, pane: &Pane) -> Answer<ExitRecord> {
    if let Some(known) = exit(dir) {
        return Ok(known);
    }
    let Some(ending) = pane.ending.clone() else {
        return Err(Fault::new(Kind::Bug, format!("launch {} did not end", record.launch)));
    };
    let shown = screen::last(server, &pane.id).await.map_err(Fault::from)?;
    let exit = ExitRecord {
        launch: record.launch.clone(),
        session: record.session.clone(),
        ending,
        at_ms: now_ms(),
        last_offset: screen::Seen::read(dir).offset,
        rows_total: u64::try_from(shown.history.len()).unwrap_or(0),
        size: shown.size,
        screen: shown.rows,
        tree: AgentRecord::read(dir).map_or(Tree::Unknown, |agent| tree(&agent)),
    };
    let failed = |e: io::Error| Fault::new(Kind::StorageFailed, format!("{}: {e}", dir.display()));
    let rows: String = shown.history.iter().flat_map(|row| [row.as_str(), "\n"]).collect();
    write_private(&dir.join("rows-0.log"), rows.as_bytes()).map_err(failed)?;
    record::write_json(&dir.join(EXIT_FILE), &exit, Durability::Power).map_err(failed)?;
    Ok(exit)
}

/// What is left of an agent's processes.
pub(super) fn tree(agent: &AgentRecord) -> Tree {
    let Some(group) = agent.group() else { return Tree::Unknown };
    match (group.is_empty(), group.pids()) {
        (Ok(true), _) => Tree::Empty,
        (Ok(false), Ok(pids)) => Tree::Left { pids },
        // It was removed when it was empty.
        (Err(e), _) | (_, Err(e)) if e.kind() == io::ErrorKind::NotFound => Tree::Empty,
        (Err(_), _) | (_, Err(_)) => Tree::Unknown,
    }
}

/// How a launch ended, when that was written down; an end that left processes is told as it is now.
pub(super) fn exit(dir: &Path) -> Option<ExitRecord> {
    let exit: ExitRecord = record::read_json(&dir.join(EXIT_FILE)).ok()?;
    let now = match (&exit.tree, AgentRecord::read(dir)) {
        (Tree::Left { .. }, Some(agent)) => tree(&agent),
        (known, _) => known.clone(),
    };
    Some(ExitRecord { tree: now, ..exit })
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}

/// The size of a plan, as every runtime clamps it.
pub(super) fn size(cols: u16, rows: u16) -> Size {
    Size::clamped(cols, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pane_is_alive_until_its_end_has_a_status() {
        let pane = |line: &str| pane_of(line).expect("a pane");
        assert_eq!(pane("%3|42|0||"), Pane { id: "%3".to_owned(), pid: 42, ending: None, closed: false });
        assert!(pane("%3|42|1||").closed);
        assert_eq!(pane("%3|42|1||").ending, None, "its terminal is closed, its program goes on");
        assert_eq!(pane("%3|42|1|137|").ending, Some(Ending::Exited { code: 137 }));
        assert_eq!(pane("%3|42|1||9").ending, Some(Ending::Signaled { signal: 9 }));
        assert!(pane_of("no pane").is_err());
    }
}
