//! Who looks at a pane through us: what each was shown, whose size holds, and what their keys are to tmux.

use super::pane;
use super::screen::Picture;
use ao_host::engine::Size;
use ao_host::engine::queries::ReplyFilter;
use ao_slots::runtime::{Exit, Frame, View};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Frames that may wait for a viewer; one that is further behind gets a new screen instead.
pub(super) const FRAMES: usize = 64;

/// Between two looks whether a viewer that fell behind has caught up.
const CATCHES_UP: Duration = Duration::from_millis(50);

/// Bytes of keys in one command: a line of some kilobytes.
const KEYS: usize = 1024;

/// One viewer.
struct Viewer {
    frames: mpsc::Sender<Frame>,
    read_only: bool,
    size: Size,
    /// It was shown a screen, and everything since.
    ready: bool,
    /// A screen for it is on its way.
    asked: bool,
}

/// All viewers of a pane.
#[derive(Default)]
pub(super) struct Viewers {
    viewers: BTreeMap<u64, Viewer>,
    last: u64,
    /// Whose size the pane has.
    owner: Option<u64>,
    /// The size that was last asked for.
    size: Option<Size>,
}

impl Viewers {
    /// A new viewer; a screen for it is to be asked for.
    pub(super) fn add(&mut self, view: View, frames: mpsc::Sender<Frame>) -> u64 {
        self.last += 1;
        let size = pane::size(view.cols, view.rows);
        let viewer = Viewer { frames, read_only: view.read_only, size, ready: false, asked: true };
        self.viewers.insert(self.last, viewer);
        self.last
    }

    /// Whether nobody looks.
    pub(super) fn is_empty(&self) -> bool {
        self.viewers.is_empty()
    }

    /// It is gone.
    pub(super) fn leave(&mut self, viewer: u64) {
        self.viewers.remove(&viewer);
    }

    /// Whether it may do more than look.
    pub(super) fn may_type(&self, viewer: u64) -> bool {
        self.viewers.get(&viewer).is_some_and(|viewer| !viewer.read_only)
    }

    /// Its terminal has another size.
    pub(super) fn set_size(&mut self, viewer: u64, cols: u16, rows: u16) {
        if let Some(viewer) = self.viewers.get_mut(&viewer) {
            viewer.size = pane::size(cols, rows);
        }
        if self.owner == Some(viewer) {
            self.owner = None;
        }
    }

    /// Makes it the one whose size holds; the command for that, when the size changes.
    pub(super) fn own(&mut self, viewer: u64, session: &str) -> Option<String> {
        let size = self.viewers.get(&viewer).filter(|viewer| !viewer.read_only)?.size;
        if self.owner == Some(viewer) {
            return None;
        }
        self.owner = Some(viewer);
        if self.size.replace(size) == Some(size) {
            return None;
        }
        Some(format!("resize-window -t \"={session}:\" -x {} -y {}", size.cols, size.rows))
    }

    /// Everybody.
    pub(super) fn all(&mut self) -> Vec<u64> {
        self.viewers.values_mut().for_each(|viewer| viewer.asked = true);
        self.viewers.keys().copied().collect()
    }

    /// Passes output on.
    pub(super) fn output(&mut self, offset: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        for viewer in self.viewers.values_mut().filter(|viewer| viewer.ready) {
            viewer.ready = viewer.frames.try_send(Frame::Output { offset, bytes: bytes.to_vec() }).is_ok();
        }
    }

    /// Shows a screen to these; what comes after it follows.
    pub(super) fn show(&mut self, viewers: &[u64], picture: &Picture, offset: u64, exit: Option<&Exit>) {
        for number in viewers {
            let Some(viewer) = self.viewers.get_mut(number) else { continue };
            viewer.asked = false;
            let screen = Frame::Screen {
                cols: picture.size.cols,
                rows: picture.size.rows,
                history: picture.history,
                offset,
                bytes: picture.bytes.clone(),
            };
            viewer.ready = viewer.frames.try_send(screen).is_ok();
        }
        if let Some(exit) = exit {
            self.end(exit);
        }
    }

    /// Tells those who have seen everything of the end; the others when they have.
    pub(super) fn end(&mut self, exit: &Exit) {
        self.viewers.retain(|_, viewer| {
            let told = viewer.ready && !viewer.asked && viewer.frames.try_send(Frame::Exited(exit.clone())).is_ok();
            viewer.ready &= told;
            !told
        });
    }

    /// When it is to be seen who has caught up.
    pub(super) fn due(&self) -> Option<Instant> {
        let behind = self.viewers.values().any(|viewer| !viewer.ready && !viewer.asked && !viewer.frames.is_closed());
        behind.then(|| Instant::now() + CATCHES_UP)
    }

