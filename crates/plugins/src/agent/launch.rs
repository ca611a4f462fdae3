//! Puts an agent's command line and environment together from its adapter and the plan.

use super::native::native_id;
use super::{hooks, probe};
use ao_core::adapter::{Adapter, Grant, PermissionName, PrivateFile};
use ao_core::session::Conversation;
use ao_slots::agent::AgentPlan;
use ao_slots::{Answer, Fault, Kind};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Program and arguments, and what the agent goes on with. `program` finds the adapter's program.
pub fn argv(
    adapter: &Adapter,
    plan: &AgentPlan,
    path: &str,
    program: impl Fn() -> Answer<PathBuf>,
) -> Answer<(Vec<OsString>, Conversation)> {
    if adapter.takes_command && !plan.args.is_empty() {
        return Ok((command(plan, path, program)?, anew(plan)));
    }
    let mut argv: Vec<OsString> = vec![program()?.into()];
    let words = Words::of(plan);
    let (begins, conversation) = conversation(adapter, plan, &words);
    argv.extend(words.fill_all(begins));
    argv.extend(words.fill_all(&adapter.args));
    argv.extend(words.fill_all(grant(adapter, plan)?.map_or(&[], Grant::args)));
    if let Some(model) = &plan.model {
        if adapter.model_args.is_empty() {
            let what = format!("the agent {} cannot be asked for a model ({model:?})", adapter.name);
            return Err(Fault::new(Kind::Unsupported, what));
        }
        argv.extend(words.fill_all(&adapter.model_args));
    }
    argv.extend(hooked(adapter, plan).args);
    argv.extend(plan.args.iter().map(OsString::from));
    Ok((argv, conversation))
}

/// What an agent goes on with that has no earlier conversation.
const fn anew(plan: &AgentPlan) -> Conversation {
    if plan.resume { Conversation::Anew } else { Conversation::First }
}

/// The caller's command: a program with arguments, or one line for a shell.
fn command(plan: &AgentPlan, path: &str, shell: impl Fn() -> Answer<PathBuf>) -> Answer<Vec<OsString>> {
    match plan.args.as_slice() {
        [line] if line.contains(char::is_whitespace) => {
            Ok(vec![shell()?.into(), OsString::from("-c"), OsString::from(line)])
        }
        [name, rest @ ..] => {
            let program = if plan.own_home.is_some() { Some(PathBuf::from(name)) } else { probe::find(name, path) };
            let program = program.ok_or_else(|| Fault::not_found(format!("there is no program {name:?} on PATH")))?;
            Ok(std::iter::once(program.into()).chain(rest.iter().map(OsString::from)).collect())
        }
        [] => Ok(vec![shell()?.into()]),
    }
}

/// The arguments that begin or continue a conversation, and which of the two.
fn conversation<'a>(adapter: &'a Adapter, plan: &AgentPlan, words: &Words) -> (&'a [String], Conversation) {
    let own = plan.own_home.as_ref().map(|home| words.at_home(home));
    let homes = [Some(words), own.as_ref()];
    let places =
        homes.into_iter().flatten().flat_map(|words| adapter.transcript.iter().filter_map(|place| words.place(place)));
    let kept = places.into_iter().any(|file| file.is_file());
    let can_continue = !adapter.resume_args.is_empty() && (kept || adapter.transcript.is_empty());
    match (plan.resume, can_continue, kept) {
        (true, true, _) => (&adapter.resume_args, Conversation::Continued),
        // An id that has a conversation already is refused for a new one: the agent chooses its own then.
        (false, _, true) => (&[], anew(plan)),
        (true, false, _) | (false, _, false) => (&adapter.start_args, anew(plan)),
    }
}

fn grant<'a>(adapter: &'a Adapter, plan: &AgentPlan) -> Answer<Option<&'a Grant>> {
    if adapter.permissions.is_empty() {
        return Ok(None);
    }
    let name = PermissionName::from(plan.permissions);
    adapter.permissions.get(&name).map(Some).ok_or_else(|| {
        let known = adapter.permissions.keys().map(|p| format!("{p:?}").to_lowercase()).collect::<Vec<_>>().join(", ");
        let what = format!("the agent {} has no permissions {:?}", adapter.name, plan.permissions);
        Fault::new(Kind::Unsupported, what).hint(format!("it has: {known}"))
    })
}

/// git takes this address where nobody has told it another one: on a fresh machine an agent could neither merge nor commit.
const ADDRESS: (&str, &str) = ("EMAIL", "ao@localhost");

