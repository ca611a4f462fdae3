//! `ao rescue`: what was kept of removed worktrees.

use crate::context::Context;
use crate::exit::Ended;
use crate::output::Style;
use crate::patience::saying;
use crate::render::table::{Table, styled};
use crate::render::words::{age, line, now_ms, short};
use crate::{connect, place, route};
use ao_api::project::{RescueView, Rescues};
use ao_api::request::RestoreRescue;
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
    /// Put it into a new directory, on a new branch
    Restore {
        /// The session or the ref
        name: String,
        /// The new directory; ./NAME when left out
        to: Option<PathBuf>,
        /// Project; that of the repository around you when left out
        #[arg(short, long)]
        project: Option<String>,
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
        Verb::Restore { name, to, project } => {
            let Some(project) = place::project(context, &client, project.as_deref()).await? else {
                return Err(Fault::invalid("say which project").hint("ao rescue restore NAME --project PROJECT"));
            };
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
