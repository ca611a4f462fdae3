//! Running checks: what they say, how they end, and that nothing of them stays.

use super::Make;
use crate::contract::repo::{HANGS, Repo, is_running};
use ao_core::kind::Kind;
use ao_slots::scm::{CheckPlan, CheckRan, MAX_CHECK_OUTPUT};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

fn plan(repo: &Repo, command: &str) -> CheckPlan {
    CheckPlan {
        dir: repo.path.clone(),
        command: command.to_owned(),
        limit: Duration::from_secs(60),
        log: repo.place("logs/check.log"),
        env: repo.env(),
    }
}

async fn run(make: Make<'_>, repo: &Repo, command: &str) -> CheckRan {
    make(repo, None).run_check(&plan(repo, command)).await.expect("it can be run")
}

/// How it ended is told apart: well, badly, by a signal, without the program.
pub async fn how_it_ended_is_told_apart(make: Make<'_>) {
    let repo = Repo::new();
    for (command, code, signal) in [
        ("true", Some(0), None),
        ("exit 7", Some(7), None),
        ("kill -TERM $$", None, Some(15)),
        ("no-such-program-anywhere", Some(127), None),
    ] {
        let ran = run(make, &repo, command).await;
        assert_eq!((ran.code, ran.signal, ran.timed_out), (code, signal, false), "{command}");
    }
    let ran = run(make, &repo, "no-such-program-anywhere").await;
    assert!(ran.output.contains("no-such-program-anywhere"), "{}", ran.output);
    let mut plan = plan(&repo, "true");
    plan.dir = repo.place("nowhere");
    let fault = make(&repo, None).run_check(&plan).await.expect_err("no such directory");
    assert!(fault.kind == Kind::NotFound && fault.message.contains("nowhere"), "{fault:?}");
}

