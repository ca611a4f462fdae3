//! Registers projects from their configuration, and starts runs from what their repository is now.

pub mod known;

use crate::choosing;
use crate::engine::Engine;
use crate::env;
use crate::trust;
use ao_api::project::ProjectView;
use ao_api::request::{NewProject, NewRun};
use ao_api::run::RunView;
use ao_core::choice::asked;
use ao_core::config::{self, Config, ProjectConfig};
use ao_core::event::{Answer, Event, NewRun as Wanted};
use ao_core::id::{ProjectId, session_prefix, slug};
use ao_core::kind::{Fault, Kind};
use ao_core::project::{Project, Settings};
use ao_core::run::Run;
use ao_core::screen::sha256_hex;
use std::path::{Path, PathBuf};

/// Name of the configuration file.
pub const CONFIG_FILE: &str = "agent-orchestrator.yaml";

/// In a project's data directory: from which configuration it was registered last.
const REGISTERED: &str = ".registered";

/// A configuration that was found for a repository.
struct Found {
    /// The file.
    file: PathBuf,
    /// Its text.
    text: String,
    /// What it says.
    config: Config,
}

/// Registers the project of a repository, or renews its settings.
///
/// # Errors
/// What is wrong with the path, the repository or its configuration, and what to do about it.
pub async fn register(engine: &Engine, wanted: &NewProject) -> Result<ProjectView, Fault> {
    let path = Path::new(&wanted.path);
    if !path.is_absolute() {
        return Err(Fault::invalid(format!("{:?} is not an absolute path", wanted.path)));
    }
    let named = wanted.config.as_deref().map(Path::new);
    let known = if wanted.if_changed { unchanged(engine, path, named)? } else { None };
    let (root, default_branch) = match known {
        Some(known) => (PathBuf::from(known.path), known.settings.default_branch),
        None => {
            let scm = engine.registry().scm(&Settings::default().scm)?;
            let repository = scm.look(path).await?;
            (repository.root, repository.default_branch)
        }
    };
    let found = find_config(named, &root)?;
    let (id, project) = choose(found.as_ref(), &root)?;
    let mut settings = match &found {
        Some(found) => config::settings(&found.config, &project)
            .map_err(|what| Fault::invalid(format!("{}: {what}", found.file.display())))?,
        None => config::settings(&Config::default(), &project).map_err(Fault::invalid)?,
    };
    if project.agent_config.permissions.is_none()
        && let Some(preset) = asked::preset(own_word).map_err(Fault::invalid)?
    {
        settings.permissions = preset;
    }
    if let Some(found) = &found {
        require_trust(engine, found, &project)?;
        let of_file = |fault: Fault| Fault { message: format!("{}: {}", found.file.display(), fault.message), ..fault };
        known::plugins(engine.registry(), &found.config, &project).map_err(of_file)?;
        if let Some(branch) = project.default_branch.as_deref().filter(|b| !b.is_empty()) {
            let scm = engine.registry().scm(&settings.scm)?;
            known::branch(scm.as_ref(), &root, branch).await.map_err(of_file)?;
        }
    }
    if settings.default_branch.is_empty() {
        settings.default_branch = default_branch;
    }
    let origin = found.as_ref().and_then(|f| f.file.parent()).unwrap_or(&root);
    let data = data_directory(engine, origin, &id)?;
    let prefix = project.session_prefix.clone().unwrap_or_else(|| free_prefix(engine, &id, &root));
    let event = Event::ProjectConfigured {
        project: id.clone(),
        path: root.display().to_string(),
        data: data.display().to_string(),
        prefix,
        settings: Box::new(settings),
    };
    engine.command(event).await?;
    // Without it the repository is looked at once more next time, which is all that can go wrong.
    let _ = std::fs::write(data.join(REGISTERED), fingerprint(found.as_ref()));
    engine
        .read(|c| c.facts.projects.get(&id).map(|p| ProjectView::of(&c.facts, p)))
        .ok_or_else(|| Fault::new(Kind::Bug, format!("project {id} was registered and is not there")))
}

