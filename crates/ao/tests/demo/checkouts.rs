//! The target is checked out and somebody works there: nothing of theirs is lost, and nothing lands over it.

use crate::sample::{MENDS, Sample};
use crate::world::{LIMIT, wait};
use std::fs;

/// Begins a fix in a checkout with an uncommitted change, and waits until the landing stands before it.
fn stand_before_a_change() -> (Sample, crate::world::Running, String) {
    let mut sample = Sample::new(MENDS);
    let before = sample.value_of_main();
    fs::write(sample.repository.join("other"), "somebody's words\n").expect("a change");
    let running = sample.start_fix();
    let why = wait("the landing to be blocked", LIMIT, || {
        sample.journal.look();
        sample.journal.facts.queues.values().find_map(|queue| queue.blocked.clone())
    });
    assert!(why.why.contains("other"), "it says what is in the way: {why:?}");
    assert!(running.stderr().contains("note:"), "it was warned of at once:\n{}", running.stderr());
    assert_eq!(sample.value_of_main(), before, "nothing lands while it is in the way");
    assert_eq!(fs::read_to_string(sample.repository.join("other")).expect("it is there"), "somebody's words\n");
    (sample, running, before)
}

#[test]
fn a_change_in_the_checkout_holds_the_landing_until_it_is_taken_back() {
    let (sample, running, _) = stand_before_a_change();
    sample.world.git(&sample.repository, &["checkout", "other"]);
    sample.world.run(sample.ao(&["merge-queue", "retry"])).must(0);
    running.end(LIMIT).must(0);
    assert_eq!(sample.on_main("part"), "good\n");
    assert_eq!(sample.world.git(&sample.repository, &["status", "--porcelain"]), "", "the checkout follows");
    sample.leave_nothing();
}

#[test]
fn a_change_in_the_checkout_that_is_committed_stays_and_the_fix_lands_on_top_of_it() {
    let (sample, running, _) = stand_before_a_change();
    sample.world.git(&sample.repository, &["commit", "--quiet", "--all", "--message=somebody's"]);
    let theirs = sample.value_of_main();
    sample.world.run(sample.ao(&["merge-queue", "retry"])).must(0);
    running.end(LIMIT).must(0);
    assert_eq!(
        (sample.on_main("part"), sample.on_main("other")),
        ("good\n".to_owned(), "somebody's words\n".to_owned())
    );
    assert_eq!(sample.world.git(&sample.repository, &["rev-parse", "main~1"]), theirs, "on top of it");
    sample.leave_nothing();
}

#[test]
fn a_file_that_git_does_not_know_is_in_nobodys_way() {
    let sample = Sample::new(MENDS);
    fs::write(sample.repository.join("notes.txt"), "mine\n").expect("a file");
    sample.fix("sh check.sh").must(0);
    assert_eq!(sample.on_main("part"), "good\n");
    assert_eq!(fs::read_to_string(sample.repository.join("notes.txt")).expect("it is there"), "mine\n");
    sample.leave_nothing();
}
