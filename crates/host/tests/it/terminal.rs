//! `ao attach` in a terminal of its own: a person's view. The terminal is our own engine on a PTY, so that all of its state can
//! be compared.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use ao_host::engine::terminal::Terminal;
use ao_host::engine::{Engine, Size, TermEvent};
use ao_host::wire::{Reply, Request};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, Winsize, tcgetattr, tcsetattr, tcsetwinsize,
};

use crate::world::{LIMIT, World, alive, attach, contains, host_command, kill, script, until};

/// A terminal that somebody made their own: text, colours, links, titles, tabs, margins, character sets, keyboard, mouse and
/// paste modes, palette. The last thing done is DECSC, which every full-screen program overwrites with where it came from.
const OWN: &str = "\x1b]2;first\x1b\\\x1b[22;2t\x1b]2;second\x1b\\\x1b[22;2t\x1b]2;mine\x1b\\\x1b]4;1;#102030\x1b\\\x1b]11;#010203\x1b\\\
    \x1b[3g\x1b[1;5H\x1bH\x1b[1;9H\x1bH\x1b[5;20r\x1b[3;1H$ make\r\n\x1b[1;32mgreen 世界\x1b[m\r\n\x1b]8;id=a;http://x/\x1b\\link\x1b]8;;\x1b\\ \
    $ \x1b[=5;1u\x1b[>1u\x1b[?1h\x1b=\x1b[?12h\x1b[?1004h\x1b[?1002h\x1b[?1006h\x1b[?2004h\x1b[?2031h\x1b[?1007h\
    \x1b(0\x1b)A\x1b[?6h\x1b[7;3H\x1b[4;35m\x1b[4h\x1b7";

/// A session that switches everything on, each thing otherwise than above.
const ALL_ON: &str = r"
    printf '\033]2;theirs\033\\\033[22;2t\033]2;theirs too\033\\'
    printf '\033]4;1;#ffffff\033\\\033]10;#123456\033\\\033]11;#654321\033\\\033]12;#111111\033\\'
    printf '\033[?1049h\033[3g\033[2;9r\033[?1h\033=\033[?5h\033[?12l\033[?1003h\033[?1006h\033[?1004h\033[?2004h\033[?2031h\033[?25l'
    printf '\033[>31u\033[=15;1u\033[>4;2m\033[5 q\033[4h\033[20h\033[?7l\033[?6h\033(0\016'
    printf '\033[1;31;44m\033]8;;http://y/\033\\\033[3;3H'
    printf '\017\033(Ball-on'
";

/// A person at a terminal.
struct Person {
    screen: File,
    terminal: File,
    outer: Terminal,
    attach: Child,
    before: State,
    /// Everything that was written to it.
    heard: Vec<u8>,
}

/// Everything that a terminal is.
#[derive(Debug, PartialEq)]
struct State {
    screen: String,
    modes: String,
}

impl Person {
    fn at(world: &World) -> Self {
        Self::with(world, "--attach", (90, 30), "")
    }

