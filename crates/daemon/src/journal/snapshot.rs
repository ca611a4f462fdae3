//! The snapshot: the state after a certain line, so that start-up need not read the lines before it.
//!
//! It is a shortcut and never the only copy: the lines stay, and a snapshot that cannot be read is replaced by them.
//!
//! The file holds one line, sealed like those of the journal: `seq` is the last line that the state contains.
//!
//! ```text
//! {"seq":500,"at":1760000000000,"crc":"5e1f0a3c","format":1,"state":…}
//! ```

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::disk::{self, Access, Disk};
use super::line::{self, Flaw, Head};

/// The snapshot's file name.
pub(super) const FILE: &str = "snapshot.json";
/// Where a snapshot is written before it takes its name.
const TEMPORARY: &str = "snapshot.json.tmp";
/// The layout around `state`; the state's own layout is its type's business.
const FORMAT: u32 = 1;

/// A state and the line that it follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot<S> {
    /// The last line whose change the state contains.
    pub seq: u64,
    /// When it was taken: wall time in milliseconds since the Unix epoch.
    pub at: u64,
    /// The state after line `seq`.
    pub state: S,
}

/// Why a snapshot that is there was not used. The lines are read instead, if all of them are there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotProblem {
    /// Its text or checksum is wrong.
    #[error("snapshot.json {0}")]
    Flaw(#[from] Flaw),
    /// Its layout is not ours.
    #[error("snapshot.json has format {0}; it was written by a newer ao")]
    Format(u32),
    /// Its state is not what this version calls a state.
    #[error("snapshot.json holds a state that this version cannot read ({0})")]
    State(String),
    /// It cannot be read from the disk.
    #[error("snapshot.json cannot be read ({0})")]
    Io(String),
}

/// Why a snapshot was not written. The journal is as good as before.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotWriteError {
    /// The state does not serialise.
    #[error("the state does not serialise")]
    Serialize(#[source] serde_json::Error),
    /// The file cannot be written.
    #[error("{path} cannot be written")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Replaces the snapshot: a whole one is under its name at every moment, the old or the new.
pub(super) fn write<S: Serialize>(
    disk: &dyn Disk,
    dir: &Path,
    head: Head,
    state: &S,
) -> Result<(), SnapshotWriteError> {
    #[derive(Serialize)]
    struct Body<'a, S> {
        format: u32,
        state: &'a S,
    }
    let mut text = Vec::new();
    line::seal(&mut text, head, &Body { format: FORMAT, state }).map_err(SnapshotWriteError::Serialize)?;
    let temporary = dir.join(TEMPORARY);
    let replace = || {
        let file = disk.open(&temporary, Access::Replace)?;
        disk::write_all(file.as_ref(), &text)?;
        file.sync()?;
        disk.rename(&temporary, &dir.join(FILE))?;
        disk.sync_dir(dir)
    };
    replace().map_err(|source| {
        // Whatever was written of it only takes room on a disk that may be full; a leftover would do no harm.
        let _ = disk.remove(&temporary);
        SnapshotWriteError::Io { path: dir.join(FILE), source }
    })
}

/// Reads the snapshot, if there is one.
pub(super) fn read<S: DeserializeOwned>(disk: &dyn Disk, dir: &Path) -> Result<Option<Snapshot<S>>, SnapshotProblem> {
    let text = match disk.open(&dir.join(FILE), Access::Read).and_then(|file| disk::read_all(file.as_ref())) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(SnapshotProblem::Io(e.to_string())),
    };
    let text = text.strip_suffix(b"\n").ok_or(Flaw::Unterminated)?;
    let Head { seq, at } = line::check(text)?;
    let state = decode(text)?;
    Ok(Some(Snapshot { seq, at, state }))
}

/// Decodes a snapshot whose checksum fits.
fn decode<S: DeserializeOwned>(text: &[u8]) -> Result<S, SnapshotProblem> {
    #[derive(Deserialize)]
    struct Layout {
        format: u32,
    }
    #[derive(Deserialize)]
    #[serde(bound = "S: DeserializeOwned")]
    struct Body<S> {
        state: S,
    }
    // The layout is asked first: a state of another layout need not even be called so.
    let layout: Layout = serde_json::from_slice(text).map_err(|e| SnapshotProblem::State(e.to_string()))?;
    if layout.format != FORMAT {
        return Err(SnapshotProblem::Format(layout.format));
    }
    let body: Body<S> = serde_json::from_slice(text).map_err(|e| SnapshotProblem::State(e.to_string()))?;
    Ok(body.state)
}
