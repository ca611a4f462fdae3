//! Tokens and what they cost, in words and as a table.

use super::table::{Table, styled};
use super::words::line;
use crate::output::Style;
use ao_api::usage::{SpentView, Usages};

/// `12.4k in · 800 out · 90.1k cached · $0.12`.
#[must_use]
pub fn tokens(spent: &SpentView) -> String {
    let cached = spent.cache_read_tokens + spent.cache_write_tokens;
    let cached = if cached > 0 { format!(" · {} cached", short(cached)) } else { String::new() };
    format!("{} in · {} out{cached} · {}", short(spent.input_tokens), short(spent.output_tokens), line(&spent.cost))
}

/// A count in three digits or so.
#[must_use]
pub fn short(n: u64) -> String {
    let (unit, name) = match n {
        0..1_000 => return n.to_string(),
        1_000..1_000_000 => (1_000, "k"),
        1_000_000..1_000_000_000 => (1_000_000, "M"),
        _ => (1_000_000_000, "G"),
    };
    let tenths = n.saturating_mul(10) / unit;
    format!("{}.{}{name}", tenths / 10, tenths % 10)
}

/// One line for each session and model, and the sum.
#[must_use]
pub fn usage(all: &Usages, width: Option<usize>, colour: bool) -> Vec<String> {
    let mut table = Table::new(&["SESSION", "AGENT", "MODEL", "IN", "OUT", "CACHED", "COST"]);
    let cells = |spent: &SpentView| {
        [spent.input_tokens, spent.output_tokens, spent.cache_read_tokens + spent.cache_write_tokens].map(short)
    };
    for row in &all.rows {
        let [input, output, cached] = cells(&row.spent);
        let model = if row.model.is_empty() { "not named" } else { row.model.as_str() };
        table.row(vec![
            styled(&row.session, Style::Bold),
            row.agent.as_str().into(),
            line(model).into(),
            input.into(),
            output.into(),
            cached.into(),
            row.spent.cost.as_str().into(),
        ]);
    }
    let [input, output, cached] = cells(&all.total);
    table.row(vec![
        styled("all", Style::Bold),
        "".into(),
        "".into(),
        input.into(),
        output.into(),
        cached.into(),
        all.total.cost.as_str().into(),
    ]);
    table.lines(width, colour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ao_api::usage::UsageRow;

    #[test]
    fn use_is_shown_by_session_and_model_and_an_unknown_price_is_never_nothing() {
        let spent = |input, cost: &str| SpentView {
            input_tokens: input,
            output_tokens: 42,
            cost: cost.to_owned(),
            ..SpentView::default()
        };
        let row = |session: &str, model: &str, spent| UsageRow {
            session: session.to_owned(),
            project_id: "app".to_owned(),
            agent: "codex".to_owned(),
            model: model.to_owned(),
            spent,
        };
        let rows =
            vec![row("app-1", "gpt-5.1-codex", spent(12_400, "$0.02")), row("app-2", "", spent(900, "unknown price"))];
        let all = Usages { rows, total: spent(13_300, "$0.02 + unknown price"), prices_dated: "2026-10-24".to_owned() };
        let lines = usage(&all, None, false).join("\n");
        for part in ["app-1", "gpt-5.1-codex", "12.4k", "not named", "unknown price", "$0.02 + unknown price"] {
            assert!(lines.contains(part), "{lines}");
        }
        assert_eq!(tokens(&all.rows[0].spent), "12.4k in · 42 out · $0.02");
    }
}
