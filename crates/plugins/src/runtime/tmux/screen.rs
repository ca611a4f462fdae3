//! What a pane shows: asked of tmux, which keeps the true screen, and what its stream says besides drawing.

use super::server::{Refused, Server, senseless};
use ao_core::screen::{Mark, Screen};
use ao_host::engine::terminal::Terminal;
use ao_host::engine::{Engine as _, Size, TermEvent};
use ao_host::record::{self, Durability, Ending};
use ao_slots::Answer;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Name of the file that holds [`Seen`].
const FILE: &str = "seen.json";

/// Name of the log.
const LOG: &str = "tmux.log";

/// Bytes of the log that are read at once.
const READ: usize = 64 * 1024;

/// Bytes of the log that are read between two looks: more than a program writes in that time, a few milliseconds of work.
const AT_ONCE: u64 = 2 << 20;

/// Bytes of the log that are given back at once: a few megabytes harm nobody.
const FREED_AT_ONCE: u64 = 4 << 20;

/// Marks that are kept for a daemon to come: the agents send a few in a turn.
const MARKS_KEPT: usize = 32;

/// Longest text of a mark that is kept, in bytes.
const MARK_KEPT: usize = 1024;

/// Rows that one capture gives: what a [`Terminal`] may have.
const CHUNK: u64 = Size::MAX_ROWS as u64;

/// What of a pane's stream outlives the daemon, written down before anybody is told of it: `seen.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Seen {
    /// Bytes of the log that were read and understood.
    pub(super) offset: u64,
    /// The latest offset that anybody was told; it never goes back.
    pub(super) told: u64,
    /// The program asked for bracketed paste.
    pub(super) bracketed_paste: bool,
    /// The last marks.
    pub(super) marks: Vec<Mark>,
    /// Bells so far.
    pub(super) bells: u64,
}

impl Seen {
    /// What was seen of a launch.
    pub(super) fn read(dir: &Path) -> Self {
        record::read_json(&dir.join(FILE)).unwrap_or_default()
    }

    /// Writes it down.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        record::write_json(&dir.join(FILE), self, Durability::Process)
    }

    /// Keeps a mark.
    pub(super) fn mark(&mut self, mark: Mark) {
        if mark.text.len() > MARK_KEPT {
            return;
        }
        if self.marks.len() >= MARKS_KEPT {
            self.marks.remove(0);
        }
        self.marks.push(mark);
    }
}

/// Reads titles, marks and modes out of a stream.
pub(super) struct Listener {
    terminal: Terminal,
    /// Where in the stream it began, and what the terminal was given before that.
    from: u64,
    given: u64,
    since: Instant,
}

impl Listener {
    /// Listens from where an earlier daemon had understood everything.
    pub(super) fn new(size: Size, seen: &Seen) -> Self {
        let mut terminal = Terminal::new(size);
        if seen.bracketed_paste {
            terminal.feed(b"\x1b[?2004h");
        }
        let given = terminal.offset();
        Self { terminal, from: seen.offset, given, since: Instant::now() }
    }

    /// How far the stream was taken in.
    pub(super) fn offset(&self) -> u64 {
        self.from + self.terminal.offset() - self.given
    }

    /// Takes output in, `seen` being what was seen before it.
    pub(super) fn feed(&mut self, bytes: &[u8], seen: &mut Seen) {
        // An update that stays open is not waited for.
        self.terminal.tick(u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX));
        // Marks end with BEL or ESC and a backslash. Each has an offset of its own: a daemon that died between two goes on
        // after the first.
        for piece in bytes.split_inclusive(|byte| matches!(byte, 0x07 | b'\\')) {
            self.terminal.feed(piece);
            self.said(seen);
        }
        self.said(seen);
        // What is held back, in a synchronized update for example, is read again by the next daemon.
        seen.offset = self.from + self.terminal.ground_offset().saturating_sub(self.given);
    }

    fn said(&mut self, seen: &mut Seen) {
        // What scrolls off is tmux's to keep.
        drop(self.terminal.take_scrolled());
        for event in self.terminal.take_events() {
            let (osc, text) = match event {
                TermEvent::Title(text) => (0, text),
                TermEvent::Osc(number, text) => (number, text),
                TermEvent::Bell => {
                    seen.bells += 1;
                    continue;
                }
                TermEvent::Reply(_) => continue,
            };
            seen.mark(Mark { offset: self.offset(), osc, text });
        }
        seen.bracketed_paste = self.terminal.bracketed_paste();
    }
}

