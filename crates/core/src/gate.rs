//! The gate's verdict: may a change land on this target?
//!
//! The target may be red before the first fix lands, so "green" is said relative to it: every failure that the change is
//! to mend is gone, and no failure is there that the target did not have. A target without failures makes that the plain
//! meaning of green.

use crate::failure::{Counts, Failure, Kind, Reader, Report};
use crate::merge_queue::Baseline;
use std::collections::BTreeSet;

/// What the gate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may land.
    Pass,
    /// It may not.
    Fail {
        /// Failures that it was to mend and that are still there.
        unmended: Vec<Failure>,
        /// Failures that the target does not have.
        new: Vec<Failure>,
    },
}

/// Judges a report of the whole gate.
#[must_use]
pub fn judge(report: &Report, baseline: &Baseline, mends: &BTreeSet<String>) -> Verdict {
    if report.passed {
        return Verdict::Pass;
    }
    let unmended: Vec<Failure> = report.failures.iter().filter(|f| mends.contains(&f.id)).cloned().collect();
    // A check that only says "red" names nothing that could be compared: a change that mends nothing must make it green.
    let known = |f: &Failure| baseline.failures.contains(&f.id) && !(mends.is_empty() && f.kind == Kind::Exit);
    let revealed = baseline.hides && unmended.is_empty() && !mends.is_empty();
    let new: Vec<Failure> = report
        .failures
        .iter()
        .filter(|f| !mends.contains(&f.id) && !known(f))
        .filter(|f| !(revealed && f.kind == Kind::Test))
        .cloned()
        .collect();
    // A report that failed without naming a failure never passes, nor one that was cut short where the target's was not.
    let cut = report.partial && !baseline.hides && baseline.commit.is_some();
    if unmended.is_empty() && new.is_empty() && !report.failures.is_empty() && !cut {
        Verdict::Pass
    } else {
        Verdict::Fail { unmended, new }
    }
}

/// Judges a run of only the failures that a session is to mend; it says nothing about the rest.
///
/// A runner that finds none of the tests and calls that a success has proven nothing: deleting or renaming a failing test
/// does not mend it.
#[must_use]
pub fn judge_own(report: &Report, own: &[Failure]) -> Verdict {
    let tests = own.iter().any(|f| f.kind == Kind::Test);
    let found_none = tests && report.reader == Reader::Cargo && report.counts == Counts::default();
    if report.passed {
        return if found_none { Verdict::Fail { unmended: own.to_vec(), new: Vec::new() } } else { Verdict::Pass };
    }
    let unmended: Vec<Failure> =
        report.failures.iter().filter(|f| own.iter().any(|mine| mine.id == f.id)).cloned().collect();
    let unmended = if unmended.is_empty() { report.failures.clone() } else { unmended };
    Verdict::Fail { unmended, new: Vec::new() }
}

/// Reads what a target fails out of a report.
#[must_use]
pub fn baseline(commit: &crate::id::CommitId, report: &Report) -> Baseline {
    Baseline {
        commit: Some(commit.clone()),
        failures: report.failures.iter().map(|f| f.id.clone()).collect(),
        hides: report.partial || report.failures.iter().any(|f| f.kind != Kind::Test),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing() -> Failure {
        let output = "running 1 test\ntest a ... FAILED\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        report("cargo test", 101, output).failures.remove(0)
    }

    fn report(command: &str, code: i32, output: &str) -> Report {
        let check = crate::failure::CheckOutput { command, exit_code: Some(code), output, ..Default::default() };
        crate::failure::read(&check)
    }

    #[test]
    fn a_rerun_that_finds_no_test_proves_nothing() {
        let none = "running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.00s\n";
        let own = [failing()];
        let verdict = judge_own(&report("cargo test -- --exact a", 0, none), &own);
        assert_eq!(verdict, Verdict::Fail { unmended: own.to_vec(), new: Vec::new() });
        let one = "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 6 filtered out; finished in 0.00s\n";
        assert_eq!(judge_own(&report("cargo test -- --exact a", 0, one), &own), Verdict::Pass);
    }

    #[test]
    fn a_check_that_only_says_red_lets_nothing_land_that_mends_nothing() {
        let red = report("sh check.sh", 1, "no reader knows this\n");
        let known = baseline(&crate::id::CommitId::new("c"), &red);
        assert!(matches!(judge(&red, &known, &BTreeSet::new()), Verdict::Fail { .. }));
    }

    #[test]
    fn a_report_that_was_cut_short_does_not_pass_on_a_target_that_was_read_whole() {
        let known = failing();
        let baseline = Baseline {
            commit: Some(crate::id::CommitId::new("c")),
            failures: BTreeSet::from([known.id.clone()]),
            hides: false,
        };
        let mut cut = report("cargo test", 101, "");
        cut.failures = vec![known];
        cut.partial = false;
        assert_eq!(judge(&cut, &baseline, &BTreeSet::new()), Verdict::Pass);
        cut.partial = true;
        assert!(matches!(judge(&cut, &baseline, &BTreeSet::new()), Verdict::Fail { .. }));
    }
}
