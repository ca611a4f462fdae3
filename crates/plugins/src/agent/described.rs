//! An agent that is described by an adapter: found, asked for its version, started.
//!
//! Where adapters come from is decided in `files`.

use super::{hooks, launch, login, probe};
use ao_core::adapter::Adapter;
use ao_core::adapter::version::Range;
use ao_slots::agent::{Agent, AgentLaunch, AgentPlan, Detected, Standing};
use ao_slots::{Answer, Fault, Kind};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Stands for the `ao` binary in an adapter's `program`.
const OURSELVES: &str = "{ao}";

/// An agent that is described by an adapter file.
#[derive(Clone, Debug)]
pub struct DataAgent {
    adapter: Adapter,
    ao: PathBuf,
    /// What is wrong with its file.
    mistake: Option<String>,
}

impl DataAgent {
    /// An agent from its adapter. `ao` is the absolute path of the `ao` binary, which plays some agents itself.
    #[must_use]
    pub fn new(adapter: Adapter, ao: &Path) -> Self {
        Self { adapter, ao: ao.to_owned(), mistake: None }
    }

    /// An agent whose file is not understood: `mistake` says where and why. It is never started.
    #[must_use]
    pub fn broken(adapter: Adapter, ao: &Path, mistake: String) -> Self {
        Self { adapter, ao: ao.to_owned(), mistake: Some(mistake) }
    }

    /// The program's absolute path, looked for in `path` (a `PATH` value).
    fn find(&self, path: &str) -> Option<PathBuf> {
        if self.adapter.program == OURSELVES {
            return Some(self.ao.clone());
        }
        probe::find(&self.adapter.program, path)
    }
}

#[async_trait]
impl Agent for DataAgent {
    fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    fn fault(&self) -> Option<Fault> {
        let mistake = self.mistake.as_ref()?;
        let fault = Fault::invalid(format!("the agent {} cannot be started: {mistake}", self.adapter.name));
        Some(fault.hint("mend the file, or move it away; then: ao daemon restart"))
    }

    async fn detect(&self, path: &str) -> Detected {
        if let Some(mistake) = &self.mistake {
            return Detected::Missing { hint: mistake.clone() };
        }
        let Some(found) = self.find(path) else {
            let install = &self.adapter.install;
            let hint = if install.is_empty() {
                format!("no `{}` on PATH", self.adapter.program)
            } else {
                format!("no `{}` on PATH; install it with: {install}", self.adapter.program)
            };
            return Detected::Missing { hint };
        };
        let version = if self.adapter.program == OURSELVES {
            Some(env!("CARGO_PKG_VERSION").to_owned())
        } else {
            probe::version(&found, &self.adapter.version_args, path).await
        };
        if let Some(range) = self.refused(version.as_deref()) {
            let hint = format!(
                "{} is version {}, which ao does not start ({range}); install it with: {}",
                found.display(),
                version.unwrap_or_default(),
                self.adapter.install
            );
            return Detected::Missing { hint };
        }
        Detected::Installed { path: found, version }
    }

    async fn standing(&self, env: &BTreeMap<String, String>) -> Standing {
        let path = env.get("PATH").cloned().unwrap_or_default();
        // One that is not started in some versions must say which it is.
        let installed = if self.mistake.is_some() {
            false
        } else if self.adapter.refuses.is_some() {
            matches!(self.detect(&path).await, Detected::Installed { .. })
        } else {
            self.find(&path).is_some()
        };
        // Keys and files alone; values are looked at and not kept.
        let (login, env) = (self.adapter.login.clone(), env.clone());
        let look = tokio::task::spawn_blocking(move || login::kind(&login, |name| env.get(name).cloned()));
        Standing { installed, login: look.await.unwrap_or_default() }
    }

    async fn launch(&self, plan: &AgentPlan) -> Answer<AgentLaunch> {
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        let path = plan.env.get("PATH").cloned().or_else(|| std::env::var("PATH").ok()).unwrap_or_default();
        let (argv, conversation) = launch::argv(&self.adapter, plan, &path, || {
            let found = match &plan.own_home {
                _ if self.adapter.program == OURSELVES => Some(plan.ao.clone()),
                Some(_) => Some(PathBuf::from(&self.adapter.program)),
                None => self.find(&path),
            };
            found.ok_or_else(|| self.missing())
        })?;
        let hooked = launch::hooked(&self.adapter, plan);
        for (path, text) in &hooked.files {
            hooks::place(path, text).await?;
        }
        let argv = argv.into_iter().map(|arg| launch::text(&arg)).collect::<Answer<Vec<_>>>()?;
        for (path, text) in launch::files(&self.adapter, plan) {
            hooks::place(&path, &text).await?;
        }
        let mut env = launch::env(&self.adapter, plan)?;
        env.extend(hooked.env.into_iter().filter(|(name, _)| !plan.env.contains_key(name)));
        Ok(AgentLaunch { argv, env, conversation })
    }

    fn transcripts(&self, plan: &AgentPlan) -> Vec<String> {
        launch::transcripts(&self.adapter, plan)
    }
}

impl DataAgent {
    /// The range of versions that are not started, if this one is in it.
    fn refused(&self, version: Option<&str>) -> Option<&str> {
        let range = self.adapter.refuses.as_deref()?;
        Range::parse(range).is_some_and(|parsed| version.is_some_and(|v| parsed.holds(v))).then_some(range)
    }

    fn missing(&self) -> Fault {
        let Adapter { name, program, install, .. } = &self.adapter;
        let fault =
            Fault::new(Kind::NotFound, format!("the agent {name} is not installed: there is no `{program}` on PATH"));
        if install.is_empty() { fault } else { fault.hint(format!("install it with: {install}")) }
    }
}