/// Everything that the program writes, from its first byte on, also while no daemon is there: tmux passes it to `cat`.
///
/// It is read for titles, marks and modes, which tmux does not keep; what was read is given back to the file system.
pub(super) struct Log {
    path: PathBuf,
    freed: u64,
}

impl Log {
    /// The log of a launch.
    pub(super) fn of(dir: &Path) -> Self {
        Self { path: dir.join(LOG), freed: 0 }
    }

    /// What tmux is to run for it: a command of `sh`, in which tmux itself would replace `#` and `%`.
    pub(super) fn command(dir: &str) -> String {
        let path = format!("{dir}/{LOG}").replace('\'', "'\\''").replace('#', "##").replace('%', "%%");
        format!("umask 077; exec cat >>'{path}'")
    }

    /// Its length now.
    pub(super) fn len(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    /// Reads what is new.
    ///
    /// # Errors
    /// When it cannot be read; one that is not there yet is empty.
    pub(super) fn read(&mut self, listener: &mut Listener, seen: &mut Seen) -> io::Result<()> {
        let mut file = match File::options().read(true).write(true).open(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        file.seek(SeekFrom::Start(listener.offset()))?;
        // A program that writes faster than it is read must not keep the reader for ever.
        let mut news = file.by_ref().take(AT_ONCE);
        let mut buffer = vec![0_u8; READ];
        loop {
            match news.read(&mut buffer)? {
                0 => {
                    listener.feed(&[], seen);
                    break;
                }
                n => listener.feed(buffer.get(..n).unwrap_or_default(), seen),
            }
        }
        if seen.offset >= self.freed + FREED_AT_ONCE {
            free(&file, seen.offset);
            self.freed = seen.offset;
        }
        Ok(())
    }
}

/// Gives the beginning of a file back to the file system; its length stays. One that cannot keeps it.
#[cfg(target_os = "linux")]
fn free(file: &File, to: u64) {
    use rustix::fs::{FallocateFlags, fallocate};
    // Only room is lost when this fails.
    let _ = fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, to);
}

#[cfg(not(target_os = "linux"))]
fn free(_file: &File, _to: u64) {}

/// A pane as tmux shows it.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// The screen; offset, marks and times are the caller's to fill in.
    pub(super) screen: Screen,
    /// Its size.
    pub(super) size: Size,
    /// When it last changed, Unix seconds.
    pub(super) active: u64,
    /// How the program ended, when it did.
    pub(super) ending: Option<Ending>,
}

/// The first of a look's commands: a line for [`look_of`]. The title is last: it may hold anything.
pub(super) const LOOK: &str = "#{pane_width}|#{pane_height}|#{cursor_x}|#{cursor_y}|#{alternate_on}|#{window_activity}|\
    #{pane_dead}|#{pane_dead_status}|#{pane_dead_signal}|#{pane_title}";

/// Reads a look: a line of [`LOOK`], and the rows.
pub(super) fn look_of(line: &str, rows: &[String]) -> Answer<Look> {
    let fields: Vec<&str> = line.splitn(10, '|').collect();
    let [cols, height, x, y, alternate, active, dead, status, signal, title] = fields[..] else {
        return Err(senseless("a look at a pane", line));
    };
    let number = |text: &str| text.parse::<u16>().map_err(|_| senseless("a look at a pane", line));
    let size = Size { cols: number(cols)?, rows: number(height)? };
    let mut rows: Vec<String> = rows.iter().map(|row| row.trim_end().to_owned()).collect();
    rows.resize(usize::from(size.rows), String::new());
    let screen = Screen {
        cols: size.cols,
        rows,
        cursor: (number(y)?, number(x)?.min(size.cols.saturating_sub(1))),
        title: title.to_owned(),
        alternate: alternate == "1",
        ..Screen::default()
    };
    let ending = ending(dead, status, signal);
    Ok(Look { screen, size, active: active.parse().unwrap_or(0), ending })
}

