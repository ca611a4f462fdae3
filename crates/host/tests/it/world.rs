//! A session to test against: launch directory, host process, clients; everything is gone when it is dropped.
//!
//! It asserts nothing about hosts beyond "it started".

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use ao_host::client::Client;
use ao_host::discover::{Found, Standing, clear, probe};
use ao_host::engine::Size;
use ao_host::record::{ExitRecord, HostRecord, Tree, read_json};
use ao_host::spec::{Caps, CgroupParent, LaunchSpec};
use ao_host::wire::{Access, Attach, Attached, Child, Push, Reply, Request, Sizing, Stop, Stopped};

/// Longest wait for anything; only a failing test takes that long.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Between two looks: whoever looks all the time takes the processor from what it waits for.
const LOOK_EVERY: Duration = Duration::from_millis(1);

pub struct World {
    root: tempfile::TempDir,
    pub spec: LaunchSpec,
    pub dir: PathBuf,
}

/// The example `host`, if it was built from what these tests were built from.
pub fn host_command() -> PathBuf {
    let exe = std::env::current_exe().expect("a test has a path");
    let target = exe.parent().and_then(Path::parent).expect("target directory");
    let example = target.join("examples/host");
    let built = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    // `--test it` alone builds no examples.
    let fresh = example.exists() && built(&example) >= built(&target.join("libao_host.rlib"));
    assert!(fresh, "{} is old or not there: run `cargo test -p ao-host` without `--test`", example.display());
    example
}

/// A launch that was not started yet.
pub fn launch(argv: &[&str]) -> World {
    let root = tempfile::Builder::new().prefix("aoh").tempdir_in("/tmp").expect("a temp dir with a short path");
    let dir = root.path().join("h-p/sessions/s-1.d/l1");
    let env: BTreeMap<String, String> =
        [("PATH", "/usr/bin:/bin"), ("HOME", "/nonexistent"), ("PS1", "$ ")].map(|(k, v)| (k.into(), v.into())).into();
    let unique = root.path().file_name().expect("named").to_string_lossy().into_owned();
    let spec = LaunchSpec {
        launch: format!("l1-{unique}"),
        session: "s-1".into(),
        argv: argv.iter().map(|&arg| arg.into()).collect(),
        cwd: root.path().to_owned(),
        env,
        size: Size::clamped(80, 24),
        socket: root.path().join("run/s.sock"),
        caps: Caps::default(),
        cgroup: CgroupParent::Own,
        limits: Default::default(),
    };
    World { root, spec, dir }
}

/// A launch of a shell script.
pub fn script(text: &str) -> World {
    launch(&["/bin/sh", "-c", text])
}

impl World {
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Runs the host command and returns what it said.
    pub fn run_host(&self) -> Output {
        Command::new(host_command()).arg(&self.dir).stdin(Stdio::null()).output().expect("the host command runs")
    }

    pub fn start(self) -> Self {
        self.spec.write(&self.dir).expect("launch.json");
        let said = self.run_host();
        assert!(said.status.success() && said.stdout.starts_with(b"started "), "{said:?}");
        self
    }

    /// Starts a script that says with a file `raw` when it has set its terminal up.
    pub fn start_raw(self) -> Self {
        let world = self.start();
        world.file_there("raw");
        world
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.spec.socket, Some(&self.spec.launch)).expect("the host answers")
    }

    pub fn record(&self) -> HostRecord {
        read_json(&self.dir.join("host.json")).expect("host.json")
    }

    pub fn probe(&self) -> Found {
        probe(&self.dir)
    }

    /// Waits until the child's end is known.
    pub fn exit(&self) -> ExitRecord {
        let mut client = self.client();
        watch(&mut client);
        if let Child::Ended { exit } = &client.hello().child {
            return exit.clone();
        }
        wait_push(&mut client, |push| match push {
            Push::ExitIs(exit) => Some(exit),
            _ => None,
        })
    }

    pub fn stop(&self, grace_ms: u64) -> Stopped {
        let mut client = self.client();
        match client.request_within(&Request::Stop(Stop { grace_ms, keys: None }), LIMIT) {
            Ok(Reply::Stopped(stopped)) => stopped,
            other => panic!("stop: {other:?}"),
        }
    }

    /// Waits until a file is there and returns its text without the last newline.
    pub fn file(&self, name: &str) -> String {
        let path = self.root().join(name);
        until(|| fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n'))).trim_end().to_owned()
    }
}

