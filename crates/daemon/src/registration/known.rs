//! Whether what a configuration names is there: plugins and the branch. What is wrong shows at registration, not in the night.

use ao_core::config::{Config, ProjectConfig};
use ao_core::kind::{Fault, Kind};
use ao_slots::Registry;
use ao_slots::scm::Scm;
use std::path::Path;

/// Checks every plugin that a configuration names for a project.
///
/// # Errors
/// `invalid`, with the key and the names that are known.
pub fn plugins(registry: &Registry, config: &Config, project: &ProjectConfig) -> Result<(), Fault> {
    let defaults = &config.defaults;
    let named = |own: &Option<String>, default: &Option<String>| own.clone().or_else(|| default.clone());
    let check = |key: &str, name: Option<String>, find: &dyn Fn(&str) -> Result<(), Fault>| match name {
        Some(name) => find(&name).map_err(|fault| unknown(key, &name, &fault)),
        None => Ok(()),
    };
    check("agent", named(&project.agent, &defaults.agent), &|name| registry.agent(name).map(drop))?;
    check("runtime", named(&project.runtime, &defaults.runtime), &|name| registry.runtime(name).map(drop))?;
    check("workspace", named(&project.workspace, &defaults.workspace), &|name| registry.workspace(name).map(drop))?;
    check("scm", named(&project.scm, &defaults.scm), &|name| registry.scm(name).map(drop))?;
    check("tracker", named(&project.tracker, &defaults.tracker), &|name| registry.tracker(name).map(drop))?;
    for name in defaults.notifiers.iter().flatten() {
        check("notifiers", Some(name.clone()), &|name| registry.notifier(name).map(drop))?;
    }
    Ok(())
}

fn unknown(key: &str, name: &str, fault: &Fault) -> Fault {
    let known = fault.hint.as_deref().unwrap_or("nothing is known");
    let invalid = Fault::invalid(format!("{key} is {name:?}, which is not there ({known})"));
    if name == "webhook" {
        invalid.hint("webhook is there when the daemon starts with AO_WEBHOOK_URL")
    } else {
        invalid
    }
}

/// Checks that the repository has the branch that its configuration names. One without commits has no branch yet.
///
/// # Errors
/// `invalid`, when it has commits and not this branch.
pub(super) async fn branch(scm: &dyn Scm, root: &Path, name: &str) -> Result<(), Fault> {
    let Err(fault) = scm.target(root, name).await else { return Ok(()) };
    let passes = !matches!(fault.kind, Kind::NotFound | Kind::Invalid);
    let repository = scm.look(root).await?;
    if passes || repository.head.is_none() {
        return Ok(());
    }
    Err(Fault::invalid(format!("defaultBranch is {name:?}: {}", fault.message)).hint(format!(
        "the branch that is checked out there is {:?}",
        repository.branch.unwrap_or(repository.default_branch)
    )))
}
