//! Why a session has its status: the rule, the evidence, what is on its way.

use super::table::{Table, styled};
use super::words::{age, line};
use crate::output::{Style, paint};
use ao_api::explanation::Explanation;

/// The evidence behind one session's status.
#[must_use]
pub fn explain(e: &Explanation, env: bool, now: u64, width: Option<usize>, colour: bool) -> Vec<String> {
    let mut out = super::sessions::one(&e.session, None, now, colour);
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            out.push(String::new());
            out.push(paint(colour, Style::Bold, title));
            out.extend(lines.into_iter().map(|l| format!("  {l}")));
        }
    };
    let known = &e.session.activity;
    section("rule", vec![format!("{} (docs/status.md)", line(&e.rule))]);
    section(
        "activity",
        vec![format!(
            "{} by {} ({} %): {}",
            line(&known.activity),
            line(&known.source),
            known.confidence,
            line(&known.why)
        )],
    );
    let inner = width.map(|w| w.saturating_sub(2));
    if !e.evidence.is_empty() {
        let mut table = Table::new(&["", "SOURCE", "SAYS", "AGE", "BECAUSE"]);
        for seen in &e.evidence {
            let decided = if seen.source == known.source { "→" } else { "" };
            table.row(vec![
                decided.into(),
                seen.source.as_str().into(),
                seen.activity.as_str().into(),
                age(seen.at, now).into(),
                seen.why.as_str().into(),
            ]);
        }
        let mut lines = table.lines(inner, colour);
        lines.extend(won(e));
        section("evidence", lines);
    }
    if !e.pending.is_empty() {
        let mut table = Table::new(&["EFFECT", "SINCE", "STATE"]);
        for pending in &e.pending {
            let state = match (&pending.fault, pending.uncertain) {
                (Some(fault), _) => styled(fault, Style::Red),
                (None, true) => "not known whether it happened".into(),
                (None, false) => "on its way".into(),
            };
            table.row(vec![pending.key.as_str().into(), age(pending.since, now).into(), state]);
        }
        section("pending", table.lines(inner, colour));
    }
    if !e.deliveries.is_empty() {
        let mut table = Table::new(&["PROMPT", "STATE", "SHA-256", "HELD"]);
        for d in &e.deliveries {
            let hash = d.sha256.get(..12).unwrap_or(&d.sha256).to_owned();
            table.row(vec![
                d.id.as_str().into(),
                d.state.as_str().into(),
                hash.into(),
                d.held.clone().unwrap_or_default().into(),
            ]);
        }
        section("prompts", table.lines(inner, colour));
    }
    if env {
        section("environment (values are not shown)", e.env.iter().map(|n| line(n)).collect());
    }
    out
}

/// Why one signal counts more than the others.
fn won(e: &Explanation) -> Option<String> {
    let decided = e.evidence.iter().find(|seen| seen.source == e.session.activity.source)?;
    let newest = e.evidence.iter().all(|seen| seen.at <= decided.at);
    let others = e.evidence.len() - 1;
    Some(match (others, newest) {
        (0, _) => format!("{} is the only source that said anything", line(&decided.source)),
        (_, true) => format!("{} counts: it is the newest of {} signals", line(&decided.source), others + 1),
        (_, false) => format!("{} counts: an idle title alone does not end a question", line(&decided.source)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ao_api::explanation::EvidenceView;

    #[test]
    fn the_signal_that_counts_is_marked_with_its_reason() {
        let seen = |source: &str, activity: &str, at| EvidenceView {
            source: source.to_owned(),
            activity: activity.to_owned(),
            at,
            why: format!("{source} {activity}"),
        };
        let mut e = Explanation {
            session: super::super::sessions::tests::session("app-1", "working", "t"),
            rule: "working".to_owned(),
            evidence: vec![seen("hook", "working", 90_000), seen("screen", "idle", 80_000)],
            pending: Vec::new(),
            deliveries: Vec::new(),
            env: Vec::new(),
        };
        let text = |e: &Explanation| explain(e, false, 100_000, None, false).join("\n");
        assert!(text(&e).contains("→  hook"), "{}", text(&e));
        assert!(text(&e).contains("hook counts: it is the newest of 2 signals"), "{}", text(&e));
        e.evidence[1] = seen("title", "idle", 95_000);
        assert!(text(&e).contains("an idle title alone does not end a question"), "{}", text(&e));
    }
}
