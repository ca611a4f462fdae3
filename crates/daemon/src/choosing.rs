//! Which agent a session or run gets when its caller names none. Looking around is done here; `ao_core::choice` decides.

use crate::engine::Engine;
use ao_core::adapter::{Adapter, PermissionName};
use ao_core::choice::asked::{self, Asked};
use ao_core::choice::{Candidate, Choice, Named, Strategy, Wish, choose, history, limit};
use ao_core::kind::Fault;
use ao_core::project::Settings;
use ao_slots::agent::Agent;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The agent for a task.
pub(crate) struct Chosen {
    /// It.
    pub(crate) agent: Arc<dyn Agent>,
    /// Why; none when the caller named it.
    pub(crate) why: Option<String>,
    /// It was compared with others.
    pub(crate) ranked: bool,
    /// The model that the environment names for it, when neither caller nor configuration names one.
    pub(crate) model: Option<String>,
}

/// For what somebody wants an agent.
pub(crate) struct Task<'a> {
    /// What holds for the project.
    pub(crate) settings: &'a Settings,
    /// The agent that the caller named.
    pub(crate) agent: Option<&'a str>,
    /// The runtime, when not the project's.
    pub(crate) runtime: Option<&'a str>,
    /// The model that the caller named.
    pub(crate) model: Option<&'a str>,
    /// What the agent will be told.
    pub(crate) words: &'a str,
    /// The caller's environment; the daemon's own when empty.
    pub(crate) env: &'a BTreeMap<String, String>,
}

/// The agent that the caller named, or the one that is chosen.
///
/// # Errors
/// `not_found` for an agent that nobody knows, `invalid` for words in configuration or environment that mean nothing, and why
/// an agent cannot be started at all.
pub(crate) async fn agent(engine: &Engine, task: Task<'_>) -> Result<Chosen, Fault> {
    let (name, why, ranked) = match task.agent {
        Some(name) => (name.to_owned(), None, false),
        None => {
            let choice = rank(engine, &task).await?.1;
            (choice.agent, Some(choice.why), !choice.ranking.is_empty())
        }
    };
    let agent = engine.registry().agent(&name)?;
    if let Some(fault) = agent.fault() {
        return Err(fault);
    }
    // The project's model is one of the project's agent's: another agent is not asked for it.
    let adapter = agent.adapter();
    let of_the_project = task.settings.model.is_some() && (why.is_none() || adapter.name == task.settings.agent);
    let model = if task.model.is_some() || of_the_project {
        None
    } else {
        let names = std::iter::once(&adapter.name).chain(&adapter.aliases).map(String::as_str);
        asked::model(names, environment(task.env))
    };
    Ok(Chosen { agent, why, ranked, model })
}

/// How the agents stand to a task that names none, and by which strategy.
///
/// # Errors
/// As for [`agent`].
pub(crate) async fn rank(engine: &Engine, task: &Task<'_>) -> Result<(Asked, Choice), Fault> {
    let settings = task.settings;
    let registry = engine.registry();
    let mut asked = asked::asked(settings, environment(task.env)).map_err(Fault::invalid)?;
    let default = registry.agent(&asked.agent).map_err(|fault| match asked.named {
        Named::Environment => Fault { message: format!("{}: {}", asked::AGENT, fault.message), ..fault },
        Named::Nowhere | Named::Configuration => fault,
    })?;
    asked.agent.clone_from(&default.adapter().name);
    // What a container holds is not seen from here: the default is taken, and its start says what is missing.
    let runtime = registry.runtime(task.runtime.unwrap_or(&settings.runtime))?;
    if runtime.own_home(Path::new("/")).is_some() {
        asked.strategy = Some(Strategy::Fixed);
    }
    let mut candidates = Vec::new();
    if asked.strategy != Some(Strategy::Fixed) {
        let agents = among(engine, settings, &default)?;
        let own = std::env::vars().collect();
        let standings = engine.standings().of(&agents, if task.env.is_empty() { &own } else { task.env }).await;
        let now = engine.now();
        let (mut histories, limits) = engine.read(|c| (history::of(&c.facts), limit::of(&c.facts, now)));
        for agent in &agents {
            let adapter = agent.adapter();
            let standing = standings.get(&adapter.name).copied().unwrap_or_default();
            candidates.push(Candidate {
                name: adapter.name.clone(),
                installed: standing.installed,
                bar: bar(agent.as_ref(), settings),
                login: standing.login,
                provider: adapter.login.provider.clone(),
                limited_until: limits.get(&adapter.name).copied(),
                fit: adapter.fit.clone(),
                history: histories.remove(&adapter.name).unwrap_or_default(),
            });
        }
    }
    let wish = Wish {
        strategy: asked.strategy,
        default: &asked.agent,
        named: asked.named,
        subscription: settings.selection.subscription.as_deref(),
        task: task.words,
    };
    let choice = choose(&candidates, &wish, engine.now());
    Ok((asked, choice))
}

/// The agents that may be chosen: those that the project lists, else all that were measured. The ones that stand for any
/// command are no agents that could be trusted with a task.
fn among(engine: &Engine, settings: &Settings, default: &Arc<dyn Agent>) -> Result<Vec<Arc<dyn Agent>>, Fault> {
    let registry = engine.registry();
    let mut agents: Vec<Arc<dyn Agent>> = if settings.selection.among.is_empty() {
        let measured = |a: &Adapter| !a.takes_command && !a.untested && !a.measured.is_empty();
        registry.agents.values().filter(|agent| measured(agent.adapter())).cloned().collect()
    } else {
        let named = settings.selection.among.iter().map(|name| registry.agent(name));
        named
            .collect::<Result<_, _>>()
            .map_err(|fault| Fault { message: format!("agentSelection.among: {}", fault.message), ..fault })?
    };
    let is_there = agents.iter().any(|agent| agent.adapter().name == default.adapter().name);
    if !is_there && settings.selection.among.is_empty() {
        agents.push(default.clone());
    }
    Ok(agents)
}

/// Why an agent cannot work for a project although it is there.
fn bar(agent: &dyn Agent, settings: &Settings) -> Option<String> {
    if agent.fault().is_some() {
        return Some("its file is not understood".to_owned());
    }
    let presets = &agent.adapter().permissions;
    let wanted = PermissionName::from(settings.permissions);
    let lacks = !presets.is_empty() && !presets.contains_key(&wanted);
    lacks.then(|| format!("has no preset {}", format!("{wanted:?}").to_lowercase()))
}

/// Looks a name up in the caller's environment, or in the daemon's own where none came with the request.
fn environment(given: &BTreeMap<String, String>) -> impl Fn(&str) -> Option<String> {
    move |name| if given.is_empty() { std::env::var(name).ok() } else { given.get(name).cloned() }
}
