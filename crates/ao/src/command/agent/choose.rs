//! `ao agent choose`: which agent a task would get, with points and reasons.

use crate::context::Context;
use crate::exit::Ended;
use crate::output::Style;
use crate::patience::saying;
use crate::render::table::{Table, styled};
use crate::render::words::line;
use crate::{connect, place};
use ao_api::agent::{AgentChoice, ChooseAgent};
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What is to be done
    #[arg(default_value = "", hide_default_value = true)]
    task: String,
    /// Project; that of the repository around you when left out
    #[arg(short, long)]
    project: Option<String>,
}

/// Asks the daemon, which knows how earlier sessions went.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let project_id = place::project(context, &client, args.project.as_deref()).await?;
    let asked = ChooseAgent { project_id, task: args.task, env: Context::environment() };
    let choice: AgentChoice =
        saying(&context.out, "looking at the agents", client.post("/api/agents/choose", &asked)).await?;
    let out = &context.out;
    if out.is_json() {
        out.json(&choice);
        return Ok(ExitCode::SUCCESS);
    }
    if !choice.ranking.is_empty() {
        let mut table = Table::new(&["AGENT", "POINTS", "BECAUSE"]);
        for one in &choice.ranking {
            let points = one.points.map_or_else(|| "-".to_owned(), |points| points.to_string());
            let style = if one.agent == choice.agent { Style::Bold } else { Style::Dim };
            table.row(vec![styled(&one.agent, style), points.into(), line(&one.reasons.join(", ")).into()]);
        }
        for row in table.lines(out.width(), out.colours()) {
            out.line(&row);
        }
    }
    out.line(&format!("{} would get it: {}", out.paint(Style::Bold, &choice.agent), line(&choice.why)));
    if choice.strategy.as_deref().is_none_or(|strategy| strategy == "fixed") && choice.ranking.is_empty() {
        out.note("`agentSelection.strategy` in agent-orchestrator.yaml lets ao choose: ranked or heuristic");
    }
    Ok(ExitCode::SUCCESS)
}
