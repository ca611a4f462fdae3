//! The whole of it: launches, kills, moments, and the look at what was written and what is left.

use crate::child::{self, BEGIN, ENOUGH, records};
use crate::moment;
use crate::world::{World, until};
use ao_host::discover::Standing;
use ao_host::files::{IndexKind, read_index, read_output};
use ao_host::record::HostRecord;
use ao_testkit::dice::Dice;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Sessions that write numbers, unless `AO_CHAOS_WRITERS` says otherwise.
const WRITERS: u64 = 30;
/// Sessions that draw.
const PAINTERS: u64 = 4;
/// Kills of the daemon, and moments of viewers, unless `AO_CHAOS_KILLS` says otherwise.
const KILLS: u64 = 100;
/// Writers that are asked for while daemons are killed: their launches are cut in the middle.
const LATE: u64 = 8;
/// Sockets that a daemon has while it runs.
const OF_DAEMON: [&str; 3] = ["daemon.sock", "hooks.sock", "leave.sock"];
/// A kill comes so long after whatever happened last, at the most.
const LATER: u64 = 120;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

struct Chaos {
    world: World,
    seed: u64,
    dice: Dice,
    kills: u64,
    /// Moments of the host's description in mid-sequence.
    cut: u64,
}

impl Chaos {
    fn new_session(&self, part: &str, n: u64) -> Vec<String> {
        let command = child::command(part, n, &self.world.parts(), self.seed);
        let name = format!("{part}-{n}");
        let words =
            ["--json", "new", &name, "--name", &name, "--agent", "shell", "--no-prompt", "--", "sh", "-c", &command];
        words.map(str::to_owned).to_vec()
    }