/// How the program of a pane ended. A terminal that was closed by a program that goes on is no end: it has no status yet.
pub(super) fn ending(dead: &str, status: &str, signal: &str) -> Option<Ending> {
    if dead != "1" {
        return None;
    }
    if let Ok(code) = status.parse() {
        return Some(Ending::Exited { code });
    }
    signal.parse().ok().map(|signal| Ending::Signaled { signal })
}

/// The first of a view's commands: a line for [`view_of`].
pub(super) const VIEW: &str = "#{pane_width}|#{pane_height}|#{cursor_x}|#{cursor_y}|#{history_size}|#{scroll_region_upper}|\
    #{scroll_region_lower}|#{alternate_on}|#{cursor_flag}|#{insert_flag}|#{keypad_cursor_flag}|#{keypad_flag}|#{origin_flag}|\
    #{wrap_flag}|#{mouse_standard_flag}|#{mouse_button_flag}|#{mouse_all_flag}|#{mouse_sgr_flag}|#{mouse_utf8_flag}|#{pane_title}";

/// What rebuilds a pane's screen in a viewer's terminal.
pub(super) struct Picture {
    /// Its size.
    pub(super) size: Size,
    /// Rows that scrolled off.
    pub(super) history: u64,
    /// Escape sequences.
    pub(super) bytes: Vec<u8>,
}

/// Modes that are off in a fresh terminal: field of [`VIEW`] from the alternate screen on, and what switches it.
const MODES: [(usize, &str); 11] = [
    (9, "\x1b[4"),
    (10, "\x1b[?1"),
    (11, "\x1b[?66"),
    (12, "\x1b[?6"),
    (13, "\x1b[?7"),
    (14, "\x1b[?1000"),
    (15, "\x1b[?1002"),
    (16, "\x1b[?1003"),
    (17, "\x1b[?1006"),
    (18, "\x1b[?1005"),
    (8, "\x1b[?25"),
];

/// Draws a view: a line of [`VIEW`], and the rows with their colours, which go over from row to row.
pub(super) fn view_of(line: &str, rows: &[String], bracketed_paste: bool) -> Answer<Picture> {
    let fields: Vec<&str> = line.splitn(20, '|').collect();
    let number = |n: usize| -> Answer<u64> {
        let field = fields.get(n).and_then(|field| field.parse::<u64>().ok());
        field.ok_or_else(|| senseless("a view of a pane", line))
    };
    let on = |n: usize| fields.get(n) == Some(&"1");
    let cell = |n: usize| number(n).map(|n| u16::try_from(n).unwrap_or(u16::MAX));
    let size = Size { cols: cell(0)?, rows: cell(1)? };
    let mut text = String::from("\x1b[!p\x1b[?6l\x1b[r");
    text.push_str(if on(7) { "\x1b[?1049h" } else { "\x1b[?1049l" });
    text.push_str("\x1b[H\x1b[2J");
    for (n, row) in (1_u16..).zip(rows.iter().take(usize::from(size.rows))) {
        // Writing to a String cannot fail, here and below.
        let _ = write!(text, "\x1b[{n};1H{row}");
    }
    text.push_str("\x1b[0m");
    if let Some(title) = fields.get(19).filter(|title| !title.is_empty()) {
        let _ = write!(text, "\x1b]0;{title}\x1b\\");
    }
    let (top, bottom) = (number(5)?, number(6)?);
    if (top, bottom + 1) != (0, u64::from(size.rows)) {
        let _ = write!(text, "\x1b[{};{}r", top + 1, bottom + 1);
    }
    // The cursor before origin mode, which would count from the margin.
    let _ = write!(text, "\x1b[{};{}H", number(3)? + 1, (number(2)? + 1).min(u64::from(size.cols)));
    for (n, mode) in MODES.into_iter().filter(|(n, _)| *n != 12) {
        let _ = write!(text, "{mode}{}", if on(n) { 'h' } else { 'l' });
    }
    if on(12) {
        let row = number(3)?.saturating_sub(top) + 1;
        let _ = write!(text, "\x1b[?6h\x1b[{row};{}H", number(2)? + 1);
    }
    text.push_str(if bracketed_paste { "\x1b[?2004h" } else { "\x1b[?2004l" });
    Ok(Picture { size, history: number(4)?, bytes: text.into_bytes() })
}

