//! An engine whose panics do not end the session: it is rebuilt from the last snapshot and the bytes since.
//!
//! What made the engine panic is left out of the screen, never of the log; `degraded` says that it happened.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::scrolled::Scrolled;
use super::{Engine, Size, TermEvent};

/// Bytes after which a new snapshot replaces the bytes kept. Bounds the memory (and what a rebuild must read) and
/// keeps the cost of snapshots at a few percent of a flood.
const SNAPSHOT_EVERY: usize = 64 * 1024;
/// Size of the pieces in which the bytes that led to a panic are tried again.
const PIECE: usize = 64;
/// Rebuilds for one feed; after that the rest of its bytes is not drawn.
const MAX_REBUILDS: usize = 8;

/// How far back the clock of a rebuilt engine begins: what was given up for its age before is so again.
const REBUILD_AGE_MS: u64 = 1000;

/// An engine with a way back.
pub struct Guarded<E> {
    make: fn(Size) -> E,
    engine: E,
    /// Bytes the present engine was fed, a snapshot at its start included.
    engine_fed: u64,
    /// Bytes fed in all.
    fed: u64,
    /// State some time ago, and the size it was taken at.
    snapshot: Vec<u8>,
    snapshot_size: Size,
    /// Bytes from the ground offset of the snapshot on.
    since: Vec<u8>,
    /// Time of the last tick, on the engine's clock: [`REBUILD_AGE_MS`] ahead of the caller's.
    engine_ms: u64,
    /// G never goes back.
    ground: u64,
    scrolled: Scrolled,
    said: Vec<TermEvent>,
    degraded: Cell<bool>,
}

impl<E: Engine> Guarded<E> {
    /// Guards an engine made by `make`.
    #[must_use]
    pub fn new(size: Size, make: fn(Size) -> E) -> Self {
        let mut engine = make(size);
        engine.tick(REBUILD_AGE_MS);
        Self {
            make,
            engine,
            engine_fed: 0,
            fed: 0,
            snapshot: Vec::new(),
            snapshot_size: size,
            since: Vec::new(),
            engine_ms: REBUILD_AGE_MS,
            ground: 0,
            scrolled: Scrolled::default(),
            said: Vec::new(),
            degraded: Cell::new(false),
        }
    }

    /// Whether the engine ever panicked: the screen may lack something.
    #[must_use]
    pub fn degraded(&self) -> bool {
        self.degraded.get()
    }

    /// Feeds the engine; false when it panicked and must be rebuilt.
    fn try_feed(&mut self, bytes: &[u8]) -> bool {
        let engine = &mut self.engine;
        let done = catch_unwind(AssertUnwindSafe(|| engine.feed(bytes))).is_ok();
        if done {
            self.engine_fed += bytes.len() as u64;
            self.collect();
        }
        done
    }

    fn collect(&mut self) {
        self.scrolled.append(self.engine.take_scrolled());
        self.said.append(&mut self.engine.take_events());
    }

    /// A fresh engine in the state of the last good byte, at which `open` bytes were held back or half done. If even
    /// that panics, the screen starts empty.
    fn rebuild(&mut self, open: usize) {
        self.degraded.set(true);
        let (make, size, now) = (self.make, self.snapshot_size, self.engine_ms);
        let (snapshot, since) = (&self.snapshot, &self.since);
        let rebuilt = catch_unwind(AssertUnwindSafe(|| {
            let mut engine = make(size);
            engine.tick(now - REBUILD_AGE_MS);
            engine.feed(snapshot);
            engine.feed(since);
            let fed = (snapshot.len() + since.len()) as u64;
            if fed - engine.ground_offset() > open as u64 {
                engine.tick(now);
            }
            // All this was said and scrolled before.
            engine.take_events();
            engine.take_scrolled();
            engine
        }));
        let engine = if let Ok(engine) = rebuilt {
            self.engine_fed = (self.snapshot.len() + self.since.len()) as u64;
            engine
        } else {
            (self.snapshot, self.since, self.engine_fed) = (Vec::new(), Vec::new(), 0);
            make(size)
        };
        let broken = std::mem::replace(&mut self.engine, engine);
        // Even its end may panic; its memory is then lost, which is all that can be done.
        drop(catch_unwind(AssertUnwindSafe(|| drop(broken))));
    }

    /// Bytes after G.
    fn open(&self) -> usize {
        usize::try_from(self.engine_fed.saturating_sub(self.engine.ground_offset())).unwrap_or(usize::MAX)
    }

    /// How many of the bytes since the snapshot come before G.
    fn ground_len(&self) -> usize {
        self.since.len().saturating_sub(self.open())
    }

    fn advance(&mut self) {
        self.ground = self.ground.max(self.fed.saturating_sub(self.open() as u64));
    }

