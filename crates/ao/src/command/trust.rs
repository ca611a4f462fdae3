//! `ao trust`: a person's word for the commands that a configuration brings with it.

use crate::context::Context;
use crate::exit::Ended;
use crate::render::words::line;
use crate::{confirm, place};
use ao_core::config;
use ao_core::kind::{Fault, Kind};
use ao_daemon::trust;
use serde::Serialize;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration; the one that holds here when left out
    file: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

#[derive(Serialize)]
struct Trusted {
    file: String,
    commands: Vec<String>,
    trusted: bool,
}

/// Trusts a configuration.
pub async fn run(context: &Context, args: Args) -> Ended {
    let file = match args.file {
        Some(file) => std::fs::canonicalize(context.cwd.join(&file))
            .map_err(|e| Fault::not_found(format!("{} cannot be read: {e}", file.display())))?,
        None => place::config(&context.cwd, &context.cwd)?.ok_or_else(|| {
            Fault::not_found("there is no agent-orchestrator.yaml here or above").hint("ao trust FILE")
        })?,
    };
    let text = std::fs::read_to_string(&file)
        .map_err(|e| Fault::not_found(format!("{} cannot be read: {e}", file.display())))?;
    let parsed = config::parse(&file.display().to_string(), &text).map_err(|e| Fault::invalid(e.to_string()))?;
    let mut commands: Vec<String> = parsed.projects.values().flat_map(config::commands).collect();
    commands.extend(parsed.terminal.command);
    let out = &context.out;
    let name = file.display().to_string();
    if commands.is_empty() {
        out.note(&format!("{name} runs no commands: there is nothing to trust"));
    } else {
        let already = trust::is_trusted(&context.paths, &file, &text);
        if !already {
            if !out.is_json() {
                out.note(&format!("{name} wants to run:"));
                for command in &commands {
                    out.note(&format!("  {}", line(command)));
                }
            }
            if !args.yes && !confirm::ask("Allow these commands?", "read the file, then: ao trust --yes")? {
                return Err(Fault::new(Kind::Denied, "nothing was trusted"));
            }
            let storage = |e: std::io::Error| {
                Fault::new(Kind::StorageFailed, format!("{}: {e}", context.paths.trust().display()))
            };
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(context.paths.root()).map_err(storage)?;
            trust::trust(&context.paths, &file, &text).map_err(storage)?;
        }
        out.line(&format!("{name} is trusted as it is now; a changed file asks again"));
    }
    if out.is_json() {
        out.json(&Trusted { file: name, commands, trusted: true });
    }
    Ok(ExitCode::SUCCESS)
}