/// The project whose main checkout this path is, if it was registered from the configuration that holds there now.
fn unchanged(engine: &Engine, path: &Path, named: Option<&Path>) -> Result<Option<Project>, Fault> {
    let known = engine.read(|c| c.facts.projects.values().find(|p| !p.removed && Path::new(&p.path) == path).cloned());
    let Some(known) = known else { return Ok(None) };
    let found = find_config(named, path)?;
    let same = std::fs::read_to_string(Path::new(&known.data).join(REGISTERED))
        .is_ok_and(|m| m == fingerprint(found.as_ref()));
    Ok(same.then_some(known))
}

/// Tells configurations apart, by place and text.
fn fingerprint(found: Option<&Found>) -> String {
    let words = found.map(|found| format!("{}\0{}", found.file.display(), found.text)).unwrap_or_default();
    let preset = own_word(asked::PRESET).map(|preset| format!("\0{preset}")).unwrap_or_default();
    sha256_hex(format!("{words}{preset}").as_bytes())
}

/// A variable of the daemon's own environment: a project's settings are nobody's who happens to ask.
fn own_word(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The configuration that was named, else the nearest one from the repository's root upwards.
fn find_config(named: Option<&Path>, root: &Path) -> Result<Option<Found>, Fault> {
    let file = match named {
        Some(file) => Some(file.to_owned()),
        None => root.ancestors().map(|dir| dir.join(CONFIG_FILE)).find(|file| file.is_file()),
    };
    let Some(file) = file else { return Ok(None) };
    let text = std::fs::read_to_string(&file).map_err(|e| {
        let kind = if e.kind() == std::io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Unavailable };
        Fault::new(kind, format!("the configuration {} cannot be read: {e}", file.display()))
    })?;
    let config = config::parse(&file.display().to_string(), &text)
        .map_err(|e| Fault::invalid(e.to_string()).hint("`ao doctor` checks a configuration"))?;
    Ok(Some(Found { file, text, config }))
}

/// The project of the configuration that this repository is; a repository without one is a project by its directory's name.
fn choose(found: Option<&Found>, root: &Path) -> Result<(ProjectId, ProjectConfig), Fault> {
    let by_directory = || {
        let name = root.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        ProjectId::new(slug(&name))
    };
    let Some(found) = found else { return Ok((by_directory(), ProjectConfig::default())) };
    let base = found.file.parent().unwrap_or(root);
    let here = found.config.projects.iter().find(|(_, p)| is_at(p, base, root));
    if let Some((name, project)) = here {
        return Ok((ProjectId::new(name.clone()), project.clone()));
    }
    if found.config.projects.is_empty() {
        return Ok((by_directory(), ProjectConfig::default()));
    }
    let names: Vec<&str> = found.config.projects.keys().map(String::as_str).collect();
    let fault = Fault::not_found(format!(
        "{} has no project whose path is {} (it has {})",
        found.file.display(),
        root.display(),
        names.join(", ")
    ));
    Err(fault.hint("add it under `projects`, or run `ao` in one of those repositories"))
}

fn is_at(project: &ProjectConfig, base: &Path, root: &Path) -> bool {
    let written = project.path.as_deref().unwrap_or(".");
    let path = match written.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().map_or_else(|| PathBuf::from(written), |home| home.join(rest)),
        None => base.join(written),
    };
    let real = |p: &Path| std::fs::canonicalize(p).unwrap_or_else(|_| p.to_owned());
    real(&path) == real(root)
}

/// Commands that come with a repository need a person's word first.
fn require_trust(engine: &Engine, found: &Found, project: &ProjectConfig) -> Result<(), Fault> {
    let commands = config::commands(project);
    if commands.is_empty() || trust::is_trusted(engine.paths(), &found.file, &found.text) {
        return Ok(());
    }
    let list = commands.iter().map(|c| format!("`{}`", ao_core::prompt::clean(c))).collect::<Vec<_>>().join(", ");
    let fault =
        Fault::new(Kind::Denied, format!("{} wants to run commands and is not trusted: {list}", found.file.display()));
    Err(fault.hint(format!("read the file, then: ao trust {}", found.file.display())))
}

