//! Programs of others that keep terminals as a host does, brought to do the same work in the same run.
//!
//! tmux is used where it is there; packages of npm are installed into a temporary folder, and only when asked for.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::os;

/// What is installed; pinned, because the bars are about these.
const PACKAGES: [&str; 3] = ["pty-manager@1.12.1", "node-pty@1.1.0", "@xterm/headless@5.5.0"];
/// Rows of scrollback, as the host has by default.
const HISTORY: &str = "10000";

/// Whether packages may be installed.
static INSTALLING: OnceLock<()> = OnceLock::new();

/// Allows packages to be installed from now on.
pub fn allow_installing() {
    let _ = INSTALLING.set(());
}

/// What it took to take a program's output in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drain {
    pub wall: Duration,
    /// Of the one who reads, draws and keeps it.
    pub cpu: Duration,
}

/// Whether a program is there, said where it is not.
pub fn is_there(program: &str, version: &str) -> bool {
    let said = Command::new(program).arg(version).stdin(Stdio::null()).output();
    let there = said.is_ok_and(|said| said.status.success());
    if !there {
        println!("skipped: {program} is not installed");
    }
    there
}

/// A tmux server of its own.
#[derive(Debug)]
pub struct Tmux {
    socket: PathBuf,
    server: u32,
}

impl Tmux {
    /// Starts a server that stays; none where there is no tmux, which is said.
    pub fn start(root: &Path) -> Result<Option<Self>> {
        if !is_there("tmux", "-V") {
            return Ok(None);
        }
        let mut tmux = Self { socket: root.join("tmux.sock"), server: 0 };
        let config = root.join("tmux.conf");
        fs::write(
            &config,
            format!("set -g history-limit {HISTORY}\nset -g status off\nset -g default-terminal screen-256color\n"),
        )?;
        let config = config.to_string_lossy();
        tmux.call(&["-f", &config, "new-session", "-d", "-s", "keep", "-x", "120", "-y", "40", "exec cat"])?;
        tmux.server = tmux.call(&["display-message", "-p", "-t", "keep", "#{pid}"])?.trim().parse()?;
        Ok(Some(tmux))
    }

    /// Runs a command of tmux and returns what it prints.
    pub fn call(&self, args: &[&str]) -> Result<String> {
        let said = self.command().args(args).stdin(Stdio::null()).output().context("tmux")?;
        if !said.status.success() {
            bail!("tmux {}: {}", args.join(" "), String::from_utf8_lossy(&said.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&said.stdout).into_owned())
    }

    /// Process id of the server.
    pub const fn server(&self) -> u32 {
        self.server
    }

    /// A client of this server.
    pub fn command(&self) -> Command {
        let mut command = Command::new("tmux");
        let path = std::env::var_os("PATH").unwrap_or_default();
        command
            .env_clear()
            .env("PATH", path)
            .env("LANG", "C.UTF-8")
            .env("TERM", "xterm-256color")
            .env("HOME", "/nonexistent");
        command.arg("-u").arg("-S").arg(&self.socket);
        command
    }

    /// Lets a session of its own print a file.
    pub fn drain(&self, file: &Path) -> Result<Drain> {
        let done = format!("tmux -S {} wait-for -S done", self.socket.display());
        let script = format!("cat {}; {done}", file.display());
        let (before, begin) = (os::cpu_clock(self.server)?, Instant::now());
        self.call(&["new-session", "-d", "-s", "work", "-x", "120", "-y", "40", &script])?;
        self.call(&["wait-for", "done"])?;
        let drain = Drain { wall: begin.elapsed(), cpu: os::cpu_clock(self.server)?.saturating_sub(before) };
        // It may have ended by itself.
        let _ = self.call(&["kill-session", "-t", "work"]);
        Ok(drain)
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // Gone already: the same.
        let _ = self.call(&["kill-server"]);
    }
}

/// Terminals of node, installed for this run.
#[derive(Debug)]
pub struct Node {
    dir: PathBuf,
}

impl Node {
    /// Installs them; none where that was not asked for or is not possible, which is said.
    pub fn install(root: &Path) -> Result<Option<Self>> {
        if INSTALLING.get().is_none() {
            println!("skipped: {} (--peers installs them into a temporary folder)", PACKAGES.join(", "));
            return Ok(None);
        }
        if !is_there("node", "--version") || !is_there("npm", "--version") {
            return Ok(None);
        }
        let dir = root.join("node");
        fs::create_dir(&dir)?;
        println!("installing {} into {}", PACKAGES.join(", "), dir.display());
        fs::write(dir.join("package.json"), "{}")?;
        let mut install = Command::new("npm");
        install.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]).args(PACKAGES).current_dir(&dir);
        let said = install.stdin(Stdio::null()).output().context("npm")?;
        if !said.status.success() {
            println!("skipped: npm install failed: {}", String::from_utf8_lossy(&said.stderr).trim());
            return Ok(None);
        }
        fs::write(dir.join("npm_pty.js"), include_str!("peer/npm_pty.js"))?;
        fs::write(dir.join("npm_xterm.js"), include_str!("peer/npm_xterm.js"))?;
        Ok(Some(Self { dir }))
    }

    /// pty-manager prints a file.
    pub fn pty_manager(&self, file: &Path) -> Result<Drain> {
        self.run("npm_pty.js", file)
    }

    /// node-pty with @xterm/headless prints a file.
    pub fn xterm_headless(&self, file: &Path) -> Result<Drain> {
        self.run("npm_xterm.js", file)
    }

    fn run(&self, script: impl AsRef<OsStr>, file: &Path) -> Result<Drain> {
        let said =
            Command::new("node").arg(script.as_ref()).arg(file).current_dir(&self.dir).stdin(Stdio::null()).output()?;
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let times: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [wall, cpu] = times[..] else { bail!("node: {}", String::from_utf8_lossy(&said.stderr).trim()) };
        Ok(Drain { wall: Duration::from_secs_f64(wall / 1000.0), cpu: Duration::from_secs_f64(cpu / 1000.0) })
    }
}
