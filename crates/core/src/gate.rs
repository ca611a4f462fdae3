//! The gate's verdict: may a change land on this target?
//!
//! The target may be red before the first fix lands, so "green" is said relative to it: every failure that the change is
//! to mend is gone, and no failure is there that the target did not have. A target without failures makes that the plain
//! meaning of green.

use crate::failure::{Failure, Kind, Report};
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
    let revealed = baseline.hides && unmended.is_empty() && !mends.is_empty();
    let new: Vec<Failure> = report
        .failures
        .iter()
        .filter(|f| !mends.contains(&f.id) && !baseline.failures.contains(&f.id))
        .filter(|f| !(revealed && f.kind == Kind::Test))
        .cloned()
        .collect();
    // A report that failed without naming a failure never passes.
    if unmended.is_empty() && new.is_empty() && !report.failures.is_empty() {
        Verdict::Pass
    } else {
        Verdict::Fail { unmended, new }
    }
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
