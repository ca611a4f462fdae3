//! Runtime `tmux`: sessions live in a tmux server of our own, where a person can attach with tmux itself.
//!
//! tmux keeps the terminal, the screen and the exit code while the daemon is away, and passes what is written to a log that
//! is read for titles and marks. What it cannot do is not declared: it keeps no bytes, and holds no processes together; `ao exec-launch` puts each agent into a control group of
//! its own, where there are any.

mod commands;
mod control;
mod ended;
mod link;
mod pane;
mod screen;
mod server;
mod tree;
mod viewers;

use crate::exec::Environment;
use crate::runtime::process::exit::exit_of;
use ao_core::id::LaunchId;
use ao_core::kind::{Fault, Kind};
use ao_host::exec_launch::AgentRecord;
use ao_host::platform::{self, Bound, CannotKeep, Keeper};
use ao_host::record::{Ending, LAUNCH_FILE, Tree};
use ao_host::spec::{self, Caps, CgroupParent, LaunchSpec};
use ao_slots::Answer;
use ao_slots::runtime::{Abilities, Found, LaunchPlace, LaunchPlan, Link, Remains, Runtime};
use async_trait::async_trait;
use commands::TmuxControl;
use link::{Ends, PUSHES, Place, REQUESTS};
use pane::{Pane, TmuxRecord};
use server::{Refused, Server, senseless};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell, mpsc};
use tokio::time::{Instant, sleep};
use tree::Family;

/// A server makes its socket anew within a moment of being asked.
const SOCKET_AGAIN_WITHIN: Duration = Duration::from_secs(2);
/// How often a server is asked to wait for a program that seems to have ended; one may go on without its terminal.
const NUDGES: u32 = 5;
/// Between two looks whether it has.
const SOCKET_AGAIN: Duration = Duration::from_millis(20);

/// The command that joins a session of this data root by tmux itself: `run` is the directory of its sockets, `label` the name
/// that its launches have ([`LaunchPlan::label`]).
#[must_use]
pub fn joining(run: &Path, label: &str, read_only: bool) -> Vec<String> {
    let socket = server::socket_in(run).display().to_string();
    let mut words: Vec<String> = ["tmux", "-u", "-S", &socket, "attach"].map(str::to_owned).to_vec();
    if read_only {
        words.push("-r".to_owned());
    }
    words.extend(["-t".to_owned(), format!("={label}")]);
    words
}

/// Whether a launch with this directory was started in tmux.
#[must_use]
pub fn is_in_tmux(launch_dir: &Path) -> bool {
    matches!(TmuxRecord::read(launch_dir), Ok(Some(_)))
}

/// Sessions in tmux.
#[derive(Debug)]
pub struct TmuxRuntime {
    ao: PathBuf,
    env: Environment,
    /// tmux was found to be new enough.
    checked: OnceCell<()>,
    /// One start at a time: looking and starting are two steps.
    starting: Mutex<()>,
}

impl TmuxRuntime {
    /// Agents are started by `{ao} exec-launch {launch directory}`; tmux is found by the environment's `PATH`.
    #[must_use]
    pub fn new(ao: PathBuf, env: Environment) -> Self {
        Self { ao, env, checked: OnceCell::new(), starting: Mutex::const_new(()) }
    }

    /// What tmux calls itself.
    ///
    /// # Errors
    /// When it is not there, or too old, with what to install.
    pub async fn version(&self) -> Answer<String> {
        Server::on(&self.env, PathBuf::new()).check().await
    }

    /// Looks at a launch, and says by the way what is known of it.
    async fn look(&self, dir: &Path, launch: &LaunchId) -> Standing {
        if let Some(exit) = pane::exit(dir) {
            return Standing::Over(Some(Box::new(exit)));
        }
        let record = match TmuxRecord::read(dir) {
            Ok(Some(record)) => record,
            Ok(None) => return Standing::NotStarted,
            Err(e) => return Standing::Unknown(format!("{}: {e}", dir.display())),
        };
        let server = Server::on(&self.env, record.socket.clone());
        match look_again(&server, &record, launch).await {
            Ok(Some(pane)) if pane.ending.is_some() => match pane::settle(&server, &record, dir, &pane).await {
                Ok(exit) => {
                    // Everything of it is in files now. What stays open is closed by the next look.
                    if let Err(fault) = commands::close(&server, &record, dir).await {
                        tracing::debug!(%fault, %launch, "a tmux session that is over stays open");
                    }
                    Standing::Over(Some(Box::new(exit)))
                }
                Err(fault) => Standing::Unknown(fault.message),
            },
            Ok(Some(pane)) => Standing::Runs(Box::new(Place { server, record, dir: dir.to_owned(), pane })),
            // The server, or somebody, took the pane away before its end was seen.
            Ok(None) if begun(dir) => Standing::Over(None),
            Ok(None) => Standing::NotStarted,
            Err(why) => Standing::Unknown(why),
        }
    }

