//! The configuration file `agent-orchestrator.yaml`: its shape, and its meaning for one project. Text in, values out.

pub mod answers;
pub mod duration;
pub mod reactions;
pub mod resources;
pub mod selection;
pub mod size;
pub mod spelling;
mod workspaces;

use crate::project::{BATCH_LIMIT, CHECK_TIMEOUT, MergeStrategy, Permissions, Settings};
use answers::AnswerFile;
use duration::Duration;
use reactions::RuleFile;
use resources::{DockerConfig, LimitsConfig};
use schemars::JsonSchema;
use selection::AgentSelectionConfig;
use serde::Deserialize;
use spelling::nearest;
use std::collections::BTreeMap;

/// One configuration file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// Where editors find the schema; ignored.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    /// Port of the dashboard. Taken by another program: an error when it stands here, the next free one when it does not.
    pub port: Option<u16>,
    /// What holds for every project that says nothing else.
    pub defaults: Defaults,
    /// Projects by name.
    pub projects: BTreeMap<String, ProjectConfig>,
    /// Reactions by key, for every project.
    pub reactions: BTreeMap<String, RuleFile>,
    /// What happens to sessions over time.
    pub lifecycle: Lifecycle,
    /// Power of the machine.
    pub power: Power,
    /// How `ao open` shows sessions.
    pub terminal: TerminalConfig,
}

/// How `ao open` shows sessions.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TerminalConfig {
    /// `web` (a page), `attach` (in this terminal), `tmux` (a window of the tmux around it), `iterm2`, or `command`; `command`
    /// when there is one, else `web`.
    pub with: Option<String>,
    /// A terminal emulator or editor: its words, in which `{attach}` is the command that attaches, `{session}`, `{url}` and
    /// `{dir}` (the worktree), such as `kitty -e {attach}`; never given to a shell.
    pub command: Option<String>,
}

/// What holds for every project that says nothing else.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Defaults {
    /// Runtime.
    pub runtime: Option<String>,
    /// Agent.
    pub agent: Option<String>,
    /// How the agent is chosen when nobody names one.
    pub agent_selection: Option<AgentSelectionConfig>,
    /// Workspace kind.
    pub workspace: Option<String>,
    /// Forge.
    pub scm: Option<String>,
    /// Tracker.
    pub tracker: Option<String>,
    /// Notifiers.
    pub notifiers: Option<Vec<String>>,
    /// Sessions at the same time in one project.
    pub parallel: Option<u32>,
    /// Bounds of each session.
    pub limits: Option<LimitsConfig>,
}

/// One project.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProjectConfig {
    /// Name for people.
    pub name: Option<String>,
    /// `owner/repo` in its forge.
    pub repo: Option<String>,
    /// Path of the repository; `~` is the home directory, a relative path starts at the configuration's directory.
    pub path: Option<String>,
    /// The branch that work lands on.
    pub default_branch: Option<String>,
    /// Prefix of session ids.
    pub session_prefix: Option<String>,
    /// Runtime.
    pub runtime: Option<String>,
    /// Agent.
    pub agent: Option<String>,
    /// How the agent is chosen when nobody names one.
    pub agent_selection: Option<AgentSelectionConfig>,
    /// Workspace kind.
    pub workspace: Option<String>,
    /// Forge.
    pub scm: Option<String>,
    /// Tracker.
    pub tracker: Option<String>,
    /// The check: the command that must pass before anything lands.
    pub check: Option<String>,
    /// How long one run of it may take, such as `30m`.
    pub check_timeout: Option<Duration>,
    /// How branches become commits.
    pub merge: Option<MergeConfig>,
    /// Sessions at the same time.
    pub parallel: Option<u32>,
    /// Bounds of each session, over those of `defaults`.
    pub limits: Option<LimitsConfig>,
    /// The container of sessions whose runtime is `docker`.
    pub docker: Option<DockerConfig>,
    /// Relative paths linked from the main checkout into every workspace.
    pub symlinks: Vec<String>,
    /// Commands run in a new workspace.
    pub post_create: Vec<String>,
    /// How long one of them may take, such as `10m`; 15 minutes when it is left out.
    pub post_create_timeout: Option<Duration>,
    /// Directory of the workspaces; a relative path starts at the repository. In the data directory when it is left out.
    pub worktree_dir: Option<String>,
    /// Patterns, as in `.gitignore`, of ignored files that every workspace gets a copy of, besides those of the file
    /// `.worktreeinclude`.
    pub worktree_include: Vec<String>,
    /// Relative paths of files, such as `.env`, that every workspace gets a copy of; they are never committed.
    pub env_files: Vec<String>,
    /// Folders that git does not hold, such as `node_modules`, by relative path: `reflink` (where the file system can, else
    /// left out), `copy` (a reflink where it can), `symlink` (shared by all) or `leave`.
    pub dependencies: BTreeMap<String, String>,
    /// Ports for sessions, such as `20000-29999`: each live session has ten of its own from `AO_PORT_BASE` on.
    pub port_range: Option<String>,
    /// What agents may do, and with which model.
    pub agent_config: AgentConfig,
    /// Rules appended to what agents are told.
    pub agent_rules: Option<String>,
    /// Reactions by key, over those of the whole file.
    pub reactions: BTreeMap<String, RuleFile>,
}

