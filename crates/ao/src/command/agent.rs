//! `ao agent`: which agents there are, whether they work here, whether their files are right, and how one logs in.

mod choose;

use crate::compose::cast::Cast;
use crate::compose::replay::{Signals, replay};
use crate::compose::{self, LoggedIn};
use crate::context::Context;
use crate::exit::{Ended, NOT_GREEN};
use crate::output::Style;
use crate::patience::saying;
use crate::render::table::{Table, styled};
use crate::render::words::line;
use ao_core::adapter::{Adapter, version};
use ao_core::kind::{Fault, Kind};
use ao_slots::agent::{Agent, Detected};
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// What was asked for.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the agents that ao knows
    List,
    /// Read the files that describe agents, and play the recordings that prove their rules
    Check {
        /// Only this agent
        agent: Option<String>,
        /// Where the recordings lie (`recordings` beside your own files when left out)
        #[arg(long, value_name = "DIR")]
        recordings: Option<PathBuf>,
    },
    /// Look whether agents are installed, of a measured version, and logged in
    Doctor {
        /// Only this agent
        agent: Option<String>,
    },
    /// Say which agent a task would get, and why
    Choose(choose::Args),
    /// Log in to an agent, by its own program
    Login {
        /// Which
        agent: String,
    },
}

/// How one agent stands on this machine.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    name: String,
    aliases: Vec<String>,
    about: String,
    installed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// What is wrong with its file, as `FILE:LINE: what`; it is never started.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
    /// `measured`, `newer`, `older`, `unknown`, `untested`.
    measured: &'static str,
    /// `yes`, `no`, `not_needed`.
    login: &'static str,
    login_by: Vec<String>,
    memory_mb: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    todo: Vec<String>,
}

/// Whether one agent's file holds what it promises.
#[derive(Debug, Default, Serialize)]
struct Checked {
    name: String,
    rules: usize,
    recordings: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wrong: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// Runs it.
pub async fn run(context: &Context, args: Args) -> Ended {
    let registry = compose::registry(context)?;
    let all = || registry.agents.values().cloned().collect::<Vec<_>>();
    let some = |name: Option<String>| match name {
        Some(name) => Ok(vec![registry.agent(&name)?]),
        None => Ok::<_, Fault>(all()),
    };
    match args.verb {
        Verb::List => list(context, &all()).await,
        Verb::Doctor { agent } => doctor(context, &some(agent)?).await,
        Verb::Check { agent, recordings } => {
            let own = compose::agents_dir(context).join("recordings");
            check(context, &some(agent)?, &recordings.map_or(own, |dir| context.cwd.join(dir)))
        }
        Verb::Choose(args) => choose::run(context, args).await,
        Verb::Login { agent } => login(context, registry.agent(&agent)?.as_ref()).await,
    }
}

async fn standings(context: &Context, agents: &[Arc<dyn Agent>]) -> Vec<Standing> {
    let look = async {
        let mut found = Vec::new();
        for agent in agents {
            found.push(standing(agent.as_ref()).await);
        }
        found
    };
    saying(&context.out, "asking the agents for their versions", look).await
}

async fn standing(agent: &dyn Agent) -> Standing {
    let adapter = agent.adapter();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut todo = Vec::new();
    let (installed, said) = match agent.detect(&path).await {
        Detected::Installed { version, .. } => (true, version),
        Detected::Missing { hint } => {
            todo.push(agent.fault().and_then(|fault| fault.hint).unwrap_or(hint));
            (false, None)
        }
    };
    let measured = measured(adapter, said.as_deref());
    match measured {
        "newer" => todo.push(format!(
            "its rules were measured on {}: if a status looks wrong, `ao explain` tells by which rule",
            adapter.measured.join(", ")
        )),
        "older" => todo.push(format!("its rules were measured on {}: update it", adapter.measured.join(", "))),
        _ => {}
    }
    let login = compose::logged_in(adapter, |name| std::env::var(name).ok());
    if installed && login == LoggedIn::No {
        let hint = &adapter.login.hint;
        todo.push(if hint.is_empty() { "log in".to_owned() } else { hint.clone() });
    }
    Standing {
        name: adapter.name.clone(),
        aliases: adapter.aliases.clone(),
        about: adapter.about.clone(),
        installed,
        version: said,
        broken: agent.fault().map(|fault| fault.message),
        measured,
        login: match login {
            LoggedIn::NotNeeded => "not_needed",
            LoggedIn::By(_) => "yes",
            LoggedIn::No => "no",
        },
        login_by: if let LoggedIn::By(by) = login { by } else { Vec::new() },
        memory_mb: adapter.memory_mb,
        todo,
    }
}

/// How an installed version stands to those that were measured.
fn measured(adapter: &Adapter, said: Option<&str>) -> &'static str {
    match (adapter.newest_measured(), said) {
        _ if adapter.untested => "untested",
        (None, _) | (_, None) => "unknown",
        (Some(newest), Some(said)) => match version::compare(said, newest) {
            _ if adapter.measured.iter().any(|m| version::compare(m, said).is_eq()) => "measured",
            Ordering::Greater => "newer",
            Ordering::Less | Ordering::Equal => "older",
        },
    }
}