/// `{data root}/{hash12}-{project}`, with `.origin` saying whose it is.
fn data_directory(engine: &Engine, origin: &Path, id: &ProjectId) -> Result<PathBuf, Fault> {
    if let Some(project) = engine.read(|c| c.facts.projects.get(id).cloned()) {
        return Ok(PathBuf::from(project.data));
    }
    let real = std::fs::canonicalize(origin).unwrap_or_else(|_| origin.to_owned());
    let hash = sha256_hex(real.display().to_string().as_bytes());
    let dir = engine.paths().root().join(format!("{}-{id}", hash.get(..12).unwrap_or(&hash)));
    let mark = dir.join(".origin");
    let storage = |e: std::io::Error| Fault::new(Kind::StorageFailed, format!("{}: {e}", dir.display()));
    match std::fs::read_to_string(&mark) {
        Ok(text) if text.trim() != real.display().to_string() => {
            let fault = Fault::conflict(format!("{} belongs to {}", dir.display(), text.trim()));
            Err(fault.hint("two directories have the same short hash: give one project another name"))
        }
        Ok(_) => Ok(dir),
        Err(_) => {
            std::fs::create_dir_all(&dir).map_err(storage)?;
            std::fs::write(&mark, format!("{}\n", real.display())).map_err(storage)?;
            Ok(dir)
        }
    }
}

/// The prefix of the rule, with a number when another project has it.
fn free_prefix(engine: &Engine, id: &ProjectId, root: &Path) -> String {
    if let Some(prefix) = engine.read(|c| c.facts.projects.get(id).map(|p| p.prefix.clone())) {
        return prefix;
    }
    let name = root.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = session_prefix(&name);
    let taken = |prefix: &str| engine.read(|c| c.facts.projects.values().any(|p| p.prefix == prefix && p.id != *id));
    if !taken(&plain) {
        return plain;
    }
    (2_u32..).map(|n| format!("{plain}{n}")).find(|p| !taken(p)).unwrap_or(plain)
}

/// The project that a request means: the one it names, or the only one there is.
///
/// # Errors
/// `not_found` or `invalid`, with the projects there are.
pub fn find_project(engine: &Engine, wanted: Option<&str>) -> Result<Project, Fault> {
    engine.read(|c| {
        let live: Vec<&Project> = c.facts.projects.values().filter(|p| !p.removed).collect();
        let names: Vec<&str> = live.iter().map(|p| p.id.as_str()).collect();
        match (wanted, live.as_slice()) {
            (Some(name), _) => live.iter().find(|p| p.id.as_str() == name).map(|p| (*p).clone()).ok_or_else(|| {
                Fault::not_found(format!("there is no project {name:?}"))
                    .hint(format!("there are: {}", names.join(", ")))
            }),
            (None, [only]) => Ok((*only).clone()),
            (None, []) => Err(Fault::not_found("there is no project yet").hint("run `ao start` in a repository")),
            (None, [_, _, ..]) => {
                Err(Fault::invalid("say which project").hint(format!("there are: {}", names.join(", "))))
            }
        }
    })
}

