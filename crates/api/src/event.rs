//! Events as callers see them: a stable type name, a line for people, and the event itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
    /// Sequence number; also the id of the server-sent event.
    pub seq: u64,
    /// Wall time: Unix milliseconds.
    pub at: u64,
    /// Project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Kind of event, as in the journal (`session_requested`, `effect_done`, …).
    #[serde(rename = "type")]
    pub kind: String,
    /// One line for people.
    pub summary: String,
    /// The sessions that changed, as they are after this event: enough to redraw a page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<crate::session::SessionView>,
    /// The runs that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<crate::run::RunView>,
    /// The queues that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<crate::run::QueueView>,
}

/// Events that were asked for without following (`GET /api/events?follow=false`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Events {
    /// The events, oldest first.
    pub events: Vec<EventView>,
}
