//! What a session may use and where it runs, as it is written: `limits`, `docker`, `lifecycle.freezeIdleAfter`.

use super::duration::Duration;
use super::size::{self, Size};
use crate::limits::{Container, Limits};
use crate::time::Millis;
use schemars::JsonSchema;
use serde::Deserialize;

/// Less memory starts no agent; a smaller number is a forgotten unit.
const LEAST_MEMORY: u64 = 16 << 20;
/// Fewer processes start no agent that runs a tool: itself, a shell, the tool, and a thread of each.
const LEAST_PROCESSES: u32 = 8;
/// Less is a pause between two turns, and halting would only delay the next one.
const LEAST_IDLE: Millis = Millis::mins(1);

/// Bounds of each session, its agent's tools included; what is left out is not bounded.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Memory of one session, such as `4G`; at least `16M`.
    pub memory: Option<Size>,
    /// Processes and threads of one session; at least 8.
    pub processes: Option<u32>,
    /// Processor time of one session, in percent of one core: 150 is a core and a half.
    pub cpu: Option<u32>,
}

/// The container of sessions that run in one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DockerConfig {
    /// Image; it must hold the agent. Needed.
    pub image: Option<String>,
    /// Network: `none`, `host`, `bridge` or the name of one; the engine's default when left out.
    pub network: Option<String>,
    /// Further mounts, `SOURCE:TARGET` or `SOURCE:TARGET:ro`, both absolute paths.
    pub mounts: Vec<String>,
}

/// The bounds in force: the project's fields over the defaults.
///
/// # Errors
/// Words that name the key and what it may be.
pub fn limits(own: Option<&LimitsConfig>, defaults: Option<&LimitsConfig>) -> Result<Limits, String> {
    let (own, defaults) = (own.cloned().unwrap_or_default(), defaults.cloned().unwrap_or_default());
    let limits = Limits {
        memory_bytes: own.memory.or(defaults.memory).map(|size| size.0),
        processes: own.processes.or(defaults.processes),
        cpu_percent: own.cpu.or(defaults.cpu),
    };
    if let Some(bytes) = limits.memory_bytes.filter(|bytes| *bytes < LEAST_MEMORY) {
        return Err(format!("limits.memory is {} bytes; no agent starts with less than 16M", size::words(bytes)));
    }
    if let Some(processes) = limits.processes.filter(|processes| *processes < LEAST_PROCESSES) {
        return Err(format!("limits.processes is {processes}; no agent runs with fewer than {LEAST_PROCESSES}"));
    }
    if limits.cpu_percent == Some(0) {
        return Err("limits.cpu is 0; it is a percentage of one core, 1 or more".to_owned());
    }
    Ok(limits)
}

/// The container, when one is configured.
///
/// # Errors
/// Words that name the key and what it may be; also when sessions are to run in a container and none is configured.
pub fn container(written: Option<&DockerConfig>, runtime: &str) -> Result<Option<Container>, String> {
    let Some(written) = written else {
        return match runtime {
            "docker" => Err("runtime is docker, so docker.image must say which image".to_owned()),
            _ => Ok(None),
        };
    };
    let image = word("image", written.image.as_deref().unwrap_or_default())?;
    let network = match &written.network {
        Some(network) => word("network", network)?,
        None => String::new(),
    };
    written.mounts.iter().try_for_each(|mount| checked_mount(mount))?;
    Ok(Some(Container { image, network, mounts: written.mounts.clone() }))
}

/// How long a session rests before its processes are halted.
///
/// # Errors
/// Words that say what it may be.
pub fn freeze_idle_after(written: Option<Duration>) -> Result<Option<Millis>, String> {
    match written.map(|after| after.0) {
        Some(after) if after < LEAST_IDLE => {
            Err("lifecycle.freezeIdleAfter is shorter than 1m; leave it out to halt nothing".to_owned())
        }
        after => Ok(after),
    }
}

/// What an engine would read as an option, or as two words, is no name.
fn word(key: &str, value: &str) -> Result<String, String> {
    if value.is_empty() || value.starts_with('-') || value.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("docker.{key} is {value:?}; it must be one word"));
    }
    Ok(value.to_owned())
}

fn checked_mount(mount: &str) -> Result<(), String> {
    let mut parts = mount.split(':');
    let (source, target, mode) = (parts.next(), parts.next(), parts.next());
    let absolute = |path: Option<&str>| {
        path.is_some_and(|path| path.starts_with('/') && !path.split('/').any(|part| part == ".."))
    };
    if absolute(source) && absolute(target) && matches!(mode, None | Some("ro")) && parts.next().is_none() {
        return Ok(());
    }
    Err(format!("docker.mounts has {mount:?}; write SOURCE:TARGET or SOURCE:TARGET:ro, both absolute paths"))
}
