//! Where a rule plays: a directory, a runtime, and launches that are ended however the rule ends.

use super::agent::Agent;
use super::patience::{LIMIT, until};
use super::program::Program;
use ao_core::id::{LaunchId, SessionId};
use ao_slots::runtime::{Abilities, Found, LaunchPlace, LaunchPlan, Runtime};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What a plugin's test brings.
pub trait Maker: Send + Sync {
    /// A runtime as a daemon makes it when it starts. Another call is another daemon over the same launches.
    fn runtime(&self) -> Arc<dyn Runtime>;

    /// Argv that runs a program inside.
    fn argv(&self, program: &Program) -> Vec<String> {
        vec!["/bin/sh".to_owned(), "-c".to_owned(), program.text()]
    }

    /// Completes a plan, with an image for example. `plan.reach` holds the directory of the rule's files.
    fn complete(&self, _plan: &mut LaunchPlan) {}

    /// Variables that the runtime sets or changes by itself, beside those of the plan; documented, and few.
    fn sets(&self) -> &[&str] {
        &[]
    }

    /// Whether what runs inside can be any shell text; a fake knows the named programs alone.
    fn has_shell(&self) -> bool {
        true
    }

    /// Kills what holds the launch without asking it: a host, a server, a container. False: there is no such thing.
    fn tear_away(&self, _plan: &LaunchPlan) -> bool {
        false
    }

    /// Removes what a world made outside its directory; called last, also after a panic.
    fn clean_up(&self, _root: &Path) {}
}

/// One rule's world.
pub struct World {
    /// The plugin's side.
    pub maker: Arc<dyn Maker>,
    root: PathBuf,
    /// Removed last.
    dir: Option<tempfile::TempDir>,
    started: Mutex<Vec<LaunchPlace>>,
}

impl World {
    /// A world of its own.
    #[must_use]
    pub fn new(maker: Arc<dyn Maker>) -> Self {
        // Sockets below it must stay short.
        let dir = tempfile::Builder::new().prefix("aoc").tempdir_in("/tmp").expect("a temporary directory can be made");
        let root = dir.path().canonicalize().expect("it was made just now");
        for name in ["work", "run"] {
            std::fs::create_dir(root.join(name)).expect("the directory is ours");
        }
        Self { maker, root, dir: Some(dir), started: Mutex::default() }
    }

    /// What the runtime declares.
    #[must_use]
    pub fn abilities(&self) -> Abilities {
        self.maker.runtime().abilities()
    }

    /// The working directory of launches.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Plans launch number `n` of session `app-1`, 80 by 24.
    #[must_use]
    pub fn plan_of(&self, n: u32, program: &Program) -> LaunchPlan {
        let unique = self.root.file_name().and_then(|name| name.to_str()).expect("a plain name").replace('.', "-");
        let env = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/nonexistent"), ("TERM", "xterm-256color")];
        let mut plan = LaunchPlan {
            session: SessionId::new("app-1"),
            launch: LaunchId::new(format!("app-1.{unique}.{n}")),
            label: format!("ao-{unique}-app-1"),
            dir: self.root.join("sessions/app-1.d").join(n.to_string()),
            socket: self.root.join("run").join(format!("{n:08}.sock")),
            argv: self.maker.argv(program),
            cwd: self.work(),
            env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            cols: 80,
            rows: 24,
            limits: Default::default(),
            container: None,
            reach: vec![self.root.clone()],
        };
        self.maker.complete(&mut plan);
        plan
    }

    /// Plans the first launch.
    #[must_use]
    pub fn plan(&self, program: &Program) -> LaunchPlan {
        self.plan_of(1, program)
    }

    /// Makes sure that it is ended with the world.
    pub fn note(&self, plan: &LaunchPlan) {
        let place = LaunchPlace { launch: plan.launch.clone(), dir: plan.dir.clone() };
        self.started.lock().unwrap_or_else(PoisonError::into_inner).push(place);
    }

    /// Starts a launch and connects.
    pub async fn start(&self, plan: LaunchPlan) -> Agent {
        self.note(&plan);
        let runtime = self.maker.runtime();
        runtime.ensure(&plan).await.unwrap_or_else(|fault| panic!("a plain launch does not start: {fault}"));
        Agent::connect(runtime, plan).await
    }

    /// Starts a program and waits until it says `ready`.
    pub async fn run(&self, program: &Program) -> Agent {
        let mut agent = self.start(self.plan(program)).await;
        agent.shows("ready").await;
        agent
    }

    /// Lets a program that waits for it go on.
    pub fn go(&self) {
        self.put("go", "");
    }

    /// Writes a file of the launches' directory.
    pub fn put(&self, name: &str, text: &str) {
        std::fs::write(self.work().join(name), text).expect("the directory is ours");
    }

    /// What is in a file of the launches' directory; none while it is not there.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.work().join(name)).ok()
    }

    /// Waits until a file is as wanted, and gives its content.
    pub async fn file(&self, name: &str, wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let found = until(|| async { self.read(name).filter(|bytes| wanted(bytes)) }).await;
        found.unwrap_or_else(|| {
            let now = self.read(name).map(|bytes| shortened(&bytes));
            panic!("the program's file {name} never became what it should: {now:?}")
        })
    }

    /// Waits for a file that ends with a newline, and gives its text without it.
    pub async fn line(&self, name: &str) -> String {
        let bytes = self.file(name, |bytes| bytes.ends_with(b"\n")).await;
        String::from_utf8(bytes).expect("the suite's programs write text").trim_end_matches('\n').to_owned()
    }
}

/// The beginning of what was found, for a message.
fn shortened(bytes: &[u8]) -> String {
    const SHOWN: usize = 400;
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(SHOWN)).unwrap_or_default()).into_owned();
    format!("{} bytes: {text:?}", bytes.len())
}

impl Drop for World {
    fn drop(&mut self) {
        let places = std::mem::take(&mut *self.started.lock().unwrap_or_else(PoisonError::into_inner));
        let maker = self.maker.clone();
        // A panic unwinds through here inside a tokio runtime, where none can be waited for: a thread has its own.
        let ending = std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async {
                for place in places {
                    // What cannot be ended shows in the rule that is about ending.
                    let _ = tokio::time::timeout(LIMIT, end(&*maker.runtime(), &place)).await;
                }
            });
        });
        let _ = ending.join();
        self.maker.clean_up(&self.root);
        drop(self.dir.take());
        // A server that leaves takes its socket away at that very moment, and the removal stops there.
        let begin = Instant::now();
        while self.root.exists() && begin.elapsed() < LIMIT {
            let _ = std::fs::remove_dir_all(&self.root);
        }
    }
}

async fn end(runtime: &dyn Runtime, place: &LaunchPlace) {
    if matches!(runtime.find(place).await, Found::Alive)
        && let Ok(link) = runtime.connect(place).await
        && link.control.stop(0).await.is_ok()
    {
        let _ = link.control.acknowledge_exit().await;
    }
}

/// An environment as text, for comparing: sorted, one variable a line.
#[must_use]
pub(super) fn environment(env: &BTreeMap<String, String>) -> String {
    env.iter().map(|(name, value)| format!("{name}={value:?}\n")).collect()
}
