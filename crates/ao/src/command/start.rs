//! `ao start`: puts a repository under `ao`, makes sure that the daemon runs, and says where the dashboard is.

use super::daemon::{configured_port, foreground, note_port};
use super::open::open_page;
mod cloning;

use crate::connect;
use crate::context::Context;
use crate::exit::Ended;
use crate::output::{Out, Style};
use crate::render::words::{count, line};
use crate::{confirm, place};
use ao_api::access::SignInCode;
use ao_api::client::Client;
use ao_api::project::ProjectView;
use ao_api::request::Nothing;
use ao_core::config;
use ao_core::kind::{Fault, Kind};
use ao_daemon::registration::CONFIG_FILE;
use ao_slots::terminal::Opening;
use serde::Serialize;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory in a repository, or the address of one to clone; here when left out
    path: Option<PathBuf>,
    /// Clone, and write agent-orchestrator.yaml, without asking
    #[arg(short, long)]
    yes: bool,
    /// Run the daemon in the foreground, for service managers
    #[arg(long)]
    foreground: bool,
}

#[derive(Serialize)]
struct Started {
    url: String,
    projects: Vec<ProjectView>,
}

/// Puts a repository under `ao`.
pub async fn run(context: &Context, args: Args) -> Ended {
    let dir = directory(context, args.path.as_deref(), args.yes).await?;
    let here = Context { cwd: dir.clone(), ..context.clone() };
    if args.foreground {
        return foreground(&here, None).await;
    }
    // What is wrong with the place is said before anything is started for it.
    let repositories = repositories(&here)?;
    let port = configured_port(&here)?;
    let file = connect::ensure(context, port).await?;
    let client = connect::client(context).await?;
    let mut projects = Vec::new();
    for root in &repositories {
        let mut project = place::register(&here, &client, root).await?;
        if place::config(root, &here.cwd)?.is_none() && wants_config(&context.out, &project, args.yes)? {
            write_config(&project)?;
            context.out.note(&format!("wrote {}", Path::new(&project.path).join(CONFIG_FILE).display()));
            project = place::register(&here, &client, root).await?;
        }
        projects.push(project);
    }
    show(context, &file.url, projects);
    note_port(context, port, &file);
    offer_page(context, &client).await
}

async fn directory(context: &Context, path: Option<&Path>, yes: bool) -> Result<PathBuf, Fault> {
    let Some(path) = path else { return Ok(context.cwd.clone()) };
    let text = path.to_string_lossy();
    if cloning::is_address(&text) {
        return cloning::clone(context, &text, yes).await;
    }
    let dir = context.cwd.join(path);
    if !dir.is_dir() {
        return Err(Fault::not_found(format!("there is no directory {}", dir.display())));
    }
    Ok(dir)
}

/// The repository around the directory, else those that its configuration names.
fn repositories(context: &Context) -> Result<Vec<PathBuf>, Fault> {
    if let Some(root) = place::repository(&context.cwd) {
        return Ok(vec![root]);
    }
    let Some(file) = place::config(&context.cwd, &context.cwd)? else {
        return place::require_repository(&context.cwd).map(|root| vec![root]);
    };
    let text = std::fs::read_to_string(&file)
        .map_err(|e| Fault::not_found(format!("{} cannot be read: {e}", file.display())))?;
    let parsed = config::parse(&file.display().to_string(), &text).map_err(|e| Fault::invalid(e.to_string()))?;
    let base = file.parent().unwrap_or(&context.cwd);
    let mut found = Vec::new();
    for (name, project) in &parsed.projects {
        let written = project.path.as_deref().unwrap_or(".");
        let dir = match written.strip_prefix("~/") {
            Some(rest) => std::env::home_dir().map_or_else(|| base.join(written), |home| home.join(rest)),
            None => base.join(written),
        };
        let root = place::repository(&dir).ok_or_else(|| {
            Fault::invalid(format!("projects.{name}.path is {}, which is not in a git repository", dir.display()))
                .hint(format!("mend it in {}", file.display()))
        })?;
        found.push(root);
    }
    if found.is_empty() {
        return place::require_repository(&context.cwd).map(|root| vec![root]);
    }
    Ok(found)
}

