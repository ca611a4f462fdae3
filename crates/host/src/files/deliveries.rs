//! `deliveries.log`: which stage of which delivery was typed (`docs/design/delivery.md`).
//!
//! It answers "was this typed before?"; the typing itself is in `typing`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::place::append_to;
use crate::record::now_ms;
use crate::wire::{Recorded, StageRecord};

const FILE: &str = "deliveries.log";

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    delivery: String,
    stage: String,
    at_ms: u64,
    #[serde(default)]
    offset: u64,
    #[serde(flatten)]
    recorded: Recorded,
}

/// The log of one launch, whole in memory (a line a stage) and appended to the file.
#[derive(Debug)]
pub struct DeliveryLog {
    path: PathBuf,
    stages: Vec<StageRecord>,
}

impl DeliveryLog {
    /// Starts the log of a launch, or goes on with what an earlier host of the same launch wrote: what it typed stays typed.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        // A log that cannot be read cannot be written either, and says so then.
        Self { path: dir.join(FILE), stages: read_deliveries(dir).unwrap_or_default() }
    }

    /// All stages that began, oldest first.
    #[must_use]
    pub fn stages(&self) -> &[StageRecord] {
        &self.stages
    }

    /// What became of a stage, if it ever began.
    #[must_use]
    pub fn find(&self, delivery: &str, stage: &str) -> Option<&StageRecord> {
        self.stages.iter().find(|known| known.delivery == delivery && known.stage == stage)
    }

    /// Records that a stage begins.
    ///
    /// # Errors
    /// When the line cannot be written; the stage is known in memory all the same.
    pub fn begin(&mut self, delivery: &str, stage: &str, offset: u64) -> io::Result<()> {
        let at_ms = now_ms();
        let recorded = Recorded::Begun;
        let (delivery, stage) = (delivery.to_owned(), stage.to_owned());
        self.stages.push(StageRecord { delivery: delivery.clone(), stage: stage.clone(), at_ms, offset, recorded });
        self.write(&delivery, &stage, offset, Recorded::Begun)
    }

    /// Records how a stage ended.
    ///
    /// # Errors
    /// When the line cannot be written; the end is known in memory all the same.
    pub fn end(&mut self, delivery: &str, stage: &str, offset: u64, recorded: Recorded) -> io::Result<()> {
        let known = self.stages.iter_mut().find(|known| known.delivery == delivery && known.stage == stage);
        if let Some(known) = known {
            known.recorded = recorded.clone();
            known.offset = offset;
        }
        self.write(delivery, stage, offset, recorded)
    }

    fn write(&self, delivery: &str, stage: &str, offset: u64, recorded: Recorded) -> io::Result<()> {
        let line = Line { delivery: delivery.to_owned(), stage: stage.to_owned(), at_ms: now_ms(), offset, recorded };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        append_to(&self.path)?.write_all(&bytes)
    }
}

/// Reads the log of a dead launch: each stage with the last thing known of it.
///
/// # Errors
/// When the file cannot be read; one that is not there is an empty log.
pub fn read_deliveries(dir: &Path) -> io::Result<Vec<StageRecord>> {
    let text = match fs::read_to_string(dir.join(FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut stages: Vec<StageRecord> = Vec::new();
    // A last line cut off by a full disk is no record.
    for line in text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
        match stages.iter_mut().find(|known| known.delivery == line.delivery && known.stage == line.stage) {
            Some(known) => {
                known.recorded = line.recorded;
                known.offset = line.offset;
            }
            None => stages.push(StageRecord {
                delivery: line.delivery,
                stage: line.stage,
                at_ms: line.at_ms,
                offset: line.offset,
                recorded: line.recorded,
            }),
        }
    }
    Ok(stages)
}