    /// Starts the agent in a session of the server, which is started with the first one.
    async fn start(&self, server: &Server, plan: &LaunchPlan) -> Answer<()> {
        let dir = plan.dir.to_str().ok_or_else(|| Fault::invalid(format!("{}: not UTF-8", plan.dir.display())))?;
        let ao = self.ao.to_str().ok_or_else(|| Fault::invalid(format!("{}: not UTF-8", self.ao.display())))?;
        let size = pane::size(plan.cols, plan.rows);
        let (cols, rows, history) = (size.cols.to_string(), size.rows.to_string(), pane::HISTORY.to_string());
        let (key, name) = (pane::key(&plan.launch), &plan.label);
        let dir_text = dir;
        let (exact, dir, ao) = (format!("={name}:"), word(dir), word(ao));
        let window = plan.launch.as_str().replace(['.', ':'], "-");
        // Nothing of this is secret: the environment is in a file of the launch.
        let options = [
            ["set-option", "-g", "remain-on-exit", "on"],
            ["set-option", "-g", "remain-on-exit-format", ""],
            ["set-option", "-g", "history-limit", &history],
            ["set-option", "-g", "automatic-rename", "off"],
            ["set-option", "-g", "allow-rename", "off"],
            ["set-option", "-g", "update-environment", ""],
        ];
        let new = [
            "new-session",
            "-d",
            "-s",
            name,
            "-n",
            &window,
            "-x",
            &cols,
            "-y",
            &rows,
            "-P",
            "-F",
            "#{pid}",
            "--",
            &ao,
            "exec-launch",
            &dir,
        ];
        let launch_option = ["set-option", "-p", "-t", &exact, pane::LAUNCH_OPTION, &key];
        let dir_option = ["set-option", "-p", "-t", &exact, pane::DIR_OPTION, &dir];
        // tmux 3.3 dies of a new session when this is a global option.
        let sizing = ["set-option", "-w", "-t", &exact, "window-size", "manual"];
        let log = screen::Log::command(dir_text);
        let log = word(&log);
        let piping = ["pipe-pane", "-O", "-t", &exact, &log];
        let options = options.iter().map(<[&str; 4]>::as_slice);
        let commands: Vec<&[&str]> =
            options.chain([new.as_slice(), &launch_option, &dir_option, &sizing, &piping]).collect();
        let commands = commands.join(&";");
        let said = match server.run(&commands).await {
            // The server of earlier sessions left at that moment; now a new one is started.
            Err(Refused::NoServer(_)) => server.run(&commands).await?,
            other => other?,
        };
        let pid: u32 = said.trim().parse().map_err(|_| senseless("a new session", &said))?;
        let record = TmuxRecord {
            server: pid,
            server_ticks: platform::start_ticks(pid).unwrap_or(0),
            boot_id: platform::boot_id(),
            ..record_of(server, plan)
        };
        record.write(&plan.dir).map_err(|e| storage(&plan.dir, &e))
    }

    /// Takes the name of a session back from an earlier launch that has ended.
    async fn clear(server: &Server, plan: &LaunchPlan) -> Answer<()> {
        let filter = format!("#{{==:#{{session_name}},{}}}", plan.label);
        let format = format!("{}|#{{{}}}", pane::PANE, pane::DIR_OPTION);
        let said = match pane::list(server, &filter, &format).await {
            Ok(said) => said,
            Err(Refused::NoServer(_)) => return Ok(()),
            Err(refused) => return Err(refused.into()),
        };
        let mut found = false;
        for line in said.lines() {
            let fields: Vec<&str> = line.splitn(6, '|').collect();
            let [.., dir] = fields[..] else { continue };
            found = true;
            if dir.is_empty() {
                // A window that a person opened there goes with the session.
                continue;
            }
            let earlier =
                pane::pane_of(line.strip_suffix(dir).and_then(|line| line.strip_suffix('|')).unwrap_or(line))?;
            if earlier.ending.is_none() {
                return Err(Fault::conflict(format!(
                    "an earlier launch of session {} still runs in tmux",
                    plan.session
                ))
                .hint(format!(
                    "`tmux -S {} attach -t ={}` shows it",
                    server.socket().display(),
                    plan.label
                )));
            }
            let dir = Path::new(dir);
            if let Ok(Some(record)) = TmuxRecord::read(dir) {
                pane::settle(server, &record, dir, &earlier).await?;
            }
        }
        if found {
            server.run(["kill-session", "-t", &format!("={}", plan.label)]).await?;
        }
        Ok(())
    }
}