/// Whether a configuration is to be written: never unasked.
fn wants_config(out: &Out, project: &ProjectView, yes: bool) -> Result<bool, Fault> {
    if yes {
        return Ok(true);
    }
    if out.is_json() || !confirm::can_ask() {
        out.note(&format!("{} has no {CONFIG_FILE}; ao start --yes writes one", project.path));
        return Ok(false);
    }
    confirm::ask(&format!("Write {CONFIG_FILE} in {}?", project.path), "ao start --yes")
}

/// Writes what holds already, so that it can be changed. What lies there is never overwritten.
fn write_config(project: &ProjectView) -> Result<(), Fault> {
    let path = Path::new(&project.path).join(CONFIG_FILE);
    let failed =
        |e: std::io::Error| Fault::new(Kind::StorageFailed, format!("{} cannot be written: {e}", path.display()));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
    file.write_all(template(project).as_bytes()).map_err(failed)
}

fn template(project: &ProjectView) -> String {
    format!(
        "# What ao does in this repository. Everything may be left out; docs/configuration.md lists every key.\n\
         defaults:\n  agent: {agent}\n  # runtime: process\n  # workspace: worktree\n  # notifiers: [desktop]\n\
         projects:\n  {id}:\n    path: .\n    defaultBranch: {branch}\n    sessionPrefix: {prefix}\n\
         \x20   # The command that must pass before anything lands; `ao trust` allows it.\n    # check: make test\n",
        agent = quoted(&project.agent),
        id = quoted(&project.id),
        branch = quoted(&project.default_branch),
        prefix = quoted(&project.prefix),
    )
}

/// A YAML word; what could be anything else is put in double quotes, which YAML reads as JSON does.
fn quoted(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.'))
        && !matches!(text.to_lowercase().as_str(), "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null");
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

fn show(context: &Context, url: &str, projects: Vec<ProjectView>) {
    let out = &context.out;
    if out.is_json() {
        out.json(&Started { url: url.to_owned(), projects });
        return;
    }
    for project in &projects {
        let check = project.check.as_deref().map_or_else(String::new, |c| format!(" · check `{}`", line(c)));
        let live = count(project.live_sessions as usize, "live session");
        out.line(&format!(
            "{} · {} · lands on {}{check} · {live}",
            out.paint(Style::Bold, &project.id),
            line(&project.path),
            line(&project.default_branch)
        ));
    }
    out.line(url);
}

/// On a terminal with a desktop the page is opened if the person wants it.
async fn offer_page(context: &Context, client: &Client) -> Ended {
    let out = &context.out;
    let desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|n| std::env::var_os(n).is_some_and(|v| !v.is_empty()));
    if out.is_json() || !out.is_terminal() || !confirm::can_ask() || !desktop {
        out.note("ao open signs a browser in");
        return Ok(ExitCode::SUCCESS);
    }
    if confirm::ask("Open it in a browser?", "ao open")? {
        let code: SignInCode = client.post("/api/sign-in/codes", &Nothing {}).await?;
        let opening = Opening { url: code.url, ..Opening::default() };
        if let Err(fault) = open_page(&opening).await {
            out.note(&line(&fault.message));
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_configuration_means_what_holds_already() {
        for (id, branch, prefix) in [("my-app", "main", "ma"), ("no", "release/1.0", "on"), ("app", "a'b\"c", "123")] {
            let project = ProjectView {
                id: id.to_owned(),
                path: "/x".to_owned(),
                data: "/d".to_owned(),
                prefix: prefix.to_owned(),
                default_branch: branch.to_owned(),
                check: None,
                agent: "claude-code".to_owned(),
                live_sessions: 0,
            };
            let text = template(&project);
            let parsed = config::parse("x.yaml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
            let written = &parsed.projects[id];
            assert_eq!(written.default_branch.as_deref(), Some(branch));
            assert_eq!(written.session_prefix.as_deref(), Some(prefix));
            assert!(config::commands(written).is_empty(), "what ao writes needs no trust");
        }
    }
}