    fn start(&self, part: &str, n: u64) {
        let words = self.new_session(part, n);
        self.world.must(&words.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn started(&self, part: &str, n: u64) -> bool {
        child::note(&self.world.parts(), part, n, "started").exists()
    }

    fn pause(&mut self) {
        std::thread::sleep(Duration::from_micros(self.dice.below(LATER * 1000)));
    }

    /// Kills the daemon once, at a moment that nobody chose.
    fn kill(&mut self) {
        let mut daemon = self.world.daemon();
        if self.dice.below(3) > 0 {
            daemon.ready();
        }
        self.pause();
        daemon.kill();
        self.kills += 1;
    }

    /// Kills the daemon while a session is being made. Its client may fail, or start a daemon of its own.
    fn kill_while_starting(&mut self, n: u64) {
        let mut daemon = self.world.daemon();
        daemon.ready();
        let words = self.new_session("writer", n);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut client = self.world.command(&words);
        let client = client.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn();
        self.pause();
        self.pause();
        daemon.kill();
        client.expect("it started").wait().expect("it ends");
        self.kills += 1 + u64::from(self.world.kill_named());
    }

    /// The host of a session by its name.
    fn host(&self, name: &str) -> (PathBuf, HostRecord) {
        let list: Value = serde_json::from_str(&self.world.must(&["--json", "list"])).expect("JSON");
        let session = list["sessions"].as_array().expect("sessions").iter().find(|s| s["name"] == name);
        let id =
            session.unwrap_or_else(|| panic!("{name} is listed: {list}"))["id"].as_str().expect("an id").to_owned();
        let mut found =
            self.world.launches().into_iter().filter(|f| f.record.as_ref().is_some_and(|r| r.session == id));
        let one = found.next().expect("it was launched");
        assert!(found.next().is_none(), "{name} was launched once");
        assert!(matches!(one.standing, Standing::Alive { .. }), "{name}: {:?}", one.standing);
        (one.launch_dir, one.record.expect("it was looked for"))
    }
}

/// Everything that a launch wrote, of which nothing may be missing.
fn log(name: &str, dir: &Path) -> Vec<u8> {
    let index = read_index(dir).expect("an index");
    let gap = index.iter().find(|record| matches!(record.kind, IndexKind::Gap { .. }));
    assert_eq!(gap, None, "{name} has a gap");
    let (from, bytes) = read_output(dir, 0, usize::MAX).expect("a log");
    assert_eq!(from, 0, "{name} is kept from its first byte");
    let begin = bytes.windows(BEGIN.len()).position(|window| window == BEGIN).expect("the part began");
    bytes[begin + BEGIN.len()..].to_vec()
}

/// Waits until a part has said how much it wrote and its host has written that down; returns what is on the disk.
fn whole(chaos: &Chaos, part: &str, n: u64, dir: &Path) -> Vec<u8> {
    let name = format!("{part}-{n}");
    let said = child::note(&chaos.world.parts(), part, n, "written");
    until(&format!("{name} says how much it wrote"), || said.exists());
    let written: usize = fs::read_to_string(said).expect("its words").trim().parse().expect("a number");
    let mut bytes = Vec::new();
    until(&format!("the log of {name} holds {written} bytes"), || {
        bytes = log(&name, dir);
        bytes.len() >= written
    });
    assert_eq!(bytes.len(), written, "{name} wrote no more than it said");
    let starts = fs::read_to_string(child::note(&chaos.world.parts(), part, n, "started")).expect("it ran");
    assert_eq!(starts.lines().count(), 1, "{name} ran once");
    bytes
}

#[test]
fn a_hundred_killed_daemons_cost_no_session_no_byte_and_no_viewers_sight() {
    let begun = Instant::now();
    let seed = number("AO_CHAOS_SEED", {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        u64::from(now.subsec_nanos()) ^ now.as_secs()
    });
    let (writers, kills) = (number("AO_CHAOS_WRITERS", WRITERS), number("AO_CHAOS_KILLS", KILLS));
    let cases = std::env::var_os("AO_CHAOS_CASES").map(PathBuf::from);
    eprintln!("AO_CHAOS_SEED={seed} ({writers} writers, {kills} kills)");
    let mut chaos = Chaos { world: World::new(), seed, dice: Dice::new(seed, 0), kills: 0, cut: 0 };

    let late = LATE.min(writers);
    (0..PAINTERS).for_each(|n| chaos.start("painter", n));
    (0..writers - late).for_each(|n| chaos.start("writer", n));
    until("every painter draws", || (0..PAINTERS).all(|n| chaos.started("painter", n)));
    let painters: Vec<(PathBuf, HostRecord)> = (0..PAINTERS).map(|n| chaos.host(&format!("painter-{n}"))).collect();
    chaos.world.kill_named();
    eprintln!("{:?}: the sessions run", begun.elapsed());

    let mut moments = 0;
    for round in 0..kills {
        if round < late * 2 && round % 2 == 0 {
            chaos.kill_while_starting(writers - late + round / 2);
        } else {
            chaos.kill();
        }
        // Viewers come while no daemon is there, too.
        let mut dice = chaos.dice.clone();
        let (dir, record) = dice.clone().one(&painters);
        chaos.cut += u64::from(moment::check(dir, record, &mut dice, cases.as_deref()));
        chaos.dice = dice;
        moments += 1;
    }
    eprintln!("{:?}: {} kills, {moments} moments, {} of them in mid-sequence", begun.elapsed(), chaos.kills, chaos.cut);
    assert!(chaos.cut * 10 > moments, "moments in mid-sequence are what is looked for");

    // A client that was cut off may have asked for nothing; what it asked for must have come to be.
    let mut daemon = chaos.world.daemon();
    daemon.ready();
    for n in writers - late..writers {
        let listed = chaos.world.must(&["--json", "list", "--all"]);
        let list: Value = serde_json::from_str(&listed).expect("JSON");
        let name = format!("writer-{n}");
        if list["sessions"].as_array().expect("sessions").iter().all(|s| s["name"] != name.as_str()) {
            chaos.start("writer", n);
        }
        until(&format!("{name} runs: {listed}"), || chaos.started("writer", n));
    }
    fs::write(chaos.world.parts().join(ENOUGH), "").expect("said");
    for n in 0..writers {
        let (dir, _) = chaos.host(&format!("writer-{n}"));
        let bytes = whole(&chaos, "writer", n, &dir);
        assert!(bytes == records(0, bytes.len() as u64), "writer-{n}: the log is not what was written");
    }
    for (n, (dir, _)) in (0..).zip(&painters) {
        whole(&chaos, "painter", n, dir);
    }
    eprintln!("{:?}: every log is whole", begun.elapsed());
    nothing_is_left(&chaos.world);
    drop(daemon);
    eprintln!("{:?}: nothing is left", begun.elapsed());
}

/// After `ao stop --all` no process, socket or control group; after its clean-up no registration of a worktree either.
fn nothing_is_left(world: &World) {
    let launches = world.launches();
    let groups: Vec<PathBuf> = launches.iter().filter_map(|f| f.record.as_ref()?.cgroup.clone()).collect();
    assert!(groups.is_empty() || groups.iter().all(|group| group.exists()), "they were there before");
    world.must(&["stop", "--all"]);
    let daemons = |line: &str| line.contains("daemon run");
    until("nothing but the daemon runs", || world.processes().iter().all(|(_, line)| daemons(line)));
    let sockets = world.sockets();
    assert!(sockets.iter().all(|name| OF_DAEMON.contains(&name.as_str())), "sockets of sessions: {sockets:?}");
    assert!(sockets.iter().any(|name| name == OF_DAEMON[0]), "sockets: {sockets:?}");
    let left: Vec<&PathBuf> = groups.iter().filter(|group| group.exists()).collect();
    assert!(left.is_empty(), "control groups: {left:?}");
    // A stop keeps workspaces, with their registrations; what is stale is nobody's.
    assert_eq!(world.git(&["worktree", "prune", "--dry-run", "--verbose"]), "");
    world.must(&["cleanup", "--ended"]);
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1, "the repository itself alone");
    world.must(&["daemon", "stop"]);
    until("nothing runs", || world.processes().is_empty());
    assert_eq!(world.sockets(), [""; 0]);
}
