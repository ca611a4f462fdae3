//! Who gets a task, and what is said about it.

use super::task::{TaskKind, kinds};
use super::*;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

fn named(name: &str) -> Candidate {
    Candidate { name: name.to_owned(), installed: true, login: Login::Key, ..Candidate::default() }
}

fn wish(strategy: Strategy) -> Wish<'static> {
    Wish { strategy: Some(strategy), default: "claude-code", named: Named::Configuration, ..Wish::default() }
}

fn chosen(candidates: &[Candidate], wish: &Wish<'_>) -> String {
    choose(candidates, wish, Time(1000)).agent
}

#[test]
fn fixed_takes_the_projects_agent_whatever_is_there() {
    let out = Candidate { installed: false, ..named("claude-code") };
    assert_eq!(chosen(&[named("codex"), out], &wish(Strategy::Fixed)), "claude-code");
}

#[test]
fn an_explicit_agent_wins_until_it_cannot_work() {
    let both = |claude| [claude, named("codex")];
    let ranked = wish(Strategy::Ranked);
    assert_eq!(chosen(&both(named("claude-code")), &ranked), "claude-code");
    for broken in [
        Candidate { installed: false, ..named("claude-code") },
        Candidate { login: Login::Out, ..named("claude-code") },
        Candidate { limited_until: Some(Time(1001)), ..named("claude-code") },
    ] {
        assert_eq!(chosen(&both(broken.clone()), &ranked), "codex", "{broken:?}");
    }
    let over = Candidate { limited_until: Some(Time(1000)), ..named("claude-code") };
    assert_eq!(chosen(&both(over), &ranked), "claude-code", "a limit that is over counts no more");
}

#[test]
fn the_named_subscription_comes_first() {
    let paid = |name, provider: &str| Candidate {
        login: Login::Subscription,
        provider: Some(provider.to_owned()),
        ..named(name)
    };
    let candidates = [paid("claude-code", "anthropic"), paid("codex", "openai")];
    let mut wish = Wish { named: Named::Nowhere, ..wish(Strategy::Ranked) };
    assert_eq!(chosen(&candidates, &wish), "claude-code", "by name, when nothing else tells them apart");
    wish.subscription = Some("openai");
    let choice = choose(&candidates, &wish, Time(0));
    assert_eq!(choice.why, "codex: 36 points (logged in +18, by the preferred subscription +18)");
}

#[test]
fn a_record_counts_and_one_lucky_session_counts_little() {
    let with = |name, history| Candidate { history, ..named(name) };
    let record = |succeeded, failed, stalled, median| History { succeeded, failed, stalled, median };
    let wish = Wish { named: Named::Nowhere, ..wish(Strategy::Ranked) };
    let steady = with("steady", record(18, 2, 0, None));
    assert_eq!(chosen(&[with("lucky", record(1, 0, 0, None)), steady.clone()], &wish), "steady");
    assert_eq!(chosen(&[with("another", record(18, 2, 9, None)), steady.clone()], &wish), "steady", "stalls cost");
    let slow = with("a-slow", record(18, 2, 0, Some(400_000)));
    let fast = with("fast", record(18, 2, 0, Some(100_000)));
    let choice = choose(&[slow, fast], &wish, Time(0));
    assert_eq!(choice.why, "fast: 28 points (logged in +18, 18 of 20 sessions succeeded +10)");
    assert_eq!(
        choice.ranking[1].words(),
        "a-slow: 20 points (logged in +18, 18 of 20 sessions succeeded +10, slow -8)"
    );
}

#[test]
fn the_task_counts_for_heuristic_only() {
    let tester = Candidate { fit: [(TaskKind::Tests, 9)].into(), ..named("tester") };
    let plain = named("plain");
    let task = "Raise the coverage of the parser";
    let of = |strategy| Wish { named: Named::Nowhere, task, ..wish(strategy) };
    assert_eq!(chosen(&[tester.clone(), plain.clone()], &of(Strategy::Ranked)), "plain");
    let choice = choose(&[tester, plain], &of(Strategy::Heuristic), Time(0));
    assert_eq!(choice.why, "tester: 34 points (logged in +18, suits tests +16)");
}

