//! What a session uses, in one line.

use ao_api::usage::UsageView;
use ao_core::config::size;

/// `2.5 s of CPU · 230M of 4G memory · 7 processes`; none when nothing is known.
#[must_use]
pub fn usage(used: &UsageView) -> Option<String> {
    let of = |limit: Option<String>| limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
    let cpu = used.cpu_ms.map(|ms| {
        let most = used.cpu_limit_percent.map(|percent| format!(" (at most {percent}% of a core)")).unwrap_or_default();
        format!("{} of CPU{most}", seconds(ms))
    });
    let memory = used
        .memory_bytes
        .map(|bytes| format!("{}{} memory", size::words(bytes), of(used.memory_limit_bytes.map(size::words))));
    let processes = used.processes.map(|n| {
        let one = if n == 1 && used.processes_limit.is_none() { "process" } else { "processes" };
        format!("{n}{} {one}", of(used.processes_limit.map(|most| most.to_string())))
    });
    let halted = used.frozen.then(|| "halted".to_owned());
    let degraded =
        used.log_degraded.then(|| "log degraded: the disk refuses it, the newest output is in memory".to_owned());
    let parts: Vec<String> = [cpu, memory, processes, halted, degraded].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

fn seconds(ms: u64) -> String {
    match ms / 1000 {
        s @ 0..60 => format!("{s}.{} s", ms % 1000 / 100),
        s @ 60..3600 => format!("{} min {} s", s / 60, s % 60),
        s => format!("{} h {} min", s / 3600, s / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_shown_with_its_bound() {
        let mut used = UsageView {
            cpu_ms: Some(2_540),
            memory_bytes: Some(241_172_480),
            processes: Some(7),
            frozen: false,
            log_degraded: false,
            memory_limit_bytes: Some(4 << 30),
            processes_limit: None,
            cpu_limit_percent: None,
        };
        assert_eq!(usage(&used).as_deref(), Some("2.5 s of CPU · 230M of 4G memory · 7 processes"));
        used = UsageView { memory_bytes: None, frozen: true, processes: Some(1), cpu_ms: Some(7_260_000), ..used };
        used.cpu_limit_percent = Some(150);
        assert_eq!(usage(&used).as_deref(), Some("2 h 1 min of CPU (at most 150% of a core) · 1 process · halted"));
        assert_eq!(usage(&UsageView::default()), None);
    }
}