async fn list(context: &Context, agents: &[Arc<dyn Agent>]) -> Ended {
    let found = standings(context, agents).await;
    let out = &context.out;
    if out.is_json() {
        out.json(&found);
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&["AGENT", "INSTALLED", "LOGIN", "MEMORY", "ABOUT"]);
    for one in &found {
        let version = one.version.clone().unwrap_or_else(|| "yes".to_owned());
        if one.broken.is_some() {
            let cells = [styled(&one.name, Style::Bold), styled("broken", Style::Red), "-".into(), "-".into()];
            table.row(cells.into_iter().chain([line(&one.about).into()]).collect());
            continue;
        }
        table.row(vec![
            styled(&one.name, Style::Bold),
            if one.installed { version } else { "-".to_owned() }.into(),
            one.login.replace('_', " ").into(),
            format!("{} MB", one.memory_mb).into(),
            line(&one.about).into(),
        ]);
    }
    for line in table.lines(out.width(), out.colours()) {
        out.line(&line);
    }
    // Below the table: a place in a file is not cut to the width.
    for broken in found.iter().filter_map(|one| one.broken.as_ref()) {
        out.line(&format!("{}  {}", out.paint(Style::Red, "bad "), line(broken)));
    }
    Ok(ExitCode::SUCCESS)
}

async fn doctor(context: &Context, agents: &[Arc<dyn Agent>]) -> Ended {
    let found = standings(context, agents).await;
    let one = found.len() == 1;
    let out = &context.out;
    // Not having all agents is no fault; asking for one that does not work is.
    let well = found.iter().any(|s| s.installed && s.login != "no") && found.iter().all(|s| s.broken.is_none());
    if out.is_json() {
        out.json(&found);
    } else {
        for standing in found.iter().filter(|s| one || s.installed || s.broken.is_some()) {
            if let Some(broken) = &standing.broken {
                out.line(&format!("{}  {:<12} {}", out.paint(Style::Red, "bad "), standing.name, line(broken)));
                continue;
            }
            let version = standing.version.as_deref().unwrap_or("no version");
            let (mark, style) = match (standing.installed, standing.login, standing.measured) {
                (false, ..) => ("bad ", Style::Red),
                (_, "no", _) | (_, _, "newer" | "older" | "untested") => ("note", Style::Yellow),
                _ => ("ok  ", Style::Green),
            };
            let by = if standing.login_by.is_empty() {
                String::new()
            } else {
                format!(" ({})", standing.login_by.join(", "))
            };
            let here = if standing.installed {
                format!("{version}, {}", standing.measured)
            } else {
                "not installed".to_owned()
            };
            let login = standing.login.replace('_', " ");
            out.line(&format!("{}  {:<12} {here} · login: {login}{by}", out.paint(style, mark), standing.name));
            for todo in &standing.todo {
                out.line(&format!("{:18} → {}", "", line(todo)));
            }
        }
        let missing: Vec<&str> =
            found.iter().filter(|s| !s.installed && s.broken.is_none()).map(|s| s.name.as_str()).collect();
        if !one && !missing.is_empty() {
            out.line(&format!("not installed: {}; `ao agent doctor NAME` says how", missing.join(", ")));
        }
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(NOT_GREEN) })
}