#[test]
fn without_any_agent_the_projects_own_is_named_so_that_its_start_says_what_to_install() {
    let choice = choose(&[Candidate { installed: false, ..named("codex") }], &wish(Strategy::Ranked), Time(0));
    assert_eq!(choice.agent, "claude-code");
    assert_eq!(choice.ranking[0].words(), "codex: not installed");
}

#[test]
fn kinds_are_seen_by_whole_words_or_their_beginnings() {
    for (task, want) in [
        ("Fix the flaky login test", vec![TaskKind::Bug, TaskKind::Tests]),
        ("Rename Foo to Bar", vec![TaskKind::Refactoring]),
        ("The city is special", vec![]),
        ("CI is red on main", vec![TaskKind::Operations]),
        ("", vec![]),
    ] {
        assert_eq!(kinds(task), want, "{task}");
    }
}

#[test]
fn what_nobody_named_is_passed_over_only_where_it_is_not_installed() {
    let nobody = Wish { default: "claude-code", task: "Fix a crash", ..Wish::default() };
    let better = Candidate { fit: [(TaskKind::Bug, 10)].into(), ..named("codex") };
    let choice = choose(&[named("claude-code"), better.clone()], &nobody, Time(0));
    assert_eq!(choice.why, "claude-code is taken when nothing else is said");
    let out = Candidate { installed: false, ..named("claude-code") };
    let choice = choose(&[out.clone(), better.clone()], &nobody, Time(0));
    assert_eq!(choice.agent, "codex");
    assert_eq!(choice.why, "claude-code is not installed; codex: 38 points (logged in +18, suits bugs +20)");
    assert_eq!(chosen(std::slice::from_ref(&out), &nobody), "claude-code", "its start says how to install it");
    let said = Wish { named: Named::Environment, ..nobody };
    let choice = choose(&[out, better], &said, Time(0));
    assert_eq!(choice.why, "claude-code is what PARALLAX_DEFAULT_AGENT_TYPE names", "who named one gets that one");
}

#[test]
fn an_agent_that_cannot_do_what_the_project_asks_is_not_taken() {
    let barred = Candidate { bar: Some("has no preset readonly".to_owned()), ..named("a") };
    let choice = choose(&[barred, named("b")], &wish(Strategy::Ranked), Time(0));
    assert_eq!((choice.agent.as_str(), choice.ranking[1].words().as_str()), ("b", "a: has no preset readonly"));
}

proptest! {
    #[test]
    fn whoever_is_chosen_is_installed_and_stands_first(
        rows in proptest::collection::vec((any::<bool>(), 0u8..4, 0u32..200, 0u32..200, any::<Option<u64>>(), any::<u8>()), 1..6),
        task in ".{0,80}",
    ) {
        let candidates: Vec<Candidate> = rows.iter().enumerate().map(|(i, (installed, login, good, bad, median, fit))| Candidate {
            name: format!("agent-{i}"),
            installed: *installed,
            login: [Login::Unknown, Login::Out, Login::Key, Login::Subscription][usize::from(*login)],
            bar: None,
            provider: None,
            limited_until: None,
            fit: [(TaskKind::Bug, *fit)].into(),
            history: History { succeeded: *good, failed: *bad, stalled: (*bad).min(3), median: *median },
        }).collect();
        let wish = Wish { strategy: Some(Strategy::Heuristic), default: "none", task: &task, ..Wish::default() };
        let choice = choose(&candidates, &wish, Time(0));
        let by_name = candidates.iter().find(|c| c.name == choice.agent);
        prop_assert_eq!(by_name.is_some(), candidates.iter().any(|c| c.installed));
        prop_assert!(by_name.is_none_or(|c| c.installed));
        // The points are the sum of what stands in the reasons.
        for ranked in choice.ranking.iter().filter(|r| r.points.is_some()) {
            let sum: i32 = ranked.reasons.iter().filter_map(|r| r.rsplit(' ').next()?.parse::<i32>().ok()).sum();
            prop_assert_eq!(Some(sum), ranked.points);
        }
    }
}