/// What an agent gets beside the session's environment.
///
/// # Errors
/// `unsupported` for a preset that the agent does not have.
pub fn env(adapter: &Adapter, plan: &AgentPlan) -> Answer<BTreeMap<String, String>> {
    let words = Words::of(plan);
    let granted = grant(adapter, plan)?.and_then(Grant::env).into_iter().flatten();
    let given = adapter.env.iter().chain(granted);
    let mut env: BTreeMap<String, String> = given.map(|(name, value)| (name.clone(), words.fill(value))).collect();
    if !plan.env.contains_key(ADDRESS.0) {
        env.insert(ADDRESS.0.to_owned(), ADDRESS.1.to_owned());
    }
    env.insert("AO_SESSION".to_owned(), plan.session.to_string());
    env.insert("AO_LAUNCH".to_owned(), plan.launch.to_string());
    env.insert("AO_HOOK_SECRET".to_owned(), plan.secret.clone());
    env.insert("AO_HOME".to_owned(), plan.data_root.to_string_lossy().into_owned());
    Ok(env)
}

/// The private files that its adapter wants, with their texts.
pub fn files(adapter: &Adapter, plan: &AgentPlan) -> Vec<(PathBuf, String)> {
    let words = Words::of(plan);
    let file = |file: &PrivateFile| (plan.private.join(words.fill(&file.path)), words.fill(&file.text));
    adapter.files.iter().map(file).collect()
}

/// What makes it call `ao hook`.
pub fn hooked(adapter: &Adapter, plan: &AgentPlan) -> hooks::Installed {
    let install = |dialect| hooks::install(dialect, adapter, &plan.ao, &plan.private);
    adapter.hooks.map(install).unwrap_or_default()
}

/// Where its transcript may be, by the home that it sees.
pub fn transcripts(adapter: &Adapter, plan: &AgentPlan) -> Vec<String> {
    let places = if adapter.records.places.is_empty() { &adapter.transcript } else { &adapter.records.places };
    let words = Words::of(plan);
    let words = plan.own_home.as_ref().map_or_else(|| words.clone(), |home| words.at_home(home));
    places.iter().filter_map(|place| words.place(place)).map(|p| p.to_string_lossy().into_owned()).collect()
}

/// An argument as text; a path that is no UTF-8 cannot stand in a plan.
pub fn text(arg: &OsStr) -> Answer<String> {
    arg.to_str().map(str::to_owned).ok_or_else(|| Fault::invalid(format!("the path {arg:?} is not UTF-8")))
}

/// What stands for the names in braces.
#[derive(Clone)]
struct Words {
    values: Vec<(&'static str, String)>,
    env: BTreeMap<String, String>,
}

impl Words {
    fn of(plan: &AgentPlan) -> Self {
        let lossy = |path: &Path| path.to_string_lossy().into_owned();
        let dashed = lossy(&plan.workspace).chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let values = vec![
            ("{native8}", native_id(&plan.session, &plan.secret).chars().take(8).collect()),
            ("{native}", native_id(&plan.session, &plan.secret)),
            ("{model}", plan.model.clone().unwrap_or_default()),
            ("{workspace}", lossy(&plan.workspace)),
            ("{workspace-dashed}", dashed),
            ("{json:workspace}", serde_json::Value::from(lossy(&plan.workspace)).to_string()),
            ("{private}", lossy(&plan.private)),
            ("{ao}", lossy(&plan.ao)),
        ];
        let mut env = plan.env.clone();
        if let (false, Ok(home)) = (env.contains_key("HOME"), std::env::var("HOME")) {
            env.insert("HOME".to_owned(), home);
        }
        Self { values, env }
    }

    /// The same for an agent whose home lies there.
    fn at_home(&self, home: &Path) -> Self {
        let mut env = self.env.clone();
        env.insert("HOME".to_owned(), home.to_string_lossy().into_owned());
        Self { values: self.values.clone(), env }
    }

    /// One pass from left to right, so that nothing inside a value is taken for a name.
    fn fill(&self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            match self.values.iter().find(|(name, _)| rest.starts_with(name)) {
                Some((name, value)) => {
                    out.push_str(value);
                    rest = &rest[name.len()..];
                }
                None => {
                    out.push('{');
                    rest = &rest[1..];
                }
            }
        }
        out.push_str(rest);
        out
    }

    fn fill_all<'a>(&'a self, templates: &'a [String]) -> impl Iterator<Item = OsString> + 'a {
        templates.iter().map(|template| self.fill(template).into())
    }

    /// A place that may begin with a variable; none when that is not set.
    fn place(&self, template: &str) -> Option<PathBuf> {
        let Some((name, rest)) = template.strip_prefix("{env:").and_then(|t| t.split_once('}')) else {
            return Some(self.fill(template).into());
        };
        let value = self.env.get(name).filter(|value| !value.is_empty())?;
        Some(format!("{value}{}", self.fill(rest)).into())
    }
}