    /// A person whose terminal has this size and was fed `own` before.
    fn with(world: &World, how: &str, (cols, rows): (u16, u16), own: &str) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&screen).expect("granted");
        unlockpt(&screen).expect("unlocked");
        let name = ptsname(&screen, Vec::new()).expect("named");
        let terminal =
            rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).expect("opened");
        let (screen, terminal) = (File::from(screen), File::from(terminal));
        resize(&screen, cols, rows);
        let mut termios = tcgetattr(&terminal).expect("modes");
        termios.local_modes.remove(LocalModes::ECHOE);
        termios.special_codes[SpecialCodeIndex::VKILL] = b'k';
        tcsetattr(&terminal, OptionalActions::Now, &termios).expect("set");
        let mut outer = Terminal::new(Size::clamped(cols, rows));
        outer.feed(own.as_bytes());
        outer.take_events();
        let before = state(&outer, &terminal);
        let end = || Stdio::from(terminal.try_clone().expect("cloned"));
        let mut command = Command::new(host_command());
        command.arg(how).arg(&world.spec.socket).stdin(end()).stdout(end()).stderr(Stdio::piped());
        command.env("TERM", "xterm-256color");
        let attach = command.spawn().expect("started");
        Self { screen, terminal, outer, attach, before, heard: Vec::new() }
    }

    fn state(&self) -> State {
        state(&self.outer, &self.terminal)
    }

    /// Waits until everything is as before; whoever was killed is cleaned up after by somebody else, a moment later.
    #[track_caller]
    fn is_as_before(&mut self, after: &str) {
        let begin = Instant::now();
        self.until(after, |person| person.state() == person.before || begin.elapsed() > LIMIT / 2);
        let now = self.state();
        assert_eq!(now.screen, self.before.screen, "the terminal after {after}");
        assert_eq!(now.modes, self.before.modes, "the line after {after}");
    }

    fn termios(&self) -> Termios {
        tcgetattr(&self.terminal).expect("modes")
    }

    /// Whether a frame has begun and not ended: how much of it one read brings is the kernel's business.
    fn is_in_frame(&self) -> bool {
        let last = |mark: &[u8]| self.heard.windows(mark.len()).rposition(|bytes| bytes == mark);
        last(b"\x1b[?2026h") > last(b"\x1b[?2026l")
    }

    /// Is a terminal until it looks as wanted, between two frames: draws what comes, answers what is asked.
    #[track_caller]
    fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        let mut bytes = [0; 4096];
        while self.is_in_frame() || !wanted(self) {
            let left = LIMIT.saturating_sub(begin.elapsed());
            assert!(!left.is_zero(), "{what} does not come:\n{}\n{:?}", self.rows().join("\n"), self.state().screen);
            // What is wanted may come by another way: the end of a process.
            let step = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
            let ready = poll(&mut [PollFd::new(&self.screen, PollFlags::IN)], Some(&step)).expect("polled");
            if ready > 0 {
                let count = self.screen.read(&mut bytes).expect("read");
                self.heard.extend(&bytes[..count]);
                self.outer.feed(&bytes[..count]);
                for event in self.outer.take_events() {
                    if let TermEvent::Reply(reply) = event {
                        self.screen.write_all(&reply).expect("answered");
                    }
                }
            }
        }
    }

    fn rows(&self) -> Vec<String> {
        (0..self.outer.size().rows).map(|row| self.outer.row_text(row)).collect()
    }

    #[track_caller]
    fn sees(&mut self, text: &str) {
        self.until(text, |person| person.rows().iter().any(|row| row.contains(text)));
    }

    fn types(&mut self, keys: &str) {
        self.screen.write_all(keys.as_bytes()).expect("typed");
    }

    fn is_raw(&self) -> bool {
        !self.termios().local_modes.contains(LocalModes::ICANON)
    }

    fn signal(&self, signal: Signal) {
        kill(self.attach.id(), signal);
    }

    fn resize(&mut self, cols: u16, rows: u16) {
        resize(&self.screen, cols, rows);
        self.outer.resize(Size::clamped(cols, rows));
        // It is nobody's controlling terminal here, so the signal does not come by itself.
        self.signal(Signal::WINCH);
    }

    /// Waits until it ended; what it said last.
    #[track_caller]
    fn ended(&mut self, by: &str) -> String {
        let mut said = self.attach.stderr.take().expect("piped");
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            said.read_to_string(&mut text).map(|_| text)
        });
        self.until(&format!("the end by {by}"), |_| reader.is_finished());
        self.attach.wait().expect("waited");
        reader.join().expect("no panic").expect("text")
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // A stopped process is killed, too.
        let _ = self.attach.kill();
        let _ = self.attach.wait();
    }
}

fn state(outer: &Terminal, terminal: &File) -> State {
    let screen = String::from_utf8(outer.serialise()).expect("text");
    State { screen, modes: format!("{:?}", tcgetattr(terminal).expect("modes")) }
}

fn resize(screen: &File, cols: u16, rows: u16) {
    tcsetwinsize(screen, Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 }).expect("sized");
}

fn shell() -> World {
    script("echo ready; while read -r line; do echo \"<$line>\"; [ \"$line\" = bye ] && exit 4; done").start()
}