/// The ranges in which rows `[from, to)` are captured, as tmux counts them: the newest row that scrolled off is -1.
pub(super) fn chunks(from: u64, to: u64, size: u64) -> Vec<(i64, i64)> {
    let line = |row: u64| i64::try_from(row).unwrap_or(i64::MAX) - i64::try_from(size).unwrap_or(i64::MAX);
    let to = to.min(size);
    let mut ranges = Vec::new();
    let mut row = from;
    while row < to {
        let end = to.min(row + CHUNK);
        ranges.push((line(row), line(end) - 1));
        row = end;
    }
    ranges
}

/// Rows of one capture, each with all of its colours: in the capture they go over from row to row.
pub(super) fn rows_alone(cols: u16, rows: &[String]) -> Vec<String> {
    let size = Size::clamped(cols, u16::try_from(rows.len()).unwrap_or(u16::MAX));
    let mut terminal = Terminal::new(size);
    for (n, row) in (1..=size.rows).zip(rows) {
        terminal.feed(format!("\x1b[{n};1H{row}").as_bytes());
    }
    (0..size.rows).map(|row| terminal.row_sgr(row)).collect()
}

/// What is left of a pane when its program ended.
#[derive(Debug)]
pub(super) struct Last {
    /// Its size.
    pub(super) size: Size,
    /// The last screen.
    pub(super) rows: Vec<String>,
    /// The rows before it, with colours.
    pub(super) history: Vec<String>,
}

