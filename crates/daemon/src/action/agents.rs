//! Actions on agents: which one a task would get.

use super::row::{Call, Row};
use super::sessions::socket_only;
use crate::choosing::{self, Task};
use crate::registration::find_project;
use ao_api::agent::{AgentChoice, ChooseAgent};
use ao_core::kind::Fault;
use axum::http::Method;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("CHOOSE_AGENT", Method::POST, "/api/agents/choose", choose)
            .verb("ao agent choose")
            .says("Says which agent a task would get, with points and reasons; nothing is started."),
    ]
}

async fn choose(call: Call, wanted: ChooseAgent) -> Result<AgentChoice, Fault> {
    socket_only(&call, &wanted.env)?;
    let project = find_project(call.engine(), wanted.project_id.as_deref())?;
    call.caller.reaches_project(&project.id)?;
    let task = Task {
        settings: &project.settings,
        agent: None,
        runtime: None,
        model: None,
        words: &wanted.task,
        env: &wanted.env,
    };
    let (asked, choice) = choosing::rank(call.engine(), &task).await?;
    Ok(AgentChoice::of(&asked, choice))
}