/// How branches become commits on the target.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MergeConfig {
    /// `squash`, `merge` or `rebase`.
    pub strategy: Option<String>,
    /// Most pull requests in one batch.
    pub batch: Option<u32>,
}

/// What agents may do.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AgentConfig {
    /// `readonly`, `standard`, `permissive` or `autonomous`; or `suggest`, `default`, `auto-edit`, `permissionless`.
    pub permissions: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Who answers what agents ask: `notify` (a person, who is told), `confirm` (a person, to whom an answer is proposed; safe
    /// rules answer by themselves) or `autonomous` (rules, and what adapters call safe; a person the rest).
    pub supervision: Option<String>,
    /// Rules that answer what agents ask; the first that fits counts.
    pub answers: Vec<AnswerFile>,
}

/// What happens to sessions over time.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Lifecycle {
    /// Remove a workspace through its rescue ref once its work has landed.
    pub auto_cleanup_on_merge: bool,
    /// After a reboot, resume the sessions that lived when the machine went down, as places become free: each goes on with
    /// its agent's own conversation, or begins a new one where the agent cannot, and nothing is typed into it but prompts
    /// that already waited; on unless set to false.
    pub resume_on_boot: Option<bool>,
    /// Halt the processes of a session that was idle for so long, such as `30m`, until somebody needs it; never when left out.
    pub freeze_idle_after: Option<Duration>,
    /// Put a session into the archive so long after it ended, such as `7d`: its workspace is saved and removed, its logs are
    /// packed, and lists leave it out until `ao restore`; never when left out. What failed is left to a person.
    pub archive_after: Option<Duration>,
}

/// Power of the machine.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Power {
    /// Keep the machine awake while sessions work; accepted, without effect so far.
    pub prevent_idle_sleep: bool,
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {what}")]
pub struct ConfigError {
    /// The file's name.
    pub file: String,
    /// What is wrong and where, with a suggestion when there is one.
    pub what: String,
}

/// Reads a configuration.
///
/// # Errors
/// [`ConfigError`] with the line, and a suggestion for a key that nearly is one.
pub fn parse(file: &str, text: &str) -> Result<Config, ConfigError> {
    let refuse = |what: String| ConfigError { file: file.to_owned(), what };
    if text.trim().is_empty() {
        return Ok(Config::default());
    }
    let config: Config = serde_saphyr::from_str(text).map_err(|e| refuse(explain(&e.to_string())))?;
    // What is only text to the parser is checked here, so that a mistake shows when the file is read and not in the night.
    for (name, project) in &config.projects {
        crate::id::checked_name("project name", name).map_err(|e| refuse(e.to_string()))?;
        settings(&config, project).map_err(|what| refuse(format!("projects.{name}: {what}")))?;
    }
    reactions::merge(&config.reactions, &BTreeMap::new()).map_err(|what| refuse(format!("reactions.{what}")))?;
    selection::selection(selection::Written::default(), config.defaults.chooses())
        .map_err(|what| refuse(format!("defaults: {what}")))?;
    resources::limits(None, config.defaults.limits.as_ref()).map_err(|what| refuse(format!("defaults: {what}")))?;
    resources::freeze_idle_after(config.lifecycle.freeze_idle_after).map_err(refuse)?;
    workspaces::archive_after(config.lifecycle.archive_after).map_err(refuse)?;
    Ok(config)
}

