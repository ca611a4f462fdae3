//! The log: a JSON line per thing that happened, with its time. It is the ground truth of recordings.

use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where it goes.
#[derive(Debug, Default)]
pub struct Notes {
    file: Option<Mutex<File>>,
}

impl Notes {
    /// Appends to a file, which is made when missing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn to(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file: Some(Mutex::new(file)) })
    }

    /// Notes a line: `what` happened, with more about it. `t` is the time in seconds since 1970.
    pub fn note(&self, what: &str, more: Value) {
        let Some(file) = &self.file else { return };
        let t = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
        let mut line = json!({"t": t, "what": what});
        if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
            line.extend(more);
        }
        let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Err(e) = writeln!(file, "{line}") {
            // Whoever waits for a line of the log learns why it never comes.
            let _ = writeln!(io::stderr(), "standin: the log cannot be written: {e}");
        }
    }
}
