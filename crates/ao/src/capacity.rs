//! How many agents this machine bears at a time: a figure for the daemon, made once when it starts.

use ao_core::kind::Fault;
use std::path::Path;

/// Agents wait for a model most of the time, so a core bears more than one.
const PER_CORE: u32 = 2;
/// Who knows their agents better says so here: how many, or 0 for no bound.
const PLACES: &str = "AO_PLACES";
/// Of the memory that is free now, this part is for agents: what they build and test needs some too.
const MEMORY_PERCENT: u64 = 60;

/// What a machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Cores that this process may use.
    pub cores: u32,
    /// Memory that is free now, in megabytes, where it can be told.
    pub available_mb: Option<u64>,
}

/// Sessions that may work at the same time: min(2 × cores, 60 % of free memory ÷ an agent's), at least one (DESIGN §10).
#[must_use]
pub fn places(machine: &Machine, agent_mb: u32) -> u32 {
    let by_cores = machine.cores.saturating_mul(PER_CORE);
    let by_memory = match (machine.available_mb, agent_mb) {
        (Some(free), 1..) => u32::try_from(free * MEMORY_PERCENT / 100 / u64::from(agent_mb)).unwrap_or(u32::MAX),
        (Some(_), 0) | (None, _) => u32::MAX,
    };
    by_cores.min(by_memory).max(1)
}

/// The user's own figure, where there is one.
///
/// # Errors
/// `invalid` when it is no number.
pub fn asked() -> Result<Option<u32>, Fault> {
    let Some(said) = std::env::var_os(PLACES).filter(|v| !v.is_empty()) else { return Ok(None) };
    let number = said.to_str().and_then(|said| said.parse().ok());
    let refused = || {
        Fault::invalid(format!("{PLACES} is {said:?}, which is no number of agents"))
            .hint(format!("set {PLACES} to how many may work at a time, or to 0 for no bound"))
    };
    number.map(Some).ok_or_else(refused)
}

/// This machine, or the container that this process is in.
#[must_use]
pub fn machine() -> Machine {
    let cores = std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX));
    let free = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available_mb(&text));
    let bound = group_free_mb(Path::new("/sys/fs/cgroup"));
    let available_mb = match (free, bound) {
        (Some(free), Some(bound)) => Some(free.min(bound)),
        (free, bound) => free.or(bound),
    };
    Machine { cores, available_mb }
}

/// `MemAvailable` of `/proc/meminfo`, which is in kilobytes.
fn available_mb(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kb| kb / 1024)
}

/// What a container's control group leaves, when it has a bound.
fn group_free_mb(group: &Path) -> Option<u64> {
    let read = |name: &str| std::fs::read_to_string(group.join(name)).ok()?.trim().parse::<u64>().ok();
    Some(read("memory.max")?.saturating_sub(read("memory.current")?) / (1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_and_memory_both_bound_how_many_work_at_once() {
        let on = |cores, available_mb, agent| places(&Machine { cores, available_mb }, agent);
        assert_eq!(on(2, Some(24_000), 500), 4);
        assert_eq!(on(16, Some(8_000), 500), 9);
        assert_eq!(on(4, Some(100), 500), 1, "one always works");
        assert_eq!(on(4, None, 500), 8);
        assert_eq!(on(4, Some(8_000), 0), 8);
    }

    #[test]
    fn free_memory_is_read_as_the_kernel_writes_it() {
        assert_eq!(available_mb("MemTotal: 1 kB\nMemAvailable:   2048000 kB\n"), Some(2000));
        assert_eq!(available_mb("MemTotal: 1 kB\n"), None);
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(group_free_mb(dir.path()), None);
        std::fs::write(dir.path().join("memory.max"), "max\n").unwrap();
        std::fs::write(dir.path().join("memory.current"), "1\n").unwrap();
        assert_eq!(group_free_mb(dir.path()), None);
        std::fs::write(dir.path().join("memory.max"), "104857600\n").unwrap();
        std::fs::write(dir.path().join("memory.current"), "52428800\n").unwrap();
        assert_eq!(group_free_mb(dir.path()), Some(50));
    }
}