/// Starts a run on what the repository is now, or joins the unfinished one.
///
/// # Errors
/// What keeps it from starting, and what to do about it.
pub async fn start_run(engine: &Engine, wanted: NewRun) -> Result<RunView, Fault> {
    let project = find_project(engine, wanted.project_id.as_deref())?;
    let scm = engine.registry().scm(&project.settings.scm)?;
    let repository = scm.look(Path::new(&project.path)).await?;
    let Some(base) = repository.head.clone() else {
        let fault = Fault::conflict(format!("{} has no commits yet", repository.root.display()));
        return Err(fault.hint("commit something first: sessions start from a commit"));
    };
    let Some(target) = repository.branch.clone() else {
        let fault = Fault::conflict(format!(
            "{} has a detached HEAD, so there is no branch to land on",
            repository.root.display()
        ));
        return Err(fault.hint("check out the branch that the fixes are for: git switch BRANCH"));
    };
    let check = wanted.check.as_deref().or(project.settings.check.as_deref()).unwrap_or_default();
    let task = choosing::Task {
        settings: &project.settings,
        agent: wanted.agent.as_deref(),
        runtime: None,
        model: None,
        words: &format!("Fix the failing tests of {check}"),
        env: &wanted.env,
    };
    let choosing::Chosen { agent, why: chosen, ranked, model } = choosing::agent(engine, task).await?;
    let path = wanted.env.get("PATH").cloned().or_else(|| std::env::var("PATH").ok()).unwrap_or_default();
    // A run that is joined has its agent already, and a dry run needs none.
    let joins = engine.read(|c| c.facts.runs.values().any(|r| r.project == project.id && !r.finished()));
    // Where this machine's programs are not, the launch itself says what is missing.
    let runtime = engine.registry().runtime(&project.settings.runtime)?;
    if !joins
        && !wanted.dry_run
        && runtime.own_home(Path::new("/")).is_none()
        && let ao_slots::agent::Detected::Missing { hint } = agent.detect(&path).await
    {
        return Err(Fault::not_found(format!("the agent {} is not installed", agent.adapter().name)).hint(hint));
    }
    let kept = env::keep(engine.paths(), &wanted.env, Some(agent.adapter()))
        .map_err(|e| Fault::new(Kind::StorageFailed, format!("the environment cannot be kept: {e}")))?;
    let new = Wanted {
        project: project.id.clone(),
        check: wanted.check,
        target: target.clone(),
        base,
        agent: Some(agent.adapter().name.clone()),
        chosen,
        model,
        agent_args: wanted.agent_args,
        env: kept,
        parallel: wanted.parallel,
        max_attempts: wanted.max_attempts,
        dry_run: wanted.dry_run,
        keep: wanted.keep,
    };
    let asked = (wanted.agent.is_some().then(|| agent.adapter().name.clone()), wanted.parallel, wanted.max_attempts);
    let answer = engine.command(Event::RunRequested { new: Box::new(new) }).await?;
    let Answer::Run { run, joined } = answer else {
        return Err(Fault::new(Kind::Bug, "a run was asked for and the answer names none"));
    };
    let mut view = engine
        .read(|c| c.facts.runs.get(&run).map(RunView::of))
        .ok_or_else(|| Fault::new(Kind::Bug, format!("run {run} was started and is not there")))?;
    view.joined = joined;
    if let (false, true, Some(why)) = (joined, ranked, &view.chosen) {
        view.notes.push(format!("the agent was chosen: {why}"));
    }
    if joined {
        view.notes.extend(engine.read(|c| c.facts.runs.get(&run).and_then(|r| kept_settings(r, &asked))));
    }
    if repository.dirty > 0 {
        view.notes.push(format!(
            "{} paths in {} are not committed: the run starts from {} and does not see them; nothing lands on {target} while they are in the way",
            repository.dirty,
            repository.root.display(),
            view.target
        ));
    }
    Ok(view)
}

/// What a run that goes on keeps although the request that joined it wanted otherwise: agent, sessions at once, attempts.
fn kept_settings(run: &Run, asked: &(Option<String>, Option<u32>, Option<u32>)) -> Option<String> {
    let (agent, parallel, max_attempts) = asked;
    let mut kept = Vec::new();
    if agent.as_ref().is_some_and(|a| *a != run.agent) {
        kept.push(format!("agent {}", run.agent));
    }
    if parallel.is_some_and(|n| n != run.parallel) {
        kept.push(format!("parallel {}", run.parallel));
    }
    if max_attempts.is_some_and(|n| n != run.max_attempts) {
        kept.push(format!("max-attempts {}", run.max_attempts));
    }
    (!kept.is_empty()).then(|| format!("{} keeps its own settings: {}", run.id, kept.join(", ")))
}
