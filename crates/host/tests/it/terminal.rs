//! `ao attach` in a terminal of its own: a person's view.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::world::{LIMIT, World, alive, contains, host_command, kill, script, until};

/// A person at a terminal.
struct Person {
    screen: File,
    terminal: File,
    attach: Child,
    seen: Vec<u8>,
}

impl Person {
    fn at(world: &World) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&screen).expect("granted");
        unlockpt(&screen).expect("unlocked");
        let name = ptsname(&screen, Vec::new()).expect("named");
        let terminal =
            rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).expect("opened");
        let (screen, terminal) = (File::from(screen), File::from(terminal));
        let person_size = Winsize { ws_row: 30, ws_col: 90, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&screen, person_size).expect("sized");
        let end = || Stdio::from(terminal.try_clone().expect("cloned"));
        let mut command = Command::new(host_command());
        command.arg("--attach").arg(&world.spec.socket).stdin(end()).stdout(end()).stderr(end());
        let attach = command.spawn().expect("started");
        Self { screen, terminal, attach, seen: Vec::new() }
    }

    fn sees(&mut self, text: &str) {
        let mut bytes = [0; 4096];
        while !contains(&self.seen, text) {
            let fd = rustix::event::PollFd::new(&self.screen, rustix::event::PollFlags::IN);
            let limit = rustix::event::Timespec { tv_sec: LIMIT.as_secs().cast_signed(), tv_nsec: 0 };
            let ready = rustix::event::poll(&mut [fd], Some(&limit)).expect("polled");
            assert_eq!(ready, 1, "{text:?} does not come; seen: {:?}", String::from_utf8_lossy(&self.seen));
            let count = self.screen.read(&mut bytes).expect("read");
            self.seen.extend(&bytes[..count]);
        }
    }

    fn types(&mut self, keys: &[u8]) {
        self.seen.clear();
        self.screen.write_all(keys).expect("typed");
    }

    fn is_raw(&self) -> bool {
        !tcgetattr(&self.terminal).expect("modes").local_modes.contains(LocalModes::ICANON)
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.attach.kill();
        let _ = self.attach.wait();
    }
}

fn shell() -> World {
    script("echo ready; while read -r line; do echo \"<$line>\"; [ \"$line\" = bye ] && exit 4; done").start()
}

#[test]
fn a_person_types_resizes_detaches_and_finds_their_terminal_as_before() {
    let world = shell();
    let mut person = Person::at(&world);
    person.sees("ready");
    assert!(person.is_raw());
    person.types(b"hello\r");
    person.sees("<hello>");
    let size = Winsize { ws_row: 20, ws_col: 70, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&person.screen, size).expect("sized");
    kill(person.attach.id(), Signal::WINCH);
    let size_is = |cols| {
        world
            .client()
            .request(&ao_host::wire::Request::Attach(Default::default()))
            .is_ok_and(|reply| matches!(reply, ao_host::wire::Reply::Attached(attached) if attached.size.cols == cols))
    };
    until(|| size_is(70).then_some(()));
    person.types(b"\x1c");
    person.sees("Ok(Detached)");
    assert!(contains(&person.seen, "\x1b[?1049l") && contains(&person.seen, "\x1b[?25h"));
    assert!(!person.is_raw());
    assert!(alive(&world.probe()));
}

#[test]
fn the_terminal_is_restored_when_the_program_ends_or_a_signal_comes() {
    let world = shell();
    let mut person = Person::at(&world);
    person.sees("ready");
    kill(person.attach.id(), Signal::HUP);
    person.sees("Ok(Interrupted)");
    assert!(!person.is_raw());
    let mut person = Person::at(&world);
    person.sees("ready");
    person.types(b"bye\r");
    person.sees("Ok(Ended(");
    assert!(!person.is_raw());
}

#[test]
fn the_terminal_is_restored_when_the_host_dies() {
    let world = shell();
    let mut person = Person::at(&world);
    person.sees("ready");
    kill(world.record().pid, Signal::KILL);
    person.sees("Err(Host(");
    assert!(!person.is_raw());
}