    /// Those who fell behind and have read most of it; a screen for them is to be asked for.
    pub(super) fn that_can_go_on(&mut self) -> Vec<u64> {
        let behind = self.viewers.iter_mut().filter(|(_, viewer)| !viewer.ready && !viewer.asked);
        let caught_up = behind.filter(|(_, viewer)| viewer.frames.capacity() > FRAMES / 2);
        let numbers = caught_up.map(|(number, viewer)| {
            viewer.asked = true;
            *number
        });
        numbers.collect()
    }
}

/// Keys as commands: byte by byte, and never to a mode of tmux's own that a person left open.
pub(super) fn keys(pane: &str, bytes: &[u8]) -> Vec<String> {
    let command = |part: &[u8]| {
        let mut text = format!("copy-mode -q -t \"{pane}\" ; send-keys -t \"{pane}\" -H");
        for byte in part {
            // Writing to a String cannot fail.
            let _ = write!(text, " {byte:02x}");
        }
        text
    };
    bytes.chunks(KEYS).map(command).collect()
}

/// What a person typed, without what their terminal replied by itself.
pub(super) fn typed(filter: &mut ReplyFilter, bytes: &[u8]) -> Vec<u8> {
    let mut typed = filter.filter_input(bytes);
    // An Escape key alone is not held until more comes.
    typed.extend(filter.flush());
    typed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(cols: u16, read_only: bool) -> View {
        View { cols, rows: 24, read_only }
    }

    fn picture() -> Picture {
        Picture { size: Size { cols: 80, rows: 24 }, history: 0, bytes: b"screen".to_vec() }
    }

    #[test]
    fn the_size_is_the_last_writers() {
        let mut viewers = Viewers::default();
        let (frames, _receiver) = mpsc::channel(FRAMES);
        let reader = viewers.add(view(50, true), frames.clone());
        let (one, two) = (viewers.add(view(100, false), frames.clone()), viewers.add(view(120, false), frames));
        assert_eq!(viewers.own(reader, "s"), None, "a reader has no say");
        assert_eq!(viewers.own(one, "s").as_deref(), Some("resize-window -t \"=s:\" -x 100 -y 24"));
        assert_eq!(viewers.own(one, "s"), None);
        assert!(viewers.own(two, "s").is_some_and(|command| command.contains("-x 120")));
        viewers.set_size(two, 0, 9999);
        assert!(viewers.own(two, "s").is_some_and(|command| command.ends_with("-x 1 -y 300")));
    }

    #[test]
    fn who_falls_behind_gets_a_screen_instead_of_the_backlog() {
        let mut viewers = Viewers::default();
        let (frames, mut receiver) = mpsc::channel(FRAMES);
        let viewer = viewers.add(view(80, false), frames);
        viewers.output(1, b"before the screen");
        viewers.show(&[viewer], &picture(), 1, None);
        for n in 0..200 {
            viewers.output(n, b"x");
        }
        assert_eq!(viewers.that_can_go_on(), Vec::<u64>::new(), "nothing was read yet");
        assert!(viewers.due().is_some());
        assert!(matches!(receiver.try_recv(), Ok(Frame::Screen { offset: 1, .. })));
        while receiver.try_recv().is_ok() {}
        assert_eq!(viewers.that_can_go_on(), [viewer]);
        viewers.output(300, b"on its way");
        viewers.show(&[viewer], &picture(), 300, None);
        viewers.output(301, b"after");
        assert!(matches!(receiver.try_recv(), Ok(Frame::Screen { offset: 300, .. })));
        assert_eq!(receiver.try_recv(), Ok(Frame::Output { offset: 301, bytes: b"after".to_vec() }));
        let exit = Exit { code: Some(1), signal: None, why: None, left: None };
        viewers.end(&exit);
        assert_eq!(receiver.try_recv(), Ok(Frame::Exited(exit)));
        assert!(receiver.try_recv().is_err() && viewers.all().is_empty());
    }

    #[test]
    fn keys_are_written_byte_by_byte() {
        let commands = keys("%3", &vec![0x1b; KEYS + 1]);
        assert_eq!(commands.len(), 2);
        assert_eq!(commands[1], "copy-mode -q -t \"%3\" ; send-keys -t \"%3\" -H 1b");
        let mut filter = ReplyFilter::new();
        assert_eq!(typed(&mut filter, b"\x1b"), b"\x1b");
        assert_eq!(typed(&mut filter, b"a\x1b[?62;22cb"), b"ab");
    }
}
