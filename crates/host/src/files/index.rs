//! `out.idx`: when which byte came, how large the terminal was, and what is missing.
//!
//! Fixed records, so that a reader can search by halving; it holds no terminal data.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::place::{append_to, read};
use crate::engine::Size;

/// Bytes of one record.
pub const RECORD: usize = 32;
/// Two data records are at least this far apart, in microseconds: enough to play a recording back.
const GRAIN_US: u64 = 10_000;
/// Largest index in bytes; beyond it every second data record goes.
const CAP: u64 = 8 << 20;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Output went on at this offset.
    Data,
    /// The terminal got this size at this offset.
    Resize(Size),
    /// These bytes are missing because of this error number.
    Gap {
        /// First offset that is there again.
        to: u64,
        /// Why writing failed (`errno`).
        errno: u16,
    },
}

/// One record: offset, time, kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexRecord {
    /// Bytes since launch.
    pub offset: u64,
    /// Microseconds since 1970.
    pub at_us: u64,
    /// What it is about.
    pub kind: Kind,
}

impl IndexRecord {
    /// Layout (LE): offset u64, µs u64, gap's end u64, kind u8, 3 zeros, columns or errno u16, rows u16.
    fn to_bytes(self) -> [u8; RECORD] {
        let (kind, to, a, b) = match self.kind {
            Kind::Data => (0u8, 0u64, 0u16, 0u16),
            Kind::Resize(size) => (1, 0, size.cols, size.rows),
            Kind::Gap { to, errno } => (2, to, errno, 0),
        };
        let mut bytes = [0; RECORD];
        bytes[0..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.at_us.to_le_bytes());
        bytes[16..24].copy_from_slice(&to.to_le_bytes());
        bytes[24] = kind;
        bytes[28..30].copy_from_slice(&a.to_le_bytes());
        bytes[30..32].copy_from_slice(&b.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; RECORD]) -> Option<Self> {
        let word = |at: usize| bytes[at..].first_chunk().map(|word| u64::from_le_bytes(*word));
        let half = |at: usize| bytes[at..].first_chunk().map(|half| u16::from_le_bytes(*half));
        let kind = match bytes[24] {
            0 => Kind::Data,
            1 => Kind::Resize(Size::clamped(half(28)?, half(30)?)),
            2 => Kind::Gap { to: word(16)?, errno: half(28)? },
            _ => return None,
        };
        Some(Self { offset: word(0)?, at_us: word(8)?, kind })
    }
}

/// Reads the index of a launch directory; a record cut off by a crash is left out.
///
/// # Errors
/// When it cannot be read.
pub fn read_index(dir: &Path) -> io::Result<Vec<IndexRecord>> {
    let bytes = read(&dir.join("out.idx"))?;
    let (records, _cut) = bytes.as_chunks::<RECORD>();
    Ok(records.iter().filter_map(IndexRecord::from_bytes).collect())
}

/// The index as the host writes it.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    file: Option<File>,
    length: u64,
    last_data_us: Option<u64>,
}

impl Index {
    pub(super) fn new(dir: &Path) -> Self {
        Self { path: dir.join("out.idx"), file: None, length: 0, last_data_us: None }
    }

    /// Appends a record; data records closer than the grain are left out.
    pub(super) fn append(&mut self, record: IndexRecord) -> io::Result<()> {
        if record.kind == Kind::Data {
            if self.last_data_us.is_some_and(|last| record.at_us.saturating_sub(last) < GRAIN_US) {
                return Ok(());
            }
            self.last_data_us = Some(record.at_us);
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file = append_to(&self.path)?;
                self.length = file.metadata()?.len();
                // A record cut off by an error earlier would shift all that follow.
                let cut = self.length % RECORD as u64;
                if cut != 0 {
                    self.length -= cut;
                    file.set_len(self.length)?;
                }
                none.insert(file)
            }
        };
        if let Err(error) = file.write_all(&record.to_bytes()) {
            self.file = None;
            return Err(error);
        }
        self.length += RECORD as u64;
        Ok(())
    }

    pub(super) fn is_full(&self) -> bool {
        self.length > CAP
    }

    /// Drops what is before `oldest`, except the size that held there, and thins what is left if it is still long.
    pub(super) fn trim(&mut self, oldest: u64) -> io::Result<()> {
        let new = self.path.with_extension("idx.new");
        let mut from = BufReader::new(File::open(&self.path)?);
        let mut to = BufWriter::new(File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?);
        let (mut size, mut kept, mut even) = (None, 0u64, true);
        let thin = self.is_full();
        let mut bytes = [0; RECORD];
        while from.read_exact(&mut bytes).is_ok() {
            let Some(record) = IndexRecord::from_bytes(&bytes) else { continue };
            let keep = match record.kind {
                Kind::Resize(_) if record.offset < oldest => {
                    size = Some(record);
                    false
                }
                Kind::Gap { to, .. } => to > oldest,
                Kind::Resize(_) => true,
                Kind::Data if record.offset < oldest => false,
                Kind::Data => {
                    even = !even;
                    !thin || even
                }
            };
            if keep {
                if let Some(size) = size.take() {
                    to.write_all(&IndexRecord { offset: oldest, ..size }.to_bytes())?;
                    kept += 1;
                }
                to.write_all(&bytes)?;
                kept += 1;
            }
        }
        if let Some(size) = size {
            to.write_all(&IndexRecord { offset: oldest, ..size }.to_bytes())?;
            kept += 1;
        }
        to.flush()?;
        fs::rename(&new, &self.path)?;
        self.file = None;
        self.length = kept * RECORD as u64;
        Ok(())
    }
}