    fn take_snapshot(&mut self) {
        let engine = &self.engine;
        if let Ok(snapshot) = catch_unwind(AssertUnwindSafe(|| engine.serialise())) {
            self.since = self.since.split_off(self.ground_len());
            self.snapshot = snapshot;
            self.snapshot_size = self.engine.size();
        } else {
            self.rebuild(self.open());
        }
    }
}

impl<E: Engine> Engine for Guarded<E> {
    fn feed(&mut self, bytes: &[u8]) {
        self.fed += bytes.len() as u64;
        let open = self.open();
        if self.try_feed(bytes) {
            self.since.extend_from_slice(bytes);
        } else {
            self.rebuild(open);
            let mut rebuilds = 1;
            for piece in bytes.chunks(PIECE) {
                let open = self.open();
                if self.try_feed(piece) {
                    self.since.extend_from_slice(piece);
                } else {
                    self.rebuild(open);
                    rebuilds += 1;
                    if rebuilds > MAX_REBUILDS {
                        break;
                    }
                }
            }
        }
        if self.since.len() > SNAPSHOT_EVERY.max(2 * self.open()) {
            self.take_snapshot();
        }
        self.advance();
    }

    fn tick(&mut self, now_ms: u64) {
        let now = self.engine_ms.max(now_ms.saturating_add(REBUILD_AGE_MS));
        self.engine_ms = now;
        let held = self.since.len() - self.ground_len();
        let engine = &mut self.engine;
        if catch_unwind(AssertUnwindSafe(|| engine.tick(now))).is_ok() {
            self.collect();
        } else {
            // What was held back made it panic: without it the state at the last ground is whole.
            self.since.truncate(self.since.len() - held);
            self.rebuild(0);
        }
        self.advance();
    }

    fn deadline(&self) -> Option<u64> {
        self.engine.deadline().map(|at| at.saturating_sub(REBUILD_AGE_MS))
    }

    fn ground_offset(&self) -> u64 {
        self.ground
    }

    fn resize(&mut self, size: Size) {
        let (open, engine) = (self.open(), &mut self.engine);
        if catch_unwind(AssertUnwindSafe(|| engine.resize(size))).is_ok() {
            self.collect();
        } else {
            // The size must be the PTY's whatever happens: the old state is drawn into a terminal of the new size.
            self.snapshot_size = size;
            self.rebuild(open);
        }
        self.take_snapshot();
        self.advance();
    }

    fn size(&self) -> Size {
        self.engine.size()
    }

    fn serialise(&self) -> Vec<u8> {
        catch_unwind(AssertUnwindSafe(|| self.engine.serialise())).unwrap_or_else(|_| {
            self.degraded.set(true);
            [&self.snapshot, &self.since[..self.ground_len()]].concat()
        })
    }

    fn row_text(&self, row: u16) -> String {
        self.engine.row_text(row)
    }

    fn row_sgr(&self, row: u16) -> String {
        self.engine.row_sgr(row)
    }

    fn cursor(&self) -> (u16, u16, bool) {
        self.engine.cursor()
    }

    fn title(&self) -> &str {
        self.engine.title()
    }

    fn bracketed_paste(&self) -> bool {
        self.engine.bracketed_paste()
    }

    fn alternate_screen(&self) -> bool {
        self.engine.alternate_screen()
    }

    fn take_scrolled(&mut self) -> Scrolled {
        std::mem::take(&mut self.scrolled)
    }

