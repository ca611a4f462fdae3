//! The action registry: one row per thing that callers can have done. HTTP routes, OpenAPI, MCP tools and the CLI
//! reference are made from these rows; nothing is offered to callers that has no row.

mod agents;
mod attachments;
mod daemon;
mod deliveries;
mod disk;
pub(crate) mod events;
pub(crate) mod idempotency;
mod issues;
mod openapi;
mod projects;
mod questions;
mod rescues;
mod rest;
pub mod row;
mod runs;
mod sessions;
mod sign_in;
pub(crate) mod summary;
pub(crate) mod terminal;
mod tokens;
mod transcript;
mod usage;

use row::Row;
use std::sync::OnceLock;

/// Every action, in the order in which the reference lists them.
pub fn rows() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let rooms = [
            sessions::rows(),
            questions::rows(),
            rest::rows(),
            usage::rows(),
            agents::rows(),
            terminal::rows(),
            deliveries::rows(),
            runs::rows(),
            projects::rows(),
            issues::rows(),
            rescues::rows(),
            disk::rows(),
            events::rows(),
            sign_in::rows(),
            tokens::rows(),
            daemon::rows(),
        ];
        rooms.into_iter().flatten().collect()
    })
}

/// The whole interface as OpenAPI 3.1.
#[must_use]
pub fn openapi() -> serde_json::Value {
    openapi::openapi(rows())
}

/// The row with this name or alias.
#[must_use]
pub fn find(name: &str) -> Option<&'static Row> {
    rows().iter().find(|r| r.name == name || r.aliases.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::caller::{Inside, Need};
    use std::collections::BTreeSet;

    #[test]
    fn no_two_rows_answer_to_the_same_name_or_place() {
        let (mut names, mut places) = (BTreeSet::new(), BTreeSet::new());
        for row in rows() {
            for name in row.aliases.iter().chain([&row.name]) {
                assert!(names.insert(*name), "{name} is there twice");
            }
            assert!(places.insert((row.method.to_string(), row.path)), "{} {} is there twice", row.method, row.path);
        }
    }

    #[test]
    fn every_row_says_what_it_does_and_lies_under_api() {
        for row in rows() {
            assert!(row.path.starts_with("/api/"), "{}", row.path);
            assert!(row.summary.len() > 10 && row.summary.ends_with('.'), "{}: {:?}", row.name, row.summary);
            assert!(row.name.chars().all(|c| c.is_ascii_uppercase() || c == '_'), "{}", row.name);
        }
    }

    #[test]
    fn what_changes_something_needs_more_than_to_read() {
        for row in rows().iter().filter(|r| r.method != "GET") {
            let open = matches!(row.need, Need::Nothing | Need::Viewer);
            assert!(!open || row.path == "/api/sign-in", "{} needs only {:?}", row.name, row.need);
            assert_ne!(row.inside, Inside::Own, "a session may not {}", row.name);
        }
    }

    #[test]
    fn the_names_of_the_peers_are_known() {
        for name in [
            "SPAWN_AGENT",
            "SPAWN_CODING_AGENT",
            "LIST_AGENTS",
            "LIST_CODING_AGENTS",
            "SEND_TO_AGENT",
            "SEND_TO_CODING_AGENT",
            "STOP_AGENT",
            "STOP_CODING_AGENT",
        ] {
            assert!(find(name).is_some(), "{name}");
        }
    }
}