impl World {
    pub fn file_there(&self, name: &str) {
        let path = self.root().join(name);
        until(|| path.exists().then_some(()));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Whatever the test did: stop the session, let the host leave, and wait for that.
        let Ok(record) = read_json::<HostRecord>(&self.dir.join("host.json")) else { return };
        if let Ok(mut client) = Client::connect(&record.socket, None) {
            let _ = client.request_within(&Request::Stop(Stop { grace_ms: 0, keys: None }), LIMIT);
            let _ = client.request(&Request::AckExit);
        } else if record.is_running() == Some(true) {
            kill(record.pid, rustix::process::Signal::KILL);
        }
        let begin = Instant::now();
        while record.is_running() == Some(true) && begin.elapsed() < LIMIT {
            std::thread::sleep(LOOK_EVERY);
        }
        while clear(&record) != Tree::Empty && record.cgroup.is_some() && begin.elapsed() < LIMIT {
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

pub fn kill(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("a pid")).expect("not 0");
    let _ = rustix::process::kill_process(pid, signal);
}

/// Whether a process exists and is not just waiting to be waited for.
pub fn lives(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z')))
}

/// A process that was killed is over: it leaves its group a moment before it is a zombie.
#[track_caller]
pub fn is_over(pid: u32) {
    until(|| (!lives(pid)).then_some(()));
}

/// Tries again until there is something.
#[track_caller]
pub fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < LIMIT, "nothing came of it");
        std::thread::sleep(LOOK_EVERY);
    }
}

#[track_caller]
pub fn wait_push<T>(client: &mut Client, mut pick: impl FnMut(Push) -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        let left = LIMIT.saturating_sub(begin.elapsed());
        let push = client.next_push(left).expect("connected").expect("a push in time");
        if let Some(found) = pick(push) {
            return found;
        }
    }
}

pub fn watch(client: &mut Client) {
    assert_eq!(client.request(&Request::Watch(Default::default())).expect("answered"), Reply::Done);
}

/// Becomes a viewer that types and owns the size.
pub fn attach(client: &mut Client, size: Option<(u16, u16)>) -> Attached {
    let size = size.map(|(cols, rows)| Size::clamped(cols, rows));
    let attach = Attach { size, access: Access::ReadWrite, sizing: Sizing::Own };
    match client.request(&Request::Attach(attach)).expect("answered") {
        Reply::Attached(attached) => attached,
        other => panic!("attach: {other:?}"),
    }
}

/// Collects live bytes until they contain the text.
#[track_caller]
pub fn output_until(client: &mut Client, text: &str) -> Vec<u8> {
    let mut all = Vec::new();
    wait_push(client, |push| {
        if let Push::Output(output) = push {
            all.extend(output.bytes);
        }
        contains(&all, text).then_some(())
    });
    all
}

pub fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Watches until the screen shows the text somewhere; returns all its rows.
#[track_caller]
pub fn screen_until(client: &mut Client, text: &str) -> Vec<String> {
    let mut rows: BTreeMap<u16, String> = BTreeMap::new();
    wait_push(client, |push| {
        if let Push::Screen(screen) = push {
            rows.extend(screen.rows.into_iter().map(|row| (row.row, row.text)));
        }
        rows.values().any(|row| row.contains(text)).then_some(())
    });
    rows.into_values().collect()
}

pub fn alive(found: &Found) -> bool {
    matches!(found.standing, Standing::Alive { .. })
}
