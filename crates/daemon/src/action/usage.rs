//! What agents used of their models, from what was read of their transcripts.

use super::row::{Call, Row};
use crate::access::caller::{Inside, Need};
use ao_api::usage::{SpentView, UsageQuery, UsageRow, Usages};
use ao_core::kind::Fault;
use ao_core::usage::{ByModel, MicroUsd, Prices};
use axum::http::Method;
use std::collections::BTreeMap;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("LIST_USAGE", Method::GET, "/api/usage", usage)
            .verb("ao usage")
            .says("Shows tokens and their cost at list prices, by session and model.")
            .needs(Need::Viewer)
            .inside(Inside::Own),
    ]
}

async fn usage(call: Call, query: UsageQuery) -> Result<Usages, Fault> {
    call.engine().read(|c| {
        let one = query.session.as_deref().map(|wanted| c.facts.find_session(wanted)).transpose()?;
        let (mut used, mut said) = (ByModel::new(), BTreeMap::<String, MicroUsd>::new());
        let mut rows = Vec::new();
        for session in c.facts.sessions.values() {
            let wanted = one.is_none_or(|one| one.id == session.id)
                && query.project.as_ref().is_none_or(|project| session.project.as_str() == project)
                && query.since.is_none_or(|since| session.changed.0 >= since)
                && call.caller.reaches_session(session).is_ok();
            if !wanted {
                continue;
            }
            rows.extend(UsageRow::all(session));
            for (model, tokens) in &session.reading.used {
                // Where one session's agent says the cost and another's does not, they are summed apart.
                let key = if session.reading.said_cost.contains_key(model) {
                    format!("{model} of {}", session.id)
                } else {
                    model.clone()
                };
                if let Some(cost) = session.reading.said_cost.get(model) {
                    said.insert(key.clone(), *cost);
                }
                *used.entry(key).or_default() += *tokens;
            }
        }
        if let Some(one) = one {
            call.caller.reaches_session(one)?;
        }
        Ok(Usages { rows, total: SpentView::of(&used, &said), prices_dated: Prices::built_in().dated.clone() })
    })
}