/// Whether each file is understood, and the proof of every rule.
fn check(context: &Context, agents: &[Arc<dyn Agent>], recordings: &Path) -> Ended {
    let checked: Vec<Checked> = agents.iter().map(|agent| checked(agent.as_ref(), recordings)).collect();
    let well = checked.iter().all(|c| c.wrong.is_empty());
    let out = &context.out;
    if out.is_json() {
        out.json(&checked);
    } else {
        for one in &checked {
            let mark =
                if one.wrong.is_empty() { out.paint(Style::Green, "ok  ") } else { out.paint(Style::Red, "bad ") };
            out.line(&format!("{mark}  {:<12} {} rules, {} recordings", one.name, one.rules, one.recordings));
            for wrong in one.wrong.iter().chain(&one.notes) {
                out.line(&format!("{:18} → {}", "", line(wrong)));
            }
        }
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(NOT_GREEN) })
}

fn checked(agent: &dyn Agent, recordings: &Path) -> Checked {
    match agent.fault() {
        None => proofs(agent.adapter(), recordings),
        Some(fault) => Checked { name: agent.adapter().name.clone(), wrong: vec![fault.message], ..Checked::default() },
    }
}

/// Plays the recordings that an adapter's rules name. A proof that names a test's source is that test's affair.
fn proofs(adapter: &Adapter, recordings: &Path) -> Checked {
    let mut checked = Checked { name: adapter.name.clone(), rules: adapter.rules.len(), ..Checked::default() };
    let mut held: BTreeMap<&str, Option<BTreeSet<String>>> = BTreeMap::new();
    for rule in &adapter.rules {
        if rule.proof.is_empty() {
            let says = format!("rule {:?} names no recording that proves it", rule.name);
            if adapter.untested { checked.notes.push(says) } else { checked.wrong.push(says) }
        }
        for proof in rule.proof.iter().filter(|p| !p.contains('/')) {
            let file = recordings.join(format!("{proof}.cast"));
            let rules = held.entry(proof).or_insert_with(|| {
                let text = std::fs::read_to_string(&file).ok()?;
                Some(replay(&Cast::parse(&text).ok()?, adapter, Signals::Screen).rules)
            });
            match rules {
                None => checked.wrong.push(format!("rule {:?}: {} is no recording", rule.name, file.display())),
                Some(rules) if !rules.contains(&rule.name) => {
                    checked.wrong.push(format!("rule {:?} never holds in {proof}", rule.name));
                }
                Some(_) => {}
            }
        }
    }
    checked.recordings = held.values().flatten().count();
    checked
}

/// Runs the agent's own login in this terminal.
async fn login(context: &Context, agent: &dyn Agent) -> Ended {
    let adapter = agent.adapter();
    let path = std::env::var("PATH").unwrap_or_default();
    let program = match agent.detect(&path).await {
        Detected::Installed { path, .. } => path,
        Detected::Missing { hint } => {
            return Err(Fault::not_found(format!("the agent {} is not installed", adapter.name)).hint(hint));
        }
    };
    if adapter.login.none {
        context.out.note(&format!("{} needs no login", adapter.name));
        return Ok(ExitCode::SUCCESS);
    }
    if adapter.login.login.is_empty() {
        let what = format!("{} has no command that logs in", adapter.name);
        return Err(Fault::new(Kind::Unsupported, what).hint(adapter.login.hint.clone()));
    }
    let status = std::process::Command::new(&program)
        .args(&adapter.login.login)
        .status()
        .map_err(|e| Fault::unavailable(format!("{} cannot be started: {e}", program.display())))?;
    match compose::logged_in(adapter, |name| std::env::var(name).ok()) {
        LoggedIn::By(by) => context.out.note(&format!("{} is logged in: {}", adapter.name, by.join(", "))),
        LoggedIn::NotNeeded | LoggedIn::No => context.out.note(&format!("no login of {} is seen", adapter.name)),
    }
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::from(NOT_GREEN) })
}