/// What is known of a launch.
enum Standing {
    /// It was not started, or nobody can tell that it was.
    NotStarted,
    /// It runs.
    Runs(Box<Place>),
    /// It is over; without a record its end was not seen.
    Over(Option<Box<ao_host::record::ExitRecord>>),
    /// Nobody knows.
    Unknown(String),
}

/// An argument of tmux's command line: one that ends with `;` would end the command.
fn word(text: &str) -> String {
    match text.strip_suffix(';') {
        Some(rest) => format!("{rest}\\;"),
        None => text.to_owned(),
    }
}

fn storage(dir: &Path, e: &io::Error) -> Fault {
    Fault::new(Kind::StorageFailed, format!("{}: {e}", dir.display()))
}

/// Whether the agent of a launch began, whatever became of it.
fn begun(dir: &Path) -> bool {
    AgentRecord::read(dir).is_some()
}

/// What is left of a launch's processes.
fn left_behind(dir: &Path) -> Remains {
    let Some(agent) = AgentRecord::read(dir) else { return Remains::Unknown };
    match pane::tree(&agent) {
        Tree::Empty => Remains::None,
        Tree::Left { pids } => Remains::Left { pids },
        Tree::Unknown => Remains::Unknown,
    }
}

fn record_of(server: &Server, plan: &LaunchPlan) -> TmuxRecord {
    TmuxRecord {
        launch: plan.launch.to_string(),
        session: plan.session.to_string(),
        socket: server.socket().to_owned(),
        name: plan.label.clone(),
        server: 0,
        server_ticks: 0,
        boot_id: String::new(),
    }
}

/// Looks for a pane; a server whose socket was deleted is asked to make it again.
async fn look_again(server: &Server, record: &TmuxRecord, launch: &LaunchId) -> Result<Option<Pane>, String> {
    let (mut until, mut nudges) = (None, 0);
    loop {
        match pane::look(server, launch).await {
            Ok(Some(pane)) if pane.closed && nudges < NUDGES => {
                nudges += 1;
                record.nudge();
                sleep(SOCKET_AGAIN).await;
            }
            Ok(pane) => return Ok(pane),
            Err(Refused::NoServer(_)) if !record.server_runs() => return Ok(None),
            Err(Refused::NoServer(words)) => {
                let now = Instant::now();
                let until = *until.get_or_insert_with(|| {
                    let pid = i32::try_from(record.server).ok().and_then(rustix::process::Pid::from_raw);
                    // It is the very process that was started; one that is gone shows in the next look.
                    let _ = pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::USR1));
                    now + SOCKET_AGAIN_WITHIN
                });
                if now > until {
                    return Err(format!("the tmux server runs and does not answer: {words}"));
                }
                sleep(SOCKET_AGAIN).await;
            }
            Err(refused) => return Err(Fault::from(refused).message),
        }
    }
}

/// Whether limits can be kept here, before anything is started under them.
fn keeps(plan: &LaunchPlan) -> Answer<()> {
    let limits = plan.limits;
    if limits.is_none() {
        return Ok(());
    }
    for (bound, keeper) in platform::control_groups().keepers {
        let asked = match bound {
            Bound::Memory => limits.memory_bytes.is_some(),
            Bound::Processes => limits.processes.is_some(),
            Bound::Cpu => limits.cpu_percent.is_some(),
        };
        if let (true, Keeper::Nobody { why }) = (asked, keeper) {
            return Err(Fault::new(Kind::Unsupported, CannotKeep { bound, why }.to_string()));
        }
    }
    Ok(())
}

#[async_trait]
impl Runtime for TmuxRuntime {
    fn abilities(&self) -> Abilities {
        let groups = platform::control_groups();
        let keeps = |keeper: &Keeper| !matches!(keeper, Keeper::Nobody { .. });
        Abilities {
            byte_log: false,
            screen: true,
            exit_code: true,
            tree: groups.writable,
            typing_log: true,
            history: true,
            views: true,
            limits: groups.keepers.iter().any(|(_, keeper)| keeps(keeper)),
            usage: groups.writable,
            freeze: groups.writable,
        }
    }

