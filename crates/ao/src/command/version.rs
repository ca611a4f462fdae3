//! `ao version`: of this binary, and of the daemon if one runs.

use crate::connect::{self, Standing, VERSION};
use crate::context::Context;
use crate::exit::Ended;
use serde::Serialize;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {}

#[derive(Serialize)]
struct Versions {
    ao: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    daemon: Option<String>,
}

/// Shows versions.
pub async fn run(context: &Context, _: Args) -> Ended {
    let daemon = match connect::look(context).await {
        Standing::Running(file) => Some(file.version),
        Standing::Crashed | Standing::Absent => None,
    };
    let out = &context.out;
    if out.is_json() {
        out.json(&Versions { ao: VERSION, daemon });
        return Ok(ExitCode::SUCCESS);
    }
    out.line(&format!("ao {VERSION}"));
    match daemon {
        Some(version) if version == VERSION => {}
        Some(version) => out.line(&format!("daemon {version} (ao daemon restart starts {VERSION})")),
        None => out.line("no daemon runs"),
    }
    Ok(ExitCode::SUCCESS)
}