/// The effective settings of a project: its own words over `defaults` over what is built in.
///
/// # Errors
/// Words that name the key and what it may be.
pub fn settings(config: &Config, project: &ProjectConfig) -> Result<Settings, String> {
    let built_in = Settings::default();
    let pick = |own: &Option<String>, default: &Option<String>, otherwise: String| {
        own.clone().or_else(|| default.clone()).unwrap_or(otherwise)
    };
    let defaults = &config.defaults;
    let merge = project.merge.clone().unwrap_or_default();
    prefix(project.session_prefix.as_deref())?;
    let runtime = pick(&project.runtime, &defaults.runtime, built_in.runtime);
    Ok(Settings {
        agent: pick(&project.agent, &defaults.agent, built_in.agent),
        selection: selection::selection(project.chooses(), defaults.chooses())?,
        workspace: pick(&project.workspace, &defaults.workspace, built_in.workspace),
        scm: pick(&project.scm, &defaults.scm, built_in.scm),
        tracker: pick(&project.tracker, &defaults.tracker, built_in.tracker),
        notifiers: defaults.notifiers.clone().unwrap_or(built_in.notifiers),
        default_branch: project.default_branch.clone().unwrap_or_default(),
        check: project.check.clone(),
        check_timeout: project.check_timeout.map_or(CHECK_TIMEOUT, |d| d.0),
        merge: strategy(merge.strategy.as_deref())?,
        batch_limit: batch(merge.batch)?,
        parallel: project.parallel.or(defaults.parallel).unwrap_or(0),
        symlinks: project.symlinks.clone(),
        post_create: project.post_create.clone(),
        workspaces: workspaces::read(&workspaces::Written {
            dir: project.worktree_dir.as_deref(),
            include: &project.worktree_include,
            dependencies: &project.dependencies,
            env_files: &project.env_files,
            port_range: project.port_range.as_deref(),
            post_create_timeout: project.post_create_timeout,
        })?,
        permissions: permissions(project.agent_config.permissions.as_deref())?,
        model: project.agent_config.model.clone(),
        agent_rules: project.agent_rules.clone(),
        auto_cleanup_on_merge: config.lifecycle.auto_cleanup_on_merge,
        resume_on_boot: config.lifecycle.resume_on_boot.unwrap_or(built_in.resume_on_boot),
        limits: resources::limits(project.limits.as_ref(), defaults.limits.as_ref())?,
        container: resources::container(project.docker.as_ref(), &runtime)?,
        runtime,
        freeze_idle_after: resources::freeze_idle_after(config.lifecycle.freeze_idle_after)?,
        archive_after: workspaces::archive_after(config.lifecycle.archive_after)?,
        supervision: answers::supervision(project.agent_config.supervision.as_deref())?,
        answers: answers::rules(&project.agent_config.answers)?,
        reactions: reactions::merge(&config.reactions, &project.reactions)?,
    })
}

impl Defaults {
    fn chooses(&self) -> selection::Written<'_> {
        selection::Written { agent: self.agent.is_some(), selection: self.agent_selection.as_ref() }
    }
}

impl ProjectConfig {
    fn chooses(&self) -> selection::Written<'_> {
        selection::Written { agent: self.agent.is_some(), selection: self.agent_selection.as_ref() }
    }
}

/// The JSON schema of the file.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Config)
}

/// Commands that this project's part of the file would run: they need `ao trust` when the file comes with a repository.
/// A container runs what its image holds, with what is mounted.
#[must_use]
pub fn commands(project: &ProjectConfig) -> Vec<String> {
    let container = project.docker.as_ref().and_then(|docker| {
        let mounts: String = docker.mounts.iter().map(|mount| format!("-v {mount} ")).collect();
        Some(format!("docker run {mounts}{}", docker.image.as_ref()?))
    });
    // Who is answered for does not come with a repository either.
    let answers = project.agent_config.answers.iter().map(|rule| {
        let asked = rule.pattern.as_deref().unwrap_or("any question of its type");
        format!("answer {asked:?} with {:?}", rule.label.as_deref().or(rule.text.as_deref()).unwrap_or("keys"))
    });
    project.check.iter().chain(&project.post_create).cloned().chain(container).chain(answers).collect()
}

