//! `ao rescue`: what was kept of removed worktrees.

use crate::context::Context;
use crate::exit::Ended;
use crate::output::Style;
use crate::patience::saying;
use crate::render::table::{Table, styled};
use crate::render::words::{age, line, now_ms, short};
use crate::{confirm, connect, route};
use ao_api::project::{RescueText, RescueView, Rescues};
use ao_api::request::{OneRescue, RestoreRescue};
use ao_core::kind::Fault;
use std::path::PathBuf;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List what was kept
    List {
        /// Only of this project
        #[arg(short, long)]
        project: Option<String>,
    },
    /// Say what is in it
    Show {
        /// The session (id, name or unique prefix) or the ref
        name: String,
        /// Only of this project
        #[arg(short, long)]
        project: Option<String>,
    },
    /// Put it into a new directory, on a new branch
    Restore {
        /// The session (id, name or unique prefix) or the ref
        name: String,
        /// The new directory; ./NAME when left out
        to: Option<PathBuf>,
        /// Only of this project
        #[arg(short, long)]
        project: Option<String>,
    },
    /// Forget it; git deletes it when it cleans up
    Drop {
        /// The session (id, name or unique prefix) or the ref
        name: String,
        /// Only of this project
        #[arg(short, long)]
        project: Option<String>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}

/// Lists or restores rescued work.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let out = &context.out;
    match args.verb {
        Verb::List { project } => {
            let found: Rescues = client.get(&route::query("/api/rescues", &[("project", project)])).await?;
            if out.is_json() {
                out.json(&found);
            } else if found.rescues.is_empty() {
                out.note("nothing was kept");
            } else {
                let mut table = Table::new(&["KEPT", "PROJECT", "COMMIT", "AGE", "WHAT"]);
                for r in &found.rescues {
                    let name = r.name.strip_prefix("refs/ao/rescue/").unwrap_or(&r.name);
                    table.row(vec![
                        styled(name, Style::Bold),
                        r.project_id.as_str().into(),
                        short(&r.commit).into(),
                        age(r.at, now_ms()).into(),
                        r.subject.as_str().into(),
                    ]);
                }
                for line in table.lines(out.width(), out.colours()) {
                    out.line(&line);
                }
            }
        }
        Verb::Show { name, project } => {
            let parts = [("name", Some(name)), ("project", project)];
            let found: RescueText = client.get(&route::query("/api/rescues/show", &parts)).await?;
            if out.is_json() {
                out.json(&found);
            } else {
                out.line(&format!(
                    "{} ({}, {})",
                    found.rescue.name,
                    found.rescue.project_id,
                    short(&found.rescue.commit)
                ));
                for text in found.text.lines() {
                    out.line(&line(text));
                }
            }
        }
        Verb::Drop { name, project, yes } => {
            let question = format!("Forget what was kept as {}?", line(&name));
            if !yes && !confirm::ask(&question, "ao rescue drop NAME --yes")? {
                out.note("nothing was forgotten");
                return Ok(ExitCode::SUCCESS);
            }
            let gone: RescueView = client.post("/api/rescues/drop", &OneRescue { project, name }).await?;
            if out.is_json() {
                out.json(&gone);
            } else {
                let back = format!("git update-ref {} {}", gone.name, gone.commit);
                out.line(&format!("{} is forgotten; until git cleans up, this brings it back: {back}", gone.name));
            }
        }
        Verb::Restore { name, to, project } => {
            let last = name.rsplit('/').next().unwrap_or(&name).to_owned();
            let to = context.cwd.join(to.unwrap_or_else(|| PathBuf::from(last)));
            let Some(text) = to.to_str() else {
                return Err(Fault::invalid(format!("the path {} is not UTF-8", to.display())));
            };
            let wanted = RestoreRescue { project, name, to: text.to_owned() };
            let words = format!("restoring {}", line(&wanted.name));
            let restoring = client.post("/api/rescues/restore", &wanted);
            let restored: RescueView = saying(out, &words, restoring).await?;
            if out.is_json() {
                out.json(&restored);
            } else {
                out.line(&line(&restored.subject));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
