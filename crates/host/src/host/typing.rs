//! What waits to be typed into the program's terminal, in order, and the stages of deliveries among it.
//!
//! Nothing here looks at the screen; whether a stage may be typed is decided by the caller.

use std::collections::VecDeque;

use super::conn::Asker;
use crate::files::DeliveryLog;
use crate::platform::Pty;
use crate::wire::{Recorded, Typed};

/// Bytes waiting beyond which viewers' keys are not read and answers to the program's queries are dropped: a program
/// that asks without reading must not fill the memory.
const FULL: usize = 256 << 10;

/// Marks around pasted text (xterm, mode 2004).
const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// A stage on its way.
#[derive(Debug)]
struct Stage {
    delivery: String,
    stage: String,
    asker: Asker,
    /// Those who asked again meanwhile.
    repeats: Vec<Asker>,
}

#[derive(Debug)]
struct Piece {
    bytes: Vec<u8>,
    done: usize,
    stage: Option<Stage>,
}

/// The queue and the delivery log.
#[derive(Debug)]
pub(super) struct Typing {
    queue: VecDeque<Piece>,
    waiting: usize,
    log: DeliveryLog,
    log_failed: bool,
}

impl Typing {
    pub fn new(log: DeliveryLog) -> Self {
        Self { queue: VecDeque::new(), waiting: 0, log, log_failed: false }
    }

    pub fn log(&self) -> &DeliveryLog {
        &self.log
    }

    /// Whether the last line of the delivery log could not be written.
    pub fn is_degraded(&self) -> bool {
        self.log_failed
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.waiting > FULL
    }

    /// Keys of a person or of a stop.
    pub fn keys(&mut self, bytes: Vec<u8>) {
        self.add(bytes, None);
    }

    /// Answers to the program's queries.
    pub fn answer(&mut self, bytes: Vec<u8>) {
        if !self.is_full() {
            self.add(bytes, None);
        }
    }

    /// What is known of a stage; a stage still on its way remembers the asker.
    pub fn repeated(&mut self, delivery: &str, stage: &str, asker: Asker) -> Option<Repeated> {
        let known = self.log.find(delivery, stage)?;
        let (recorded, offset) = (known.recorded.clone(), known.offset);
        let mut stages = self.queue.iter_mut().filter_map(|piece| piece.stage.as_mut());
        if recorded == Recorded::Begun
            && let Some(on_its_way) = stages.find(|known| known.delivery == delivery && known.stage == stage)
        {
            on_its_way.repeats.push(asker);
            return Some(Repeated::Later);
        }
        Some(Repeated::Now(Typed::Repeat { recorded, offset }))
    }

    /// Records the beginning of a stage and queues its bytes.
    pub fn stage(&mut self, delivery: String, stage: String, bytes: Vec<u8>, offset: u64, asker: Asker) {
        self.log_failed = self.log.begin(&delivery, &stage, offset).is_err();
        self.add(bytes, Some(Stage { delivery, stage, asker, repeats: Vec::new() }));
    }

    fn add(&mut self, bytes: Vec<u8>, stage: Option<Stage>) {
        if !bytes.is_empty() || stage.is_some() {
            self.waiting += bytes.len();
            self.queue.push_back(Piece { bytes, done: 0, stage });
        }
    }

    /// Gives the terminal what it takes; returns the answers to stages that ended, `offset` being the output so far.
    pub fn flush(&mut self, pty: &Pty, offset: u64) -> Vec<(Asker, Typed)> {
        let mut answers = Vec::new();
        while let Some(piece) = self.queue.front_mut() {
            let rest = &piece.bytes[piece.done..];
            if !rest.is_empty() {
                match pty.give(rest) {
                    Ok(0) => break,
                    Ok(count) => {
                        piece.done += count;
                        self.waiting -= count;
                        continue;
                    }
                    Err(error) => {
                        answers.extend(self.fail(&format!("the program's terminal refuses input: {error}"), offset));
                        break;
                    }
                }
            }
            if let Some(Piece { stage: Some(stage), .. }) = self.queue.pop_front() {
                answers.extend(self.close(stage, offset, Recorded::Written));
            }
        }
        answers
    }

    /// Gives up everything that waits.
    pub fn fail(&mut self, reason: &str, offset: u64) -> Vec<(Asker, Typed)> {
        self.waiting = 0;
        let pieces = std::mem::take(&mut self.queue);
        let mut answers = Vec::new();
        for piece in pieces {
            if let Some(stage) = piece.stage {
                let recorded = Recorded::Failed { written: piece.done, reason: reason.to_owned() };
                answers.extend(self.close(stage, offset, recorded));
            }
        }
        answers
    }

    fn close(&mut self, stage: Stage, offset: u64, recorded: Recorded) -> Vec<(Asker, Typed)> {
        self.log_failed = self.log.end(&stage.delivery, &stage.stage, offset, recorded.clone()).is_err();
        let repeat = Typed::Repeat { recorded: recorded.clone(), offset };
        let first = match recorded {
            Recorded::Written | Recorded::Begun => Typed::Written { offset },
            Recorded::Failed { written, reason } => Typed::Failed { written, reason },
        };
        let repeats = stage.repeats.into_iter().map(|asker| (asker, repeat.clone()));
        std::iter::once((stage.asker, first)).chain(repeats).collect()
    }
}

/// What a repeated stage gets.
#[derive(Debug)]
pub(super) enum Repeated {
    /// This answer.
    Now(Typed),
    /// An answer when the stage on its way ends.
    Later,
}

/// Text as a terminal pastes it: without control characters other than newline and tab, wrapped if the program asked
/// for it.
pub(super) fn pasted(bytes: &[u8], bracketed: bool) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let clean: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    if bracketed { [PASTE_BEGIN, clean.as_bytes(), PASTE_END].concat() } else { clean.into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_text_cannot_end_its_own_paste() {
        let text = "a\x1b[201~b\r\u{9b}201~c\n\td\u{7f}é";
        assert_eq!(pasted(text.as_bytes(), false), "a[201~b201~c\n\tdé".as_bytes());
        assert_eq!(pasted(b"x", true), b"\x1b[200~x\x1b[201~");
    }
}