fn strategy(name: Option<&str>) -> Result<MergeStrategy, String> {
    match name {
        None | Some("squash") => Ok(MergeStrategy::Squash),
        Some("merge") => Ok(MergeStrategy::Merge),
        Some("rebase") => Ok(MergeStrategy::Rebase),
        Some(other) => Err(format!("merge.strategy is {other:?}; it may be squash, merge or rebase")),
    }
}

fn batch(most: Option<u32>) -> Result<u32, String> {
    match most {
        Some(0) => Err("merge.batch is 0; it may be 1 (one at a time) or more".to_owned()),
        most => Ok(most.unwrap_or(BATCH_LIMIT)),
    }
}

/// It begins the ids of sessions, which are names of directories and parts of branches.
fn prefix(written: Option<&str>) -> Result<(), String> {
    written
        .map_or(Ok(()), |prefix| crate::id::checked_name("sessionPrefix", prefix).map(drop).map_err(|e| e.to_string()))
}

pub(crate) fn permissions(name: Option<&str>) -> Result<Permissions, String> {
    match name {
        None => Ok(Permissions::default()),
        Some("readonly" | "suggest") => Ok(Permissions::Readonly),
        Some("standard" | "default") => Ok(Permissions::Standard),
        Some("permissive" | "auto-edit") => Ok(Permissions::Permissive),
        Some("autonomous" | "permissionless" | "skip") => Ok(Permissions::Autonomous),
        Some(other) => Err(format!(
            "agentConfig.permissions is {other:?}; it may be readonly, standard, permissive or autonomous (or suggest, default, auto-edit, permissionless)"
        )),
    }
}

