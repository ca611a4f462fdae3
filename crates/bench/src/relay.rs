//! The floor of two processes between a key and its echo: bytes are passed on over TCP, a local socket and a terminal, and
//! nothing looks at them. Threads stand for the processes, which is a little kinder.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, poll};

use crate::terminal;

/// A program on a terminal behind two who pass bytes on.
#[derive(Debug)]
pub struct Relay {
    stream: TcpStream,
    child: Child,
}

impl Relay {
    /// Starts the program and the two.
    pub fn start(mut command: Command) -> Result<Self> {
        let (host_end, program_end): (OwnedFd, OwnedFd) = terminal::open()?;
        terminal::attach(&mut command, program_end)?;
        let (above, below) = UnixStream::pair()?;
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let stream = TcpStream::connect(listener.local_addr()?)?;
        let (far, _) = listener.accept()?;
        for end in [&stream, &far] {
            end.set_nodelay(true)?;
        }
        let child = command.spawn()?;
        std::thread::spawn(move || pass(far, above));
        std::thread::spawn(move || pass(below, File::from(host_end)));
        Ok(Self { stream, child })
    }

    /// Presses a key and waits for its echo.
    pub fn press(&mut self, key: u8) -> Result<()> {
        self.stream.write_all(&[key])?;
        let mut bytes = [0; 4096];
        loop {
            let count = self.stream.read(&mut bytes)?;
            anyhow::ensure!(count > 0, "the relay has ended");
            if bytes[..count].contains(&key) {
                return Ok(());
            }
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The two end one after the other with their ends; gone already is the same.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Passes bytes on in both directions until one side ends.
fn pass(mut one: impl Read + Write + AsFd, mut other: impl Read + Write + AsFd) {
    let mut bytes = [0; 4096];
    loop {
        let mut fds = [PollFd::new(&one, PollFlags::IN), PollFd::new(&other, PollFlags::IN)];
        if poll(&mut fds, None).is_err() {
            return;
        }
        let [from_one, from_other] = fds.map(|fd| !fd.revents().is_empty());
        if from_one && !pass_once(&mut one, &mut other, &mut bytes) {
            return;
        }
        if from_other && !pass_once(&mut other, &mut one, &mut bytes) {
            return;
        }
    }
}

fn pass_once(from: &mut impl Read, to: &mut impl Write, bytes: &mut [u8]) -> bool {
    matches!(from.read(bytes), Ok(count @ 1..) if to.write_all(&bytes[..count]).is_ok())
}
