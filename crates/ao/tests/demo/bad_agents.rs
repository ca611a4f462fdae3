//! Agents that do not behave: the work that there is lands, the rest is given up with a reason, and nothing stays.

use crate::sample::Sample;

/// The words of every task that was given up.
fn given_up(sample: &mut Sample) -> Vec<String> {
    use ao_core::run::TaskState;
    sample.journal.look();
    let tasks = sample.journal.facts.runs.values().flat_map(|run| &run.tasks);
    tasks.filter_map(|t| if let TaskState::GivenUp { why, .. } = &t.state { Some(why.clone()) } else { None }).collect()
}

/// Plays a step that cannot succeed; the person is told this.
#[track_caller]
fn gives_up(step: &str, words: &str) -> Sample {
    let mut sample = Sample::new(step);
    let ran = sample.fix("sh check.sh").must(1);
    let why = given_up(&mut sample);
    assert_eq!(why.len(), 1, "{}", ran.stderr);
    assert!(why[0].contains(words), "{words:?} is missing in {why:?}");
    assert!(ran.stderr.contains(&why[0]), "the person is told:\n{}", ran.stderr);
    assert_eq!(sample.on_main("part"), "bad\n", "nothing landed");
    sample
}

/// Plays a step whose work can be found although it is not where it was expected.
#[track_caller]
fn lands(step: &str) -> Sample {
    let sample = Sample::new(step);
    let ran = sample.fix("sh check.sh").must(0);
    assert_eq!(sample.on_main("part"), "good\n", "{}", ran.stderr);
    assert_eq!(
        std::fs::read_to_string(sample.repository.join("part")).expect("it is there"),
        "good\n",
        "the checkout follows"
    );
    sample
}

#[test]
fn an_agent_that_exits_at_once_is_given_up_with_its_exit_code() {
    let mut sample = Sample::new(r#"{"say": "never"}"#);
    std::fs::remove_file(sample.world.path("script.json")).expect("it was there");
    let ran = sample.fix("sh check.sh").must(1);
    let why = given_up(&mut sample);
    assert_eq!(why.len(), 1, "{}", ran.stderr);
    assert!(why[0].contains("code 2"), "{why:?}");
    sample.leave_nothing();
}

#[test]
fn an_agent_that_dies_in_its_turn_is_started_again_once_and_then_given_up() {
    let mut sample = gives_up(r#"{"when": {"all": ["Fix this failure"]}, "then": "die"}"#, "");
    let launches: u32 = sample.journal.facts.sessions.values().map(|s| s.launches).sum();
    assert_eq!(launches, 2, "the rule for agents that exit says one restart");
    sample.journal.look();
    sample.leave_nothing();
}

#[test]
fn an_agent_that_does_nothing_is_told_so_and_then_given_up() {
    let sample = gives_up(r#"{"say": "I looked at it."}"#, "nothing");
    let prompts = std::fs::read_to_string(sample.world.path("prompts.jsonl")).expect("the log of prompts");
    assert_eq!(prompts.lines().count(), 3, "as many prompts as --max-attempts says when nobody says it:\n{prompts}");
    sample.leave_nothing();
}

#[test]
fn an_agent_that_deletes_its_worktree_is_given_up_and_nothing_else_is_hurt() {
    let sample = gives_up(r#"{"edits": [{"file": ".", "delete": true}]}"#, "workspace is gone");
    sample.leave_nothing();
}

#[test]
fn work_that_is_committed_on_another_branch_is_found() {
    let step = r#"{"when": {"all": ["Fix this failure"]}, "git": ["checkout -q -b elsewhere"], "edits": [{"file": "part", "write": "good\n"}], "commit": "Mend the part elsewhere"}"#;
    let sample = lands(step);
    assert!(
        sample.world.git(&sample.repository, &["branch", "--list", "elsewhere"]).contains("elsewhere"),
        "it is the agent's"
    );
    sample.leave_nothing();
}

#[test]
fn work_that_is_committed_on_a_detached_head_is_found() {
    let step = r#"{"when": {"all": ["Fix this failure"]}, "git": ["checkout -q --detach"], "edits": [{"file": "part", "write": "good\n"}], "commit": "Mend the part nowhere"}"#;
    lands(step).leave_nothing();
}

#[test]
fn work_that_is_not_committed_at_all_lands_too() {
    lands(r#"{"when": {"all": ["Fix this failure"]}, "edits": [{"file": "part", "write": "good\n"}]}"#).leave_nothing();
}
