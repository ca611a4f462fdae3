//! Which agents are turned away by their providers, and until when: what their sessions ran into.

use crate::activity::Activity;
use crate::facts::Facts;
use crate::time::{Millis, Time};
use std::collections::BTreeMap;

/// A limit that came without a time is waited out this long: hosts of models renew theirs by the minute or by the hour.
const UNDATED: Millis = Millis::mins(30);

/// Until when each agent is turned away; agents whose limits are over are not named.
#[must_use]
pub fn of(facts: &Facts, now: Time) -> BTreeMap<String, Time> {
    let mut limits: BTreeMap<String, Time> = BTreeMap::new();
    for session in facts.sessions.values() {
        let Activity::RateLimited { until } = session.known.activity else { continue };
        let until = until.unwrap_or(session.known.since.after(UNDATED));
        if until > now {
            let latest = limits.entry(session.agent.clone()).or_insert(until);
            *latest = until.max(*latest);
        }
    }
    limits
}
