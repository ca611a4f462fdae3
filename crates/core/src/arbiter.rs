//! Fuses what all sources say about an agent into one answer with its evidence.
//!
//! The newest observation wins, because every source reports changes; of two at the same moment the better source wins.
//! Titles are weak: several agents show the same one for idle and for a dialog, so a title's `idle` never ends a question
//! that a better source saw begin in this turn.

use crate::activity::{Activity, Known, Observation, Source};
use crate::time::Time;
use std::collections::BTreeMap;

/// How far a source can be trusted, 0..=100.
const fn confidence(source: Source) -> u8 {
    match source {
        Source::Structured => 99,
        Source::Hook => 95,
        Source::Osc => 95,
        Source::Transcript => 90,
        Source::Screen => 80,
        Source::Title => 70,
        Source::Process => 50,
    }
}

/// The answer that the evidence supports.
#[must_use]
pub fn fuse(evidence: &BTreeMap<Source, Observation>, before: &Known, now: Time) -> Known {
    let Some(newest) = evidence.values().max_by_key(|o| (o.at, std::cmp::Reverse(o.source))) else {
        return before.clone();
    };
    let asked = evidence
        .values()
        .filter(|o| o.source != Source::Title && matches!(o.activity, Activity::NeedsInput { .. }))
        .max_by_key(|o| o.at);
    let chosen = match asked {
        Some(question)
            if newest.source == Source::Title && newest.activity == Activity::Idle && !answered(evidence, question) =>
        {
            question
        }
        Some(_) | None => newest,
    };
    let since = if chosen.activity == before.activity { before.since } else { now };
    Known {
        activity: chosen.activity.clone(),
        since,
        source: chosen.source,
        confidence: confidence(chosen.source),
        why: chosen.why.clone(),
    }
}

/// Whether any source but a title has seen the agent go on after the question.
fn answered(evidence: &BTreeMap<Source, Observation>, question: &Observation) -> bool {
    evidence
        .values()
        .any(|o| o.source != Source::Title && o.at > question.at && !matches!(o.activity, Activity::NeedsInput { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::InputKind;

    fn seen(source: Source, activity: Activity, at: u64) -> (Source, Observation) {
        (source, Observation { activity, source, at: Time(at), offset: None, why: String::new() })
    }

    fn answer(evidence: impl IntoIterator<Item = (Source, Observation)>) -> Activity {
        fuse(&evidence.into_iter().collect(), &Known::nothing(Time(0)), Time(100)).activity
    }

    #[test]
    fn the_newest_observation_wins() {
        let working = Activity::Working { on: None };
        assert_eq!(
            answer([seen(Source::Hook, working.clone(), 1), seen(Source::Screen, Activity::Idle, 2)]),
            Activity::Idle
        );
        assert_eq!(answer([seen(Source::Hook, working.clone(), 3), seen(Source::Screen, Activity::Idle, 2)]), working);
    }

    #[test]
    fn an_idle_title_does_not_end_a_permission_dialog() {
        let asks = Activity::NeedsInput { what: InputKind::Permission };
        let evidence = [seen(Source::Hook, asks.clone(), 5), seen(Source::Title, Activity::Idle, 6)];
        assert_eq!(answer(evidence), asks);
    }

    #[test]
    fn after_the_answer_the_title_counts_again() {
        let asks = Activity::NeedsInput { what: InputKind::Permission };
        let evidence = [
            seen(Source::Screen, asks, 5),
            seen(Source::Hook, Activity::Working { on: None }, 6),
            seen(Source::Title, Activity::Idle, 7),
        ];
        assert_eq!(answer(evidence), Activity::Idle);
    }

    #[test]
    fn of_two_at_the_same_moment_the_better_source_wins() {
        let ranked = [
            Source::Structured,
            Source::Hook,
            Source::Osc,
            Source::Transcript,
            Source::Screen,
            Source::Title,
            Source::Process,
        ];
        for (better, worse) in ranked.iter().zip(ranked.iter().skip(1)) {
            let evidence = [seen(*better, Activity::Retrying, 4), seen(*worse, Activity::Idle, 4)];
            assert_eq!(answer(evidence), Activity::Retrying, "{better:?} before {worse:?}");
        }
    }

    #[test]
    fn anything_but_an_idle_title_overrules_a_question_when_it_is_newer() {
        let asks = Activity::NeedsInput { what: InputKind::Permission };
        for (source, says) in [
            (Source::Title, Activity::Working { on: None }),
            (Source::Screen, Activity::Idle),
            (Source::Osc, Activity::Idle),
            (Source::Process, Activity::Exited { code: Some(0) }),
        ] {
            let evidence = [seen(Source::Hook, asks.clone(), 5), seen(source, says.clone(), 6)];
            assert_eq!(answer(evidence), says, "{source:?}");
        }
    }

    #[test]
    fn an_answer_names_its_source_and_keeps_its_beginning() {
        let before = Known { activity: Activity::Idle, since: Time(7), ..Known::nothing(Time(0)) };
        let evidence: BTreeMap<Source, Observation> = [seen(Source::Osc, Activity::Idle, 9)].into_iter().collect();
        let known = fuse(&evidence, &before, Time(100));
        assert_eq!((known.since, known.source, known.confidence), (Time(7), Source::Osc, 95));
        let evidence: BTreeMap<Source, Observation> = [seen(Source::Osc, Activity::Retrying, 9)].into_iter().collect();
        assert_eq!(fuse(&evidence, &before, Time(100)).since, Time(100));
    }

    #[test]
    fn without_evidence_nothing_is_known() {
        assert_eq!(answer([]), Activity::Unknown);
    }
}