/// Both outputs come in their order, into the answer and the log, which only its owner may read.
pub async fn output_comes_in_order_and_is_logged(make: Make<'_>) {
    let repo = Repo::new();
    let plan = plan(&repo, "for n in 1 2 3; do echo out $n; echo err $n >&2; done; printf 'no end'");
    fs::create_dir_all(plan.log.parent().expect("it has one")).expect("it is ours");
    fs::write(&plan.log, "of an earlier run, and longer than what comes now: ".repeat(10)).expect("it is ours");
    fs::set_permissions(&plan.log, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let ran = make(&repo, None).run_check(&plan).await.expect("it can be run");
    assert_eq!(ran.output, "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\nno end");
    assert_eq!(fs::read_to_string(&plan.log).expect("it is there"), ran.output);
    assert_eq!(fs::metadata(&plan.log).expect("it is there").permissions().mode() & 0o777, 0o600);
}

/// A flood keeps its start and its end within the bound.
pub async fn a_flood_is_cut_in_the_middle(make: Make<'_>) {
    let repo = Repo::new();
    let plan = plan(&repo, "echo first; yes 0123456789012345678901234567890123456789 | head -c 20000000; echo last");
    let ran = make(&repo, None).run_check(&plan).await.expect("it can be run");
    assert!(ran.output.len() <= MAX_CHECK_OUTPUT && ran.output.len() > MAX_CHECK_OUTPUT / 2, "{}", ran.output.len());
    assert!(ran.output.starts_with("first\n") && ran.output.ends_with("last\n"));
    assert!(ran.output.contains("left out"));
    assert!(fs::metadata(&plan.log).expect("it is there").len() <= MAX_CHECK_OUTPUT as u64);
}

/// Its environment is the given one, and it reads nothing.
pub async fn its_environment_is_exactly_the_given_one(make: Make<'_>) {
    let repo = Repo::new();
    let mut plan = plan(&repo, "env; cat; echo end");
    plan.env.insert("AO_TEST".to_owned(), "a b=c\nd".to_owned());
    let ran = make(&repo, None).run_check(&plan).await.expect("it can be run");
    assert!(ran.output.contains("AO_TEST=a b=c\nd\n") && ran.output.ends_with("end\n"), "{}", ran.output);
    // Cargo sets this for every test.
    assert!(!ran.output.contains("CARGO_MANIFEST_DIR"), "the daemon's own environment leaked: {}", ran.output);
}

/// Ways in which a check leaves something running; each writes its process id to `pids`.
const STRAYS: [(&str, &str); 8] = [
    ("a child", "sleep 1000 & echo $! >> pids"),
    (
        "a child in a session of its own",
        "setsid sh -c 'echo $$ >> pids; exec sleep 1000' & until test -s pids; do :; done",
    ),
    (
        "a child that forked twice",
        "(setsid sh -c 'echo $$ >> pids; exec sleep 1000' &) & until test -s pids; do :; done",
    ),
    (
        "a child in the background that says nothing and knows nothing",
        "env -i /bin/sh -c 'echo $$ >> pids; while :; do sleep 1; done' > /dev/null 2>&1 & \
         until test -s pids; do :; done",
    ),
    (
        "a child that says nothing",
        "(setsid sh -c 'echo $$ >> pids; exec sleep 1000' > /dev/null 2>&1 &) & until test -s pids; do :; done",
    ),
    (
        "a child that ignores signals",
        "sh -c 'trap \"\" TERM HUP INT; echo $$ >> pids; while :; do sleep 1; done' & until test -s pids; do :; done",
    ),
    (
        "a child without its environment",
        "(env -i /bin/sh -c 'setsid sh -c \"echo \\$\\$ >> pids; exec sleep 1000\" &') & until test -s pids; do :; done",
    ),
    (
        "a child that starts others",
        "setsid sh -c 'echo $$ >> pids; while :; do setsid sleep 1000 & echo $! >> pids; sleep 0.02; done' & until test $(cat pids 2>/dev/null | wc -l) -ge 3; do :; done",
    ),
];

/// What is left behind sleeps for 1000 s: whatever takes half of it waited for that.
const WAITED_FOR: Duration = Duration::from_secs(500);

/// Nothing of it runs when it is over, however it tried to stay.
pub async fn nothing_of_it_runs_when_it_is_over(make: Make<'_>) {
    for (what, script) in STRAYS {
        for ending in ["", "; sleep 1000"] {
            let repo = Repo::new();
            let mut plan = plan(&repo, &format!("{script}{ending}"));
            let mut hangs = HANGS.into_iter();
            let pids = loop {
                if !ending.is_empty() {
                    plan.limit = hangs.next().expect("it begins in time");
                }
                let began = Instant::now();
                let ran = make(&repo, None).run_check(&plan).await.expect("it can be run");
                assert_eq!(ran.timed_out, !ending.is_empty(), "{what}: {ran:?}");
                assert!(began.elapsed() < WAITED_FOR, "{what} was waited for");
                if let Ok(pids) = fs::read_to_string(repo.path.join("pids")) {
                    break pids;
                }
            };
            for pid in pids.split_whitespace() {
                assert!(!is_running(pid), "{what} still runs as {pid}");
            }
        }
    }
}

/// A check that nobody waits for any more is over as well.
pub async fn a_check_that_is_given_up_is_over(make: Make<'_>) {
    let repo = Repo::new();
    let scm = make(&repo, None);
    let plan = plan(&repo, "setsid sh -c 'echo $$ > pids; exec sleep 1000' & sleep 1000");
    let task = tokio::spawn(async move { scm.run_check(&plan).await });
    let file = repo.path.join("pids");
    let until = Instant::now() + WAITED_FOR;
    while !fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n')) {
        assert!(Instant::now() < until, "it did not begin");
        tokio::task::yield_now().await;
    }
    task.abort();
    assert!(task.await.expect_err("it was given up").is_cancelled());
    let pid = fs::read_to_string(&file).expect("it is there");
    assert!(!is_running(&pid), "it still runs as {pid}");
}

/// What a daemon that was killed left running is ended before its check, or anything else there, begins anew.
pub async fn what_a_killed_daemon_left_is_ended_first(make: Make<'_>) {
    let repo = Repo::new();
    let dir = repo.place("scratch");
    let scm = make(&repo, None);
    let commit = repo.head(&repo.path);
    scm.scratch(&repo.path, &dir, &commit).await.expect("it can be checked out");
    for other_log in [false, true] {
        // The same environment as of a check, in a process that nobody of us waits for.
        let mut plan = plan(&repo, "env | grep '^AO_TREE='");
        plan.dir = dir.clone();
        let mark = scm.run_check(&plan).await.expect("it can be run").output;
        let (name, value) = mark.trim().split_once('=').expect("a check is marked");
        let mut left = std::process::Command::new("sleep").arg("1000").env(name, value).spawn().expect("sleep");
        if other_log {
            plan.log = repo.place("logs/other.log");
            scm.scratch(&repo.path, &dir, &commit).await.expect("it can be checked out");
        }
        plan.command = "true".to_owned();
        scm.run_check(&plan).await.expect("it can be run");
        let running = is_running(&left.id().to_string());
        left.kill().expect("it is ours");
        left.wait().expect("it is ours");
        assert!(!running, "what was left still runs");
    }
}