/// Takes everything from a pane that has ended.
pub(super) async fn last(server: &Server, pane: &str) -> Result<Last, Refused> {
    let asked =
        ["display-message", "-p", "-t", pane, "#{history_size}|", ";", "display-message", "-p", "-t", pane, LOOK];
    let said = server.run(asked.into_iter().chain([";", "capture-pane", "-p", "-t", pane])).await?;
    let mut lines = said.lines();
    let (history, line) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let size = history.trim_end_matches('|').parse().map_err(|_| Refused::NotAsked(senseless("a history", history)))?;
    let rows: Vec<String> = lines.map(str::to_owned).collect();
    let look = look_of(line, &rows).map_err(Refused::NotAsked)?;
    let mut history = Vec::new();
    for (from, to) in chunks(0, size, size) {
        let (start, end) = (from.to_string(), to.to_string());
        let said = server.run(["capture-pane", "-e", "-p", "-t", pane, "-S", &start, "-E", &end]).await?;
        let rows: Vec<String> = said.lines().map(str::to_owned).collect();
        history.extend(rows_alone(look.size.cols, &rows));
    }
    Ok(Last { size: look.size, rows: look.screen.rows, history })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(rows: &[&str]) -> Vec<String> {
        rows.iter().map(|&row| row.to_owned()).collect()
    }

    #[test]
    fn a_look_is_a_screen() {
        let look = look_of("80|3|80|1|1|1700000000|1|7||a | title", &strings(&["one  ", "日本"])).expect("a look");
        assert_eq!(look.screen.rows, ["one", "日本", ""]);
        assert_eq!((look.screen.cols, look.screen.cursor), (80, (1, 79)), "a cursor behind the last column is in it");
        assert_eq!(look.screen.title, "a | title");
        assert!(look.screen.alternate);
        assert_eq!(look.ending, Some(Ending::Exited { code: 7 }));
        assert!(look_of("can't find pane", &[]).is_err());
    }

    #[test]
    fn a_view_rebuilds_screen_cursor_and_modes() {
        let line = "20|4|3|2|7|1|2|0|0|0|1|0|0|1|0|1|0|1|0|a title";
        let rows = strings(&["\x1b[31mred", "still\x1b[39m", "", "end"]);
        let picture = view_of(line, &rows, true).expect("a view");
        assert_eq!((picture.size, picture.history), (Size { cols: 20, rows: 4 }, 7));
        let mut terminal = Terminal::new(picture.size);
        terminal.feed(b"old\x1b[?1000h\x1b[?1049h");
        terminal.feed(&picture.bytes);
        assert_eq!(terminal.row_text(0), "red");
        assert!(terminal.row_sgr(1).contains("31"), "colours go over from row to row: {:?}", terminal.row_sgr(1));
        assert_eq!(terminal.cursor(), (2, 3, false));
        assert!(terminal.bracketed_paste() && !terminal.alternate_screen());
        assert_eq!(terminal.title(), "a title");
        terminal.feed(b"\x1b[2;1H\x1bM");
        assert_eq!(terminal.row_text(2), "still", "the margins are the second and third row");
    }

    #[test]
    fn rows_are_captured_in_chunks_and_stand_alone() {
        assert_eq!(chunks(0, 10, 5), [(-5, -1)]);
        assert_eq!(chunks(5, 6, 5), []);
        assert_eq!(chunks(10, 650, 1000), [(-990, -691), (-690, -391), (-390, -351)]);
        let alone = rows_alone(20, &strings(&["\x1b[31mred", "still", "\x1b[39mplain"]));
        assert!(alone[1].contains("\x1b["), "{alone:?}");
        assert_eq!(alone[2], "plain");
    }

    #[test]
    fn the_log_is_read_once_and_given_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let (mut log, mut seen) = (Log::of(dir.path()), Seen::default());
        let mut listener = Listener::new(Size { cols: 20, rows: 4 }, &seen);
        log.read(&mut listener, &mut seen).expect("a log that is not there is empty");
        let mut text = b"\x1b]0;one\x07".to_vec();
        std::fs::write(dir.path().join(LOG), &text).expect("written");
        log.read(&mut listener, &mut seen).expect("read");
        text.resize(usize::try_from(FREED_AT_ONCE).expect("small") + 1, b'x');
        text.extend(b"\x1b]0;two\x07");
        std::fs::write(dir.path().join(LOG), &text).expect("written");
        for _ in 0..3 {
            log.read(&mut listener, &mut seen).expect("read");
        }
        let marks: Vec<&str> = seen.marks.iter().map(|mark| mark.text.as_str()).collect();
        assert_eq!(marks, ["one", "two"]);
        assert_eq!((seen.offset, log.len()), (text.len() as u64, text.len() as u64));
        assert!(log.freed >= FREED_AT_ONCE);
        assert_eq!(Log::command("/a b/it's 5%#{x}"), "umask 077; exec cat >>'/a b/it'\\''s 5%%##{x}/tmux.log'");
    }

    #[test]
    fn marks_and_modes_are_read_out_of_the_stream() {
        let mut seen = Seen { offset: 100, ..Seen::default() };
        let mut listener = Listener::new(Size { cols: 20, rows: 4 }, &seen);
        listener.feed(b"x\x1b]0;a title\x07\x1b[?2004h\x1b]7501;sta", &mut seen);
        listener.feed(b"te=idle\x1b\\", &mut seen);
        let marks: Vec<_> = seen.marks.iter().map(|mark| (mark.osc, mark.text.as_str())).collect();
        assert_eq!(marks, [(0, "a title"), (7501, "state=idle")]);
        listener.feed(b"\x1b]7501;one\x1b\\\x1b]7501;two\x07", &mut seen);
        let offsets: Vec<u64> = seen.marks.iter().map(|mark| mark.offset).collect();
        assert!(offsets.windows(2).all(|pair| pair[0] < pair[1]), "{offsets:?}");
        assert!(seen.bracketed_paste && seen.offset > 130);
        let mut again = Listener::new(Size { cols: 20, rows: 4 }, &seen);
        assert!(again.terminal.bracketed_paste());
        let before = seen.clone();
        again.feed(b"\x1b[?2026h\x1b]7501;held\x07", &mut seen);
        assert_eq!((seen.offset, again.offset()), (before.offset, before.offset + 20), "it is read again");
        again.feed(b"\x1b[?2026l", &mut seen);
        assert_eq!((seen.offset, seen.marks.last().map(|mark| mark.text.as_str())), (again.offset(), Some("held")));
    }
}
