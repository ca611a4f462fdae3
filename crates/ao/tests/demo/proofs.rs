//! What the demo shows, each proof with what would break it.

use crate::checkout::Checkout;
use crate::play::Play;
use crate::world::Ran;
use ao_core::run::{Task, TaskState};
use std::io::Write as _;

/// A summary line of a landed task: mark, session, attempts, time, commit, task.
fn rows(stdout: &str) -> Vec<Vec<&str>> {
    let table = stdout.lines().skip_while(|line| !line.contains("ATTEMPTS")).skip(1);
    table.take_while(|line| !line.trim().is_empty()).map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn the_demo_ends_with_main_green() {
    let mut play = Play::start(&[]);
    let ran = play.end().must(0);

    let rows = rows(&ran.stdout);
    assert_eq!(rows.len(), 8, "{}", ran.stdout);
    for row in &rows {
        let [mark, session, attempts, time, commit, ..] = row.as_slice() else { panic!("{row:?}") };
        assert_eq!(*mark, "✓");
        assert!(session.starts_with("shop-"), "{row:?}");
        assert!(attempts.parse::<u32>().is_ok_and(|n| n >= 1), "{row:?}");
        assert!(time.ends_with('s') && time.starts_with(|c: char| c.is_ascii_digit()), "{row:?}");
        assert!(commit.len() >= 7 && commit.chars().all(|c| c.is_ascii_hexdigit()), "{row:?}");
    }
    assert!(ran.stderr.contains("green: main passes"), "{}", ran.stderr);
    assert!(ran.stderr.contains("scripted stand-ins"), "it says what its agents are: {}", ran.stderr);

    let conflicts = play.prompts.all().into_iter().filter(|p| p.text.contains("Merge conflict")).count();
    assert_eq!(conflicts, 1, "the collision went back to the session that owns it, as a prompt");
    assert_eq!(play.journal.delivered(), play.prompts.read(), "every prompt was read once");
    play.world.must_be_empty();
    assert!(!play.dir.exists(), "the demo takes its directory away again");
}

/// A configuration for the sample.
fn config(rule: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".yaml").tempfile().expect("a file");
    write!(file, "reactions:\n  merge-conflicts: {rule}\n").expect("written");
    file
}

/// Plays the demo with another rule for conflicts: it must fail, and only by the task that collides.
fn without_the_words(rule: &str) -> (Play, Ran) {
    let file = config(rule);
    let mut play = Play::start(&["--config", file.path().to_str().expect("a path in UTF-8")]);
    let ran = play.end().must(1);
    let rows = rows(&ran.stdout);
    assert_eq!(rows.len(), 8, "{}", ran.stdout);
    let landed = rows.iter().filter(|row| row.first() == Some(&"✓")).count();
    assert_eq!(landed, 7, "all but the collision:\n{}", ran.stdout);
    assert!(!ran.stderr.contains("green: main passes"), "{}", ran.stderr);
    play.world.must_be_empty();
    (play, ran)
}

/// This stands for deleting the conflict prompt from the code.
#[test]
fn without_the_conflict_prompt_the_demo_fails() {
    let (play, ran) = without_the_words("{auto: false}");
    assert!(!play.prompts.all().iter().any(|p| p.text.contains("onflict")), "no word about it reached an agent");
    let given_up: Vec<_> = play.journal.facts.runs.values().flat_map(|run| &run.tasks).filter_map(reason).collect();
    let [why] = given_up.as_slice() else { panic!("{given_up:?}") };
    assert!(why.contains("conflict"), "{why}");
    assert!(ran.stderr.contains("left:") && ran.stderr.contains(why), "the person is told why:\n{}", ran.stderr);
}

/// The agent has no other source: only the words of the prompt bring it to the merge.
#[test]
fn with_other_words_in_the_conflict_prompt_the_demo_fails() {
    let (play, _) = without_the_words("{message: 'Something is not as it should be.', retries: 1}");
    let told = play.prompts.all().into_iter().filter(|p| p.text.contains("not as it should be")).count();
    assert_eq!(told, 1, "the other words were delivered");
}

fn reason(task: &Task) -> Option<String> {
    match &task.state {
        TaskState::GivenUp { why, .. } => Some(why.clone()),
        TaskState::Waiting | TaskState::Active | TaskState::Landed { .. } => None,
    }
}

/// The target starts red, so "green" is said relative to it (`core/src/gate.rs`): a landed value mends what it was to mend
/// and fails nothing that the value before it did not fail. So the set of failures shrinks with every move, and the last
/// value has none: there green has its plain meaning, and the check passes.
#[test]
fn every_value_main_took_passes_the_whole_gate() {
    let mut play = Play::start(&["--keep"]);
    play.end().must(0);
    let checkout = Checkout::new(&play);
    let values = checkout.values_of_main();
    assert_eq!(
        values.get(1..),
        Some(play.journal.landed().as_slice()),
        "main took the gated commits and no other value"
    );
    let gates: Vec<_> = values.iter().map(|value| checkout.gate(value)).collect();
    assert_eq!(gates[0].failed.len(), 8, "it starts red");
    for (before, after) in gates.iter().zip(&gates[1..]) {
        assert!(after.failed.is_subset(&before.failed), "new: {:?}", after.failed.difference(&before.failed));
        assert!(after.failed.len() < before.failed.len(), "every move mends something: {:?}", after.failed);
    }
    assert!(gates.last().is_some_and(|last| last.passed && last.failed.is_empty()), "the last one is green");
    let merges = play.world.git(&play.repository(), &["rev-list", "--merges", "--count", "main"]);
    let commits = play.world.git(&play.repository(), &["rev-list", "--count", "main"]);
    assert_eq!((merges.trim(), commits.trim()), ("0", "9"), "main is one line: the first commit and one for each fix");
    play.take_down();
}
