//! Starting: once, as planned, with nothing of the daemon's own.

use super::world::environment;
use super::{Maker, Program, World};
use ao_core::id::LaunchId;
use ao_slots::runtime::{Found, LaunchPlace, LaunchPlan};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a POSIX shell adds to the environment that it was started with.
const OF_THE_SHELL: [&str; 4] = ["PWD", "OLDPWD", "SHLVL", "_"];

fn place(plan: &LaunchPlan) -> LaunchPlace {
    LaunchPlace { launch: plan.launch.clone(), dir: plan.dir.clone() }
}

/// A daemon that was killed asks again for what it had started.
pub async fn a_launch_runs_once_however_often_it_is_asked_for(maker: Arc<dyn Maker>) {
    let world = World::new(maker);
    let mut agent = world.run(&Program::Lines).await;
    for _ in 0..2 {
        let again = agent.runtime.ensure(&agent.plan).await;
        again.unwrap_or_else(|fault| panic!("a launch that runs is refused when it is asked for again: {fault}"));
        let other = world.maker.runtime().ensure(&agent.plan).await;
        other.unwrap_or_else(|fault| panic!("another daemon is refused a launch that runs: {fault}"));
    }
    agent.writes("submit#1", b"once\r").await;
    agent.shows("[once]").await;
    let ready = agent.screen.rows.iter().filter(|row| row.contains("ready")).count();
    assert_eq!(ready, 1, "the program began {ready} times: {:#?}", agent.screen.rows);
}

/// Two calls at the same moment.
pub async fn two_asking_at_once_start_one(maker: Arc<dyn Maker>) {
    if !maker.has_shell() {
        return;
    }
    let world = World::new(maker);
    let plan = world.plan(&Program::shell("echo began >>runs; echo ready; while :; do sleep 1; done"));
    world.note(&plan);
    let (one, two) = (world.maker.runtime(), world.maker.runtime());
    let (first, second) = tokio::join!(one.ensure(&plan), two.ensure(&plan));
    assert!(first.is_ok() || second.is_ok(), "neither call started it: {first:?}, {second:?}");
    let mut agent = super::Agent::connect(one, plan).await;
    agent.shows("ready").await;
    // The loser, if it was one, is not late: it would have to write before the winner's end.
    agent.link.control.stop(0).await.expect("it can be stopped");
    assert_eq!(world.line("runs").await, "began", "the program began more than once");
}

/// What is over stays over: an agent is not started again behind the machine's back.
pub async fn what_ended_is_not_started_again(maker: Arc<dyn Maker>) {
    let world = World::new(maker);
    let mut agent = world.run(&Program::Ends(3)).await;
    world.go();
    agent.ended().await;
    let again = world.maker.runtime().ensure(&agent.plan).await;
    again.unwrap_or_else(|fault| panic!("a launch that is over is refused when it is asked for again: {fault}"));
    let exit = super::agent::found_dead(&*world.maker.runtime(), &agent.place).await;
    assert_eq!(exit.and_then(|exit| exit.code), Some(3), "a launch that was over was started again");
}

/// The next launch of a session is neither the last one, nor does it hide it.
pub async fn two_launches_of_one_session_are_apart(maker: Arc<dyn Maker>) {
    let world = World::new(maker);
    let mut first = world.run(&Program::Ends(3)).await;
    first.writes("paste", b"for the first").await;
    world.go();
    first.ended().await;
    let mut second = world.start(world.plan_of(2, &Program::Lines)).await;
    second.shows("ready").await;
    if world.abilities().typing_log {
        let typed = second.link.control.typed_stages().await.expect("stages can be listed");
        assert!(typed.is_empty(), "the second launch holds stages of the first: {typed:?}");
    }
    second.writes("paste", b"for the second").await;
    let found = second.runtime.find(&second.place).await;
    assert_eq!(found, Found::Alive, "the second launch runs");
    if world.abilities().exit_code {
        let code = first.found_dead().await.and_then(|exit| exit.code);
        assert_eq!(code, Some(3), "the end of the first launch is lost when the second runs");
    }
}

/// Neither alive nor reachable.
pub async fn what_was_never_started_is_not_alive(maker: Arc<dyn Maker>) {
    let world = World::new(maker);
    let place = LaunchPlace { launch: LaunchId::new("app-1.9"), dir: world.work().join("nowhere/9") };
    let runtime = world.maker.runtime();
    let found = runtime.find(&place).await;
    assert!(!matches!(found, Found::Alive), "what was never started is said to be alive");
    assert!(runtime.connect(&place).await.is_err(), "one can connect to what was never started");
}

/// What is said about a launch that cannot start, by a refusal or by its end.
async fn refusal(world: &World, plan: &LaunchPlan) -> String {
    world.note(plan);
    let runtime = world.maker.runtime();
    if let Err(fault) = runtime.ensure(plan).await {
        return fault.message;
    }
    let exit = super::agent::found_dead(&*runtime, &place(plan)).await.expect("its end is known");
    exit.why.unwrap_or_else(|| {
        panic!("the end does not say that it never began: {exit:?}", exit = (exit.code, exit.signal))
    })
}

