//! What viewers see: the screen when they come or fall behind, live bytes otherwise; and whose size holds.
//!
//! One slow viewer costs neither the program nor another viewer anything.

use std::time::Instant;

use super::conn::{Pace, Phase, Viewer, Watching};
use super::display::Snapshot;
use super::serve::Host;
use crate::engine::Size;
use crate::record::now_us;
use crate::wire::{Access, Attached, Output, Push, Reply, Sizing};

/// Bytes a viewer may be behind before it gets the screen instead of the backlog (`docs/design/host.md`: 256 KB).
const BEHIND: u64 = 256 << 10;

impl Host {
    /// Sends live bytes to every viewer that keeps up.
    pub(super) fn show(&mut self, visible: &[u8]) {
        let end = self.output.end();
        let mut encoded = Vec::new();
        for conn in self.conns.iter_mut().filter(|conn| conn.phase == Phase::Open) {
            let Some(viewer) = &mut conn.viewer else { continue };
            if viewer.pace != Pace::Live {
                continue;
            }
            if end.saturating_sub(viewer.acked) > BEHIND {
                viewer.pace = Pace::Behind;
                continue;
            }
            viewer.sent = end;
            if encoded.is_empty() {
                Push::Output(Output { end, bytes: visible.to_vec() }).encode(&mut encoded);
            }
            conn.push_encoded(&encoded);
        }
    }

    /// Gives the screen to viewers that wait for it.
    pub(super) fn catch_up(&mut self) {
        if self.conns.iter().any(|conn| conn.viewer.as_ref().is_some_and(|v| matches!(v.pace, Pace::Due(_)))) {
            self.send_screens();
        }
    }

    fn send_screens(&mut self) {
        let Some(Snapshot { ground: offset, screen, tail }) = self.display.snapshot() else { return };
        let attached = Attached {
            launch: self.spec.launch.clone(),
            rows_total: self.rows.total(),
            offset,
            size: self.display.size(),
            screen,
        };
        let end = self.output.end();
        for conn in self.conns.iter_mut().filter(|conn| conn.phase == Phase::Open) {
            let Some(viewer) = &mut conn.viewer else { continue };
            let Pace::Due(id) = viewer.pace else { continue };
            (viewer.pace, viewer.sent, viewer.acked) = (Pace::Live, end, offset);
            match id {
                Some(_) => conn.reply(id, &Reply::Attached(attached.clone())),
                None => conn.push(&Push::Attached(attached.clone())),
            }
            if !tail.is_empty() {
                conn.push(&Push::Output(Output { end, bytes: tail.clone() }));
            }
        }
    }

    /// Makes a connection a viewer.
    pub(super) fn attach(&mut self, at: usize, id: Option<u32>, viewer: Viewer) {
        self.conns[at].viewer = Some(Viewer { pace: Pace::Due(id), ..viewer });
        self.claim_size(at);
        self.catch_up();
    }

    /// Notes how far a viewer has drawn.
    pub(super) fn acknowledged(&mut self, at: usize, offset: u64) {
        let Some(viewer) = &mut self.conns[at].viewer else { return };
        viewer.acked = viewer.acked.max(offset.min(viewer.sent));
        if viewer.pace == Pace::Behind && viewer.acked == viewer.sent {
            viewer.pace = Pace::Due(None);
        }
    }

    /// The last active writer that wants to owns the size.
    pub(super) fn claim_size(&mut self, at: usize) {
        let conn = &mut self.conns[at];
        let Some(viewer) = &mut conn.viewer else { return };
        viewer.active = Instant::now();
        if let Some(size) = wanted_size(viewer) {
            self.size_owner = Some(conn.id);
            self.set_size(size);
        }
    }

    /// The owner left: of those that stay the last active writer owns the size.
    pub(super) fn pass_size_on(&mut self) {
        let open = self.conns.iter().filter(|conn| conn.phase == Phase::Open);
        let heirs = open.filter_map(|conn| {
            let viewer = conn.viewer.as_ref()?;
            Some((viewer.active, conn.id, wanted_size(viewer)?))
        });
        if let Some((_, heir, size)) = heirs.max_by_key(|(active, ..)| *active) {
            self.size_owner = Some(heir);
            self.set_size(size);
            self.catch_up();
        }
    }

    /// Changes the size of terminal and engine; every viewer gets the new screen.
    pub(super) fn set_size(&mut self, size: Size) {
        let size = Size::clamped(size.cols, size.rows);
        if size == self.display.size() {
            return;
        }
        // A terminal that refuses (it is gone) has no program that could mind.
        drop(self.pty.resize(size));
        let fed = self.display.resize(size);
        self.output.resized(size, now_us());
        self.spread(fed);
        self.watch.resized(Instant::now());
        for viewer in self.conns.iter_mut().filter_map(|conn| conn.viewer.as_mut()) {
            if viewer.pace == Pace::Live {
                viewer.pace = Pace::Due(None);
            }
        }
    }

    /// Tells subscribers what changed.
    pub(super) fn push_screens(&mut self, now: Instant) {
        if self.conns.iter().all(|conn| conn.watching == Watching::No) {
            return self.watch.forget();
        }
        let totals = self.totals();
        let screen = self.watch.changes(&self.display, totals, now);
        let mut encoded = Vec::new();
        Push::Screen(screen).encode(&mut encoded);
        for conn in &mut self.conns {
            match conn.watching {
                Watching::No => {}
                // It has not read the last ones; it gets everything at once when it has.
                Watching::Changes if conn.waiting() as u64 > BEHIND => conn.watching = Watching::Full,
                Watching::Full if conn.waiting() as u64 > BEHIND => {}
                Watching::Changes => conn.push_encoded(&encoded),
                Watching::Full => {
                    conn.watching = Watching::Changes;
                    conn.push(&Push::Screen(self.watch.full(&self.display, totals)));
                }
            }
        }
    }
}

/// The size that a viewer would give the terminal.
fn wanted_size(viewer: &Viewer) -> Option<Size> {
    let owns = viewer.access == Access::ReadWrite && viewer.sizing == Sizing::Own;
    viewer.size.filter(|_| owns)
}