/// The parser's words, with "did you mean" for a key that nearly is one.
fn explain(words: &str) -> String {
    let first = words.lines().next().unwrap_or_default();
    let unknown = first.split_once("unknown field `").and_then(|(_, rest)| rest.split_once('`'));
    let Some((unknown, rest)) = unknown else { return words.to_owned() };
    let known =
        rest.split_once("expected one of ").map_or("", |(_, known)| known).split(", ").map(|k| k.trim_matches('`'));
    match nearest(unknown, known) {
        Some(near) => format!("{words}\nDid you mean `{near}`?"),
        None => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::reaction::{Action, Escalate, ReactionKey};
    use crate::time::Millis;

    #[test]
    fn the_example_of_the_documents_loads_and_means_what_it_says() {
        let text = "
$schema: https://example.org/schema.json
port: 3000
defaults:
  runtime: tmux
  agent: claude-code
  workspace: worktree
  notifiers: [desktop]
projects:
  my-app:
    repo: owner/my-app
    path: ~/my-app
    defaultBranch: main
    sessionPrefix: app
    check: cargo test --workspace
    checkTimeout: 5m
reactions:
  ci-failed:
    auto: true
    action: send-to-agent
    retries: 2
    escalateAfter: 30m
power:
  preventIdleSleep: true
";
        let config = parse("x.yaml", text).expect("it loads");
        let project = config.projects.get("my-app").expect("the project");
        let settings = settings(&config, project).expect("settings");
        assert_eq!(settings.runtime, "tmux");
        assert_eq!(settings.check_timeout, Millis::mins(5));
        let rule = settings.reactions.rule(ReactionKey::CiFailed);
        assert_eq!(
            (rule.action, rule.retries, rule.escalate_after),
            (Action::SendToAgent, 2, Some(Escalate::After(Millis::mins(30))))
        );
    }

    #[test]
    fn a_projects_bounds_lie_over_the_defaults_field_by_field() {
        let text = "
defaults:
  limits: {memory: 4G, processes: 500}
lifecycle:
  freezeIdleAfter: 30m
projects:
  app:
    runtime: docker
    limits: {memory: 512M, cpu: 150}
    docker: {image: agents:1, network: none, mounts: ['/opt/cache:/cache:ro']}
";
        let config = parse("x.yaml", text).expect("it loads");
        let project = config.projects.get("app").expect("the project");
        let settings = settings(&config, project).expect("settings");
        let limits = Limits { memory_bytes: Some(512 << 20), processes: Some(500), cpu_percent: Some(150) };
        assert_eq!((settings.limits, settings.freeze_idle_after), (limits, Some(Millis::mins(30))));
        let container = settings.container.expect("a container");
        assert_eq!((container.image.as_str(), container.network.as_str()), ("agents:1", "none"));
        assert_eq!(commands(project), ["docker run -v /opt/cache:/cache:ro agents:1"], "an image runs what it holds");
    }

    #[test]
    fn a_misspelt_key_is_an_error_with_its_line_and_a_suggestion() {
        let error = parse("x.yaml", "projects:\n  app:\n    defaultBranhc: main\n").expect_err("refused").to_string();
        for part in ["x.yaml", "defaultBranhc", "line 3", "Did you mean `defaultBranch`?"] {
            assert!(error.contains(part), "{part} is missing in:\n{error}");
        }
    }

    #[test]
    fn a_value_that_means_nothing_is_refused_when_the_file_is_read() {
        for (text, part) in [
            ("projects:\n  app:\n    merge: {strategy: octopus}\n", "octopus"),
            ("projects:\n  app:\n    agentConfig: {permissions: all}\n", "permissions"),
            ("reactions:\n  ci-faild: {auto: true}\n", "ci-failed"),
            ("reactions:\n  ci-failed: {action: dance}\n", "dance"),
            ("projects:\n  app: {checkTimeout: soon}\n", "soon"),
            ("reactions:\n  agent-stuck: {action: restart}\n", "agent-stuck: action is \"restart\"; it may be notify"),
            ("reactions:\n  agent-needs-input: {action: send-to-agent}\n", "it may be notify"),
            ("reactions:\n  agent-needs-input: {retries: 2}\n", "retries means nothing here"),
            ("reactions:\n  agent-stuck: {message: hurry}\n", "there may be auto, action, threshold"),
            ("reactions:\n  ci-failed: {threshold: 5m}\n", "ci-failed: threshold means nothing here"),
            ("reactions:\n  agent-idle: {action: restart}\n", "it may be send-to-agent or notify"),
            ("reactions:\n  agent-exited: {action: send-to-agent}\n", "it may be restart or notify"),
            ("projects:\n  a: {reactions: {agent-exited: {escalateAfter: 3}}}\n", "escalateAfter means nothing here"),
            ("projects:\n  app: {merge: {batch: 0}}\n", "merge.batch is 0"),
            ("defaults: {limits: {processes: 1}}\n", "defaults: limits.processes is 1"),
            ("defaults: {limits: {memory: lots}}\n", "\"lots\" is no size"),
            ("projects: {app: {limits: {memory: 4}}}\n", "limits.memory is 4 bytes"),
            ("projects: {app: {limits: {processes: 2}}}\n", "limits.processes is 2"),
            ("projects: {app: {limits: {cpu: 0}}}\n", "limits.cpu is 0"),
            ("projects: {app: {limits: {memroy: 4G}}}\n", "Did you mean `memory`?"),
            ("projects: {app: {docker: {network: none}}}\n", "docker.image is \"\""),
            ("projects: {app: {docker: {image: --privileged}}}\n", "docker.image is"),
            ("projects: {app: {docker: {image: a, mounts: [src:/src]}}}\n", "docker.mounts has \"src:/src\""),
            ("projects: {app: {docker: {image: a, mounts: ['/a:/b:rw,z']}}}\n", "docker.mounts"),
            ("projects: {app: {docker: {image: a, mounts: ['/a/../b:/b']}}}\n", "docker.mounts"),
            ("projects: {app: {runtime: docker}}\n", "docker.image must say which image"),
            ("lifecycle: {freezeIdleAfter: 5s}\n", "freezeIdleAfter is shorter than 1m"),
            ("lifecycle: {archiveAfter: 30s}\n", "archiveAfter is shorter than 1m"),
            ("projects:\n  app: {sessionPrefix: ''}\n", "sessionPrefix"),
            ("projects:\n  app: {sessionPrefix: a/b}\n", "sessionPrefix"),
            ("projects:\n  ../x: {path: .}\n", "project name"),
        ] {
            let error = parse("x.yaml", text).expect_err(text).to_string();
            assert!(error.contains(part), "{part} is missing in:\n{error}");
        }
    }
}