/// The words name what is missing.
pub async fn a_missing_program_is_named(maker: Arc<dyn Maker>) {
    if !maker.has_shell() {
        return;
    }
    let world = World::new(maker);
    let mut plan = world.plan(&Program::Waits);
    plan.argv = vec!["ao-no-such-program".to_owned(), "--version".to_owned()];
    let why = refusal(&world, &plan).await;
    assert!(why.contains("ao-no-such-program"), "the refusal does not name the program: {why}");
}

/// The words name what is missing.
pub async fn a_missing_directory_is_named(maker: Arc<dyn Maker>) {
    if !maker.has_shell() {
        return;
    }
    let world = World::new(maker);
    let mut plan = world.plan(&Program::Waits);
    plan.cwd = world.work().join("no such directory");
    let why = refusal(&world, &plan).await;
    assert!(why.contains("no such directory"), "the refusal does not name the directory: {why}");
}

/// No shell looks at them on the way.
pub async fn arguments_arrive_as_they_are(maker: Arc<dyn Maker>) {
    if !maker.has_shell() {
        return;
    }
    let world = World::new(maker);
    let odd = [
        "",
        " ",
        "two words",
        "-",
        "--",
        "-t",
        "--help",
        "a\nb",
        "tab\there",
        "'",
        "\"",
        "it's \"so\"",
        "$HOME",
        "${HOME} $(date) `date`",
        "#{pane_id} #(date) %s %d %%",
        "~",
        "*",
        ";",
        "a;",
        "\\",
        "\\n",
        "a\\",
        "{}",
        "!!",
        "日本 é",
    ];
    let mut plan = world.plan(&Program::shell(
        "for a; do printf '%s\\0' \"$a\"; done >args.new; mv args.new args; echo ready; while :; do sleep 1; done",
    ));
    plan.argv.push("sh".to_owned());
    plan.argv.extend(odd.map(str::to_owned));
    let mut agent = world.start(plan).await;
    agent.shows("ready").await;
    let got = String::from_utf8(world.read("args").expect("it is written before `ready`")).expect("UTF-8");
    let got: Vec<&str> = got.split_terminator('\0').collect();
    assert_eq!(got, odd, "the arguments changed on the way");
}

/// Complete, and without what the daemon itself has.
pub async fn the_environment_is_exactly_the_given_one(maker: Arc<dyn Maker>) {
    if !maker.has_shell() {
        return;
    }
    let world = World::new(maker);
    let mut plan =
        world.plan(&Program::shell("env -0 >env.new; mv env.new env; echo ready; while :; do sleep 1; done"));
    let odd = [
        ("AO_TEST_PLAIN", "plain"),
        ("AO_TEST_EMPTY", ""),
        ("AO_TEST_QUOTES", "it's \"so\" $HOME `x` \\ ; #{pane_id}"),
        ("AO_TEST_LINES", "one\ntwo\n"),
        ("AO_TEST_EQUALS", "a=b=c"),
        ("AO_TEST_TEXT", "日本 é"),
    ];
    plan.env.extend(odd.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let wanted = plan.env.clone();
    let mut agent = world.start(plan).await;
    agent.shows("ready").await;
    let got = String::from_utf8(world.read("env").expect("it is written before `ready`")).expect("UTF-8");
    let own = |name: &str| OF_THE_SHELL.contains(&name) || world.maker.sets().contains(&name);
    let got: BTreeMap<String, String> = got
        .split_terminator('\0')
        .filter_map(|variable| variable.split_once('='))
        .filter(|(name, _)| wanted.contains_key(*name) || !own(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let wanted: BTreeMap<String, String> =
        wanted.into_iter().filter(|(name, _)| !world.maker.sets().contains(&name.as_str())).collect();
    let got: BTreeMap<String, String> =
        got.into_iter().filter(|(name, _)| !world.maker.sets().contains(&name.as_str())).collect();
    assert_eq!(environment(&got), environment(&wanted), "the environment is not the one that was given");
}

/// Whatever its name.
pub async fn it_begins_in_its_directory(maker: Arc<dyn Maker>) {
    if !maker.has_shell() {
        return;
    }
    let world = World::new(maker);
    let mut plan = world.plan(&Program::shell("pwd -P >where.new; mv where.new where; while :; do sleep 1; done"));
    plan.cwd = world.work().join("it's #{pane_id} a 'place'; $HOME");
    std::fs::create_dir(&plan.cwd).expect("the directory is ours");
    let cwd = plan.cwd.clone();
    let _agent = world.start(plan).await;
    let name = cwd.strip_prefix(world.work()).expect("it is below").join("where");
    let there = world.line(name.to_str().expect("UTF-8")).await;
    assert_eq!(there, cwd.to_str().expect("UTF-8"), "it began elsewhere");
}