    async fn ensure(&self, plan: &LaunchPlan) -> Answer<()> {
        let server = Server::beside(&self.env, &plan.socket);
        self.checked.get_or_try_init(|| async { server.check().await.map(drop) }).await?;
        let _one = self.starting.lock().await;
        match self.look(&plan.dir, &plan.launch).await {
            Standing::Runs(_) | Standing::Over(_) => return Ok(()),
            Standing::NotStarted => {}
            Standing::Unknown(why) => return Err(Fault::unavailable(why)),
        }
        keeps(plan)?;
        let spec = LaunchSpec {
            launch: plan.launch.to_string(),
            session: plan.session.to_string(),
            argv: plan.argv.clone(),
            cwd: plan.cwd.clone(),
            env: plan.env.clone(),
            size: pane::size(plan.cols, plan.rows),
            socket: plan.socket.clone(),
            caps: Caps::default(),
            limits: spec::Limits {
                memory_bytes: plan.limits.memory_bytes,
                processes: plan.limits.processes,
                cpu_percent: plan.limits.cpu_percent,
            },
            cgroup: CgroupParent::Own,
        };
        let parent = plan.socket.parent().unwrap_or(Path::new("/"));
        ao_host::files::private_dir(parent).map_err(|e| storage(parent, &e))?;
        let written = spec.write(&plan.dir).and_then(|()| record_of(&server, plan).write(&plan.dir));
        written.map_err(|e| storage(&plan.dir.join(LAUNCH_FILE), &e))?;
        Self::clear(&server, plan).await?;
        match self.start(&server, plan).await {
            Ok(()) => Ok(()),
            // Another daemon may have been faster: what counts is that it runs.
            Err(fault) => match self.look(&plan.dir, &plan.launch).await {
                Standing::Runs(_) | Standing::Over(_) => Ok(()),
                Standing::NotStarted | Standing::Unknown(_) => Err(fault),
            },
        }
    }

    async fn find(&self, place: &LaunchPlace) -> Found {
        match self.look(&place.dir, &place.launch).await {
            Standing::Runs(_) => Found::Alive,
            Standing::Over(exit) => Found::Dead(exit.as_deref().map(exit_of)),
            // A launch that was written down and never started has nothing that could be alive.
            Standing::NotStarted => Found::Dead(None),
            Standing::Unknown(why) => Found::Unknown(why),
        }
    }

    async fn remains(&self, place: &LaunchPlace) -> Remains {
        let dir = place.dir.clone();
        let looked = tokio::task::spawn_blocking(move || left_behind(&dir));
        looked.await.unwrap_or_default()
    }

    async fn clear(&self, place: &LaunchPlace) -> Remains {
        let dir = place.dir.clone();
        let ended = tokio::task::spawn_blocking(move || {
            let Some(agent) = AgentRecord::read(&dir) else { return };
            let mut family = Family::of(agent.pid, &dir);
            family.end(Duration::ZERO);
            family.remove();
        });
        if ended.await.is_err() {
            return Remains::Unknown;
        }
        self.remains(place).await
    }

    async fn connect(&self, place: &LaunchPlace) -> Answer<Link> {
        let gone = || Fault::unavailable(format!("launch {} does not run in tmux", place.launch));
        let found = match self.look(&place.dir, &place.launch).await {
            Standing::Runs(found) => found,
            Standing::Over(Some(exit)) if !matches!(exit.ending, Ending::NotStarted { .. }) => {
                // Its terminal may still be there, to be looked at and noted.
                let record = TmuxRecord::read(&place.dir).ok().flatten().ok_or_else(gone)?;
                let server = Server::on(&self.env, record.socket.clone());
                let pane = pane::look(&server, &place.launch).await?.ok_or_else(gone)?;
                Box::new(Place { server, record, dir: place.dir.clone(), pane })
            }
            Standing::Over(_) | Standing::NotStarted => return Err(gone()),
            Standing::Unknown(why) => return Err(Fault::unavailable(why)),
        };
        link::drop_orphans(&found.server, &found.record.name).await;
        let options = found.server.run(["show-options", "-p", "-t", &found.pane.id]).await?;
        let mut seen = screen::Seen::read(&place.dir);
        // A stage may have been typed after the last screen was told.
        let typed = commands::stages(&options).iter().map(|stage| stage.offset).max().unwrap_or(0);
        seen.told = seen.told.max(typed);
        let found = Arc::new(*found);
        let (requests, asked) = mpsc::channel(REQUESTS);
        let (pushes, receiver) = mpsc::channel(PUSHES);
        let offset = Arc::new(AtomicU64::new(seen.told));
        link::start(found.clone(), seen, Ends { requests: asked, pushes, offset: offset.clone() }).await?;
        Ok(Link { control: Box::new(TmuxControl { place: found, requests, offset }), pushes: receiver })
    }
}