    fn take_events(&mut self) -> Vec<TermEvent> {
        std::mem::take(&mut self.said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::terminal::Terminal;

    /// A terminal that panics at a `~`, at a size of 13 columns, and when an `%` is on the screen at a snapshot.
    struct Brittle(Terminal);

    impl Engine for Brittle {
        fn feed(&mut self, bytes: &[u8]) {
            for byte in bytes {
                assert_ne!(*byte, b'~', "a planted panic");
                self.0.feed(&[*byte]);
            }
        }
        fn tick(&mut self, now_ms: u64) {
            self.0.tick(now_ms);
            assert!(!self.0.row_text(0).contains('&'), "a planted panic");
        }
        fn deadline(&self) -> Option<u64> {
            self.0.deadline()
        }
        fn ground_offset(&self) -> u64 {
            self.0.ground_offset()
        }
        fn resize(&mut self, size: Size) {
            assert_ne!(size.cols, 13, "a planted panic");
            self.0.resize(size);
        }
        fn size(&self) -> Size {
            self.0.size()
        }
        fn serialise(&self) -> Vec<u8> {
            assert!(!self.0.row_text(0).contains('%'), "a planted panic");
            self.0.serialise()
        }
        fn row_text(&self, row: u16) -> String {
            self.0.row_text(row)
        }
        fn row_sgr(&self, row: u16) -> String {
            self.0.row_sgr(row)
        }
        fn cursor(&self) -> (u16, u16, bool) {
            self.0.cursor()
        }
        fn title(&self) -> &str {
            self.0.title()
        }
        fn bracketed_paste(&self) -> bool {
            self.0.bracketed_paste()
        }
        fn alternate_screen(&self) -> bool {
            self.0.alternate_screen()
        }
        fn take_scrolled(&mut self) -> Scrolled {
            self.0.take_scrolled()
        }
        fn take_events(&mut self) -> Vec<TermEvent> {
            self.0.take_events()
        }
    }

    fn guarded(cols: u16, rows: u16) -> Guarded<Brittle> {
        Guarded::new(Size::clamped(cols, rows), |size| Brittle(Terminal::new(size)))
    }

    #[test]
    fn a_panic_leaves_the_screen_without_the_bytes_that_caused_it() {
        let mut engine = guarded(40, 5);
        engine.feed(b"\x07one\r\n\x1b[31m");
        assert!(!engine.degraded());
        engine.feed(&[b"two\r\n".as_slice(), &[b'x'; 60], b"~", &[b'y'; 62], b"\r\nthree \x1b[1"].concat());
        assert!(engine.degraded());
        assert_eq!((engine.row_text(0).as_str(), engine.row_text(1).as_str()), ("one", "two"));
        let text: Vec<String> = (0..5).map(|row| engine.row_text(row)).collect();
        assert!(text.iter().any(|row| row.starts_with("three")), "{text:?}");
        assert_eq!(engine.take_events(), [TermEvent::Bell], "nothing is said twice");
        let total = (11 + 5 + 60 + 1 + 62 + 8 + 3) as u64;
        assert_eq!(engine.ground_offset(), total - 3, "offsets still count every byte");
        engine.feed(b"mend");
        assert!(engine.row_sgr(engine.cursor().0).contains("end"));
    }

    #[test]
    fn bytes_that_panic_all_the_time_are_given_up() {
        let mut engine = guarded(20, 3);
        engine.feed(b"kept");
        engine.feed(&[b'~'; 4096]);
        engine.feed(b" and on");
        assert_eq!(engine.row_text(0), "kept and on");
        assert_eq!(engine.ground_offset(), 4 + 4096 + 7);
    }

    #[test]
    fn a_rebuild_long_after_the_start_uses_the_snapshot() {
        let mut engine = guarded(20, 3);
        for line in 0..20_000 {
            engine.feed(format!("line {line}\r\n").as_bytes());
        }
        assert!(engine.since.len() <= SNAPSHOT_EVERY && !engine.snapshot.is_empty());
        let (before, scrolled) = (engine.serialise(), engine.take_scrolled().len());
        engine.feed(b"~");
        assert!(engine.degraded());
        assert_eq!(String::from_utf8_lossy(&engine.serialise()), String::from_utf8_lossy(&before));
        assert_eq!((scrolled, engine.take_scrolled().len()), (19_998, 0));
    }

    #[test]
    fn a_panic_at_a_new_size_still_gives_that_size() {
        let mut engine = guarded(20, 3);
        engine.feed(b"text");
        engine.resize(Size::clamped(13, 2));
        assert!(engine.degraded());
        assert_eq!((engine.size(), engine.row_text(0).as_str()), (Size::clamped(13, 2), "text"));
        engine.feed(b" more");
        assert_eq!(engine.row_text(0), "text more");
    }

    #[test]
    fn a_panic_in_a_snapshot_gives_the_last_one_and_the_bytes_since() {
        let mut engine = guarded(20, 3);
        engine.feed(b"text");
        engine.resize(Size::clamped(21, 3));
        engine.feed(b" 50%\x1b[");
        let mut copy = Terminal::new(Size::clamped(21, 3));
        copy.feed(&engine.serialise());
        assert_eq!(copy.row_text(0), "text 50%");
        assert!(engine.degraded());
    }

    #[test]
    fn a_held_back_update_that_panics_when_it_is_drawn_is_left_out() {
        let mut engine = guarded(20, 3);
        engine.tick(0);
        engine.feed(b"kept\x1b[?2026h&");
        engine.tick(200);
        assert!(engine.degraded());
        assert_eq!(engine.row_text(0), "kept");
    }

    #[test]
    fn an_update_given_up_for_its_age_stays_given_up_after_a_panic() {
        let mut engine = guarded(20, 3);
        engine.tick(0);
        engine.feed(b"\x1b[?2026hlate");
        assert_eq!((engine.ground_offset(), engine.deadline()), (0, Some(151)));
        engine.tick(151);
        assert_eq!(engine.ground_offset(), 12);
        engine.feed(b"~");
        assert_eq!((engine.row_text(0).as_str(), engine.ground_offset(), engine.deadline()), ("late", 13, None));
    }
}