fn size_of(world: &World) -> (u16, u16) {
    match world.client().request(&Request::Attach(Default::default())).expect("answered") {
        Reply::Attached(attached) => (attached.size.cols, attached.size.rows),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_person_types_resizes_and_detaches() {
    let world = shell();
    let mut person = Person::at(&world);
    person.sees("ready");
    assert!(person.is_raw());
    person.types("hello\r");
    person.sees("<hello>");
    person.resize(70, 20);
    until(|| (size_of(&world) == (70, 20)).then_some(()));
    person.types("\x1c");
    assert_eq!(person.ended("the detach key"), "Ok(Detached)\n");
    assert!(alive(&world.probe()));
}

type End = Box<dyn Fn(&mut Person, &World)>;

/// How `ao attach` can end, and what it says then.
fn endings() -> Vec<(&'static str, End, &'static str)> {
    fn signal(signal: Signal) -> End {
        Box::new(move |person, _| person.signal(signal))
    }
    vec![
        ("the detach key", Box::new(|person, _| person.types("\x1c")), "Ok(Detached)"),
        ("the detach key of a keyboard protocol", Box::new(|person, _| person.types("\x1b[92;5u")), "Ok(Detached)"),
        ("the program's end", Box::new(|person, _| person.types("x")), "Ok(Ended("),
        ("the host's death", Box::new(|_, world| kill(world.record().pid, Signal::KILL)), "Err(Host("),
        ("SIGHUP", signal(Signal::HUP), "Ok(Interrupted)"),
        ("SIGTERM", signal(Signal::TERM), "Ok(Interrupted)"),
        ("SIGINT", signal(Signal::INT), "Ok(Interrupted)"),
        ("SIGQUIT", signal(Signal::QUIT), "Ok(Interrupted)"),
        ("SIGKILL", signal(Signal::KILL), ""),
        ("SIGABRT", signal(Signal::ABORT), ""),
    ]
}

#[test]
fn the_persons_terminal_is_exactly_as_before_whatever_ends_it() {
    for own in [OWN, "", "\x1b[?1049h\x1b[2;2Hon the alternate screen\x1b7\x1b[H\x1b[2J\x1b8"] {
        for (name, end, said) in endings() {
            let world = script(&format!("stty raw -echo; {ALL_ON} head -c1 >/dev/null")).start();
            let mut person = Person::with(&world, "--attach", (90, 30), own);
            person.sees("all-on");
            let during = person.state();
            assert!(person.is_raw() && during.screen != person.before.screen);
            assert!(
                during.screen.contains("theirs too") && during.screen.contains("\x1b[?1003h"),
                "{:?}",
                during.screen
            );
            end(&mut person, &world);
            let told = person.ended(name);
            assert!(told.starts_with(said), "{name}: {told}");
            person.is_as_before(name);
        }
    }
}

#[test]
fn a_panic_is_told_in_a_terminal_that_is_as_before() {
    let world = script(&format!("stty raw -echo; {ALL_ON} head -c1 >/dev/null; printf 'panic-now'; head -c1")).start();
    let mut person = Person::with(&world, "--panic", (90, 30), OWN);
    person.sees("all-on");
    person.types("x");
    let told = person.ended("a panic");
    assert!(told.contains("as it was told"), "{told}");
    person.is_as_before("a panic");
}

#[test]
fn a_suspended_view_gives_the_terminal_back_and_takes_it_again() {
    let world = script(&format!("stty raw -echo; {ALL_ON} head -c1 >/dev/null; printf ' again'; head -c1")).start();
    let mut person = Person::with(&world, "--attach", (90, 30), OWN);
    person.sees("all-on");
    let during = person.state();
    person.signal(Signal::TSTP);
    person.is_as_before("SIGTSTP");
    let stat = format!("/proc/{}/stat", person.attach.id());
    person.until("the stop", |_| std::fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") T ")));
    person.signal(Signal::CONT);
    person.sees("all-on");
    person.until("all of it", |person| person.state().screen == during.screen);
    person.types("x");
    person.sees("again");
    person.types("\x1c");
    assert_eq!(person.ended("the detach key"), "Ok(Detached)\n");
    person.is_as_before("all that");
}

#[test]
fn the_detach_key_twice_is_typed_and_escape_stays() {
    let world = script("stty raw -echo; : >raw; head -c3 | od -An -tx1; head -c1").start_raw();
    let mut person = Person::with(&world, "--slow", (90, 30), "");
    person.until("raw mode", Person::is_raw);
    person.types("a\x1c");
    person.sees("leaving");
    person.types("\x1b");
    person.until("no bar", |person| !person.rows().iter().any(|row| row.contains("leaving")));
    person.types("\x1c\x1cb");
    person.sees("61 1c 62");
}

#[test]
fn who_only_looks_types_nothing_and_sizes_nothing() {
    let world = shell();
    let mut looking = Person::with(&world, "--look", (60, 10), "");
    looking.sees("ready");
    looking.types("looked\r");
    looking.resize(61, 11);
    let mut person = Person::at(&world);
    person.sees("ready");
    person.types("typed\r");
    person.sees("<typed>");
    looking.sees("<typed>");
    assert_eq!(size_of(&world), (90, 30));
    assert!(!person.rows().iter().any(|row| row.contains("looked")));
    looking.types("\x1c");
    assert_eq!(looking.ended("the detach key"), "Ok(Detached)\n");
}

