//! How much of the machine one session may use, and where it runs when not beside the daemon.

use serde::{Deserialize, Serialize};

/// Bounds of everything a session runs, its agent's tools included. What is absent is not bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Limits {
    /// Memory, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Processes and threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<u32>,
    /// Processor time, in percent of one core: 150 is a core and a half.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<u32>,
}

/// The container that a session of runtime `docker` runs in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Container {
    /// Image; it must hold the agent.
    pub image: String,
    /// Network mode: `none`, `host`, `bridge` or the name of a network; the engine's default when empty.
    pub network: String,
    /// Further mounts, `SOURCE:TARGET` or `SOURCE:TARGET:ro`, absolute.
    pub mounts: Vec<String>,
}

impl Limits {
    /// Whether nothing is bounded.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.memory_bytes.is_none() && self.processes.is_none() && self.cpu_percent.is_none()
    }
}
