//! A data root, a repository and an agent on the PATH, and the few things that are done there by `ao`.

use crate::tui::{Manners, NOTES};
use serde_json::Value;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A verb that finds no daemon, again and again, is repeated for so long by the person who typed it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The place; what was started there ends with it.
pub struct Place {
    dir: tempfile::TempDir,
    ao: PathBuf,
    notes: PathBuf,
}

impl Place {
    /// `agent` is the command that plays the agent, called `claude` there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(ao: &Path, agent: &[String], manners: &Manners) -> io::Result<Self> {
        // Short: sockets lie in it.
        let dir = tempfile::Builder::new().prefix("ao").tempdir_in("/tmp")?;
        let root = fs::canonicalize(dir.path())?;
        let place = Self { dir, ao: ao.to_owned(), notes: root.join("notes") };
        for made in ["app", "user", "notes", "bin"] {
            fs::create_dir(root.join(made))?;
        }
        fs::write(place.notes.join("manners.json"), serde_json::to_vec(manners)?)?;
        let quoted: Vec<String> = agent.iter().map(|word| format!("'{word}'")).collect();
        let notes = place.notes.display();
        let script = format!(
            "#!/bin/sh\ncase \"$1\" in --version) echo '2.1.197 (Claude Code)';; *) {NOTES}='{notes}' exec {};; esac\n",
            quoted.join(" ")
        );
        let program = bin(&root).join("claude");
        crate::contract::repo::program(&program, &script);
        for args in [
            &["init", "--quiet", "--initial-branch=main"][..],
            &["-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "-q", "--allow-empty", "-m", "First"],
        ] {
            must(place.program(Path::new("git")).args(args).output()?, "git")?;
        }
        Ok(place)
    }

    /// The repository.
    #[must_use]
    pub fn repo(&self) -> PathBuf {
        self.dir.path().join("app")
    }

    /// The data root.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("h")
    }

    /// Where the agents note what they were given.
    #[must_use]
    pub fn notes(&self) -> &Path {
        &self.notes
    }

    fn program(&self, program: &Path) -> Command {
        let root = self.dir.path();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", format!("{}:{path}", bin(root).display()))
            .env("HOME", root.join("user"))
            .env("AO_HOME", root.join("h"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LANG", "C.UTF-8")
            .env("AO_PLACES", "200")
            .current_dir(root.join("app"))
            .stdin(Stdio::null());
        command
    }

    /// Calls `ao` in the repository.
    ///
    /// # Errors
    /// When it cannot be called; that it fails is none.
    pub fn ao(&self, args: &[&str]) -> io::Result<Output> {
        self.program(&self.ao).args(args).output()
    }

    /// Calls `ao` as somebody who calls again what was broken off and may be repeated.
    fn again(&self, args: &[&str]) -> io::Result<Output> {
        let begun = Instant::now();
        loop {
            let ran = self.ao(args)?;
            if ran.status.success() || begun.elapsed() > PATIENCE {
                return must(ran, args.first().copied().unwrap_or("ao"));
            }
        }
    }

    /// Starts a session without a prompt; its id.
    pub fn new_session(&self) -> io::Result<String> {
        let said = self.ao(&["--json", "new", "--agent", "claude-code", "--no-prompt"])?;
        let answer: Value = serde_json::from_slice(&must(said, "ao new")?.stdout)?;
        answer["id"].as_str().map(str::to_owned).ok_or_else(|| io::Error::other(format!("no id in {answer}")))
    }

    /// Sends a prompt, once: what `ao` does when the daemon dies meanwhile is its own affair.
    pub fn send(&self, id: &str, text: &str) -> io::Result<()> {
        let mut child = self
            .program(&self.ao)
            .args(["send", id, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(text.as_bytes())?;
        }
        must(child.wait_with_output()?, "ao send").map(drop)
    }

    /// Presses keys as a person at the terminal. When it fails nobody knows whether they were pressed.
    pub fn press(&self, id: &str, keys: &str) -> io::Result<bool> {
        let path = format!("/api/sessions/{id}/keys");
        Ok(self.ao(&["api", "POST", &path, "-d", keys])?.status.success())
    }

    /// What `ao` says of a session, and what is on its screen.
    pub fn look(&self, id: &str) -> io::Result<String> {
        let text = |ran: Output| String::from_utf8_lossy(&ran.stdout).into_owned();
        Ok(text(self.ao(&["explain", id])?) + &text(self.ao(&["logs", id])?))
    }

    pub fn stop(&self, id: &str) -> io::Result<()> {
        self.again(&["stop", id]).map(drop)
    }

    pub fn start_daemon(&self) -> io::Result<()> {
        self.again(&["daemon", "start"]).map(drop)
    }

    /// Kills whatever daemon has the data root; whether there was one.
    pub fn kill_daemon(&self) -> io::Result<bool> {
        let Ok(text) = fs::read(self.dir.path().join("h/daemon.json")) else { return Ok(false) };
        let file: Value = serde_json::from_slice(&text)?;
        let pid = file["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
        let Some(pid) = pid else { return Ok(false) };
        Ok(rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for verb in [["stop", "--all"], ["daemon", "stop"]] {
            let ended = self.ao(&verb).and_then(|ran| must(ran, "the end"));
            // A test that fails already says why.
            if !std::thread::panicking() {
                ended.unwrap_or_else(|e| panic!("{verb:?} left something behind: {e}"));
            }
        }
    }
}

/// Where the agents' program is looked for.
fn bin(root: &Path) -> PathBuf {
    root.join("bin")
}

fn must(ran: Output, what: &str) -> io::Result<Output> {
    if ran.status.success() {
        return Ok(ran);
    }
    Err(io::Error::other(format!("{what}: {}", String::from_utf8_lossy(&ran.stderr).trim())))
}