#[test]
fn a_larger_terminal_shows_where_the_session_ends_and_a_smaller_one_follows_the_cursor() {
    let world = script(
        "stty raw -echo; : >raw; printf '\\033[20;70Hhere'; head -c1; printf '\\033[2J\\033[1;1Hthere'; head -c2",
    );
    let world = world.start_raw();
    let mut owner = world.client();
    attach(&mut owner, Some((80, 24)));
    let mut large = Person::with(&world, "--look", (90, 30), "");
    large.sees("here");
    large.sees("80×24 is the size of another viewer");
    assert_eq!(large.outer.row_text(19).find("here"), Some(69));
    assert!(large.outer.row_text(24).starts_with("────"), "{:?}", large.outer.row_text(24));
    assert!(large.outer.row_text(3).ends_with('│'));
    let mut small = Person::with(&world, "--look", (40, 10), "");
    small.sees("here");
    owner.send(&Request::Input(b"x".to_vec())).expect("sent");
    small.sees("there");
    assert_eq!(small.outer.row_text(0).trim_end(), "there");
    // Whoever types makes the size theirs.
    let mut typing = Person::with(&world, "--attach", (50, 12), "");
    typing.sees("there");
    until(|| (size_of(&world) == (50, 12)).then_some(()));
    owner.send(&Request::Input(b"y".to_vec())).expect("sent");
    until(|| (size_of(&world) == (80, 24)).then_some(()));
    typing.sees("80×24 is the size of another viewer; type to");
}

#[test]
fn history_is_scrolled_by_row_number_while_attached() {
    let world = script("stty -echo; seq -f 'line %g' 1 500; echo the-end; read x; echo later; read x").start();
    let mut person = Person::with(&world, "--attach", (40, 10), "");
    person.sees("the-end");
    // The wheel, where the program does not use it.
    person.types("\x1b[<64;5;5M");
    person.sees("rows above");
    person.sees("line 490");
    person.types("g");
    person.sees("line 1");
    assert_eq!(person.rows()[..2], ["line 1", "line 2"]);
    person.types("\x1b[6~");
    person.sees("line 16");
    // What comes meanwhile does not move what is looked at.
    world.client().request(&Request::Attach(Default::default())).expect("answered");
    person.types("q");
    person.sees("the-end");
    person.types("\r");
    person.sees("later");
    // By keyboard, too.
    person.types("\x1c\x1b[5~");
    person.sees("rows above");
    person.types("\x1b[6~\x1b[6~\x1b[6~");
    person.until("the session", |person| !person.rows().iter().any(|row| row.contains("rows above")));
    person.types("\x1c");
    assert_eq!(person.ended("the detach key"), "Ok(Detached)\n");
}

#[test]
fn mouse_paste_focus_and_keyboard_flags_reach_the_program() {
    let world = script(
        "stty raw -echo; : >raw; printf '\\033[?1003h\\033[?1006h\\033[?1004h\\033[?2004h\\033[>5u\\033[?1hready'
         head -c38 | od -An -c | tr -d ' \\n'; head -c1",
    );
    let world = world.start_raw();
    let mut person = Person::at(&world);
    person.sees("ready");
    let state = person.state().screen;
    for mode in ["\x1b[?1003h", "\x1b[?1006h", "\x1b[?1004h", "\x1b[?2004h", "\x1b[?1h", "\x1b[>5u"] {
        assert!(state.contains(mode), "{mode:?} is not in {state:?}");
    }
    person.types("\x1b[I\x1b[<35;7;3M\x1b[200~a\x1cb\x1b[201~\x1bOA\x1b[97;5u");
    person.sees("033[I033[<35;7;3M033[200~a034b033[201~033OA033[97;5u");
}

#[test]
fn a_bell_and_a_notification_reach_the_persons_terminal() {
    let world =
        script("stty raw -echo; : >raw; head -c1; printf '\\a\\033]9;come here\\033\\\\done'; head -c1").start_raw();
    let mut person = Person::at(&world);
    person.until("raw mode", Person::is_raw);
    person.types("x");
    person.sees("done");
    assert!(contains(&person.heard, "\x07") && contains(&person.heard, "\x1b]9;come here\x1b\\"));
}
