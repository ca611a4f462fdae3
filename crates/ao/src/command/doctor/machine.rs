//! The machine: git, agents, control groups, room.

use super::finding::Finding;
use crate::capacity;
use crate::compose;
use crate::context::Context;
use ao_host::platform::{ControlGroups, Keeper, control_groups};
use ao_slots::agent::Detected;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// `git merge-tree --write-tree`, by which candidates are built without a checkout, came with this version.
const GIT: (u32, u32) = (2, 38);
/// `git` says its version at once; a hung one is told of.
const GIT_LIMIT: Duration = Duration::from_secs(10);
/// Less room than this is soon filled by build caches in worktrees.
const ROOM: u64 = 2 << 30;

pub(super) async fn look(context: &Context) -> Vec<Finding> {
    let mut found = vec![git().await];
    found.extend(identity(context).await);
    found.extend(agents(context).await);
    found.push(tmux().await);
    let offered = control_groups();
    found.push(groups(&offered));
    found.push(limits(&offered));
    found.push(capacity_finding());
    found.push(room(context.paths.root()));
    found
}

async fn git_says(dir: &Path, args: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command
        .args(args)
        .current_dir(dir)
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .env("GIT_TERMINAL_PROMPT", "0");
    let ran = timeout(GIT_LIMIT, command.output()).await.ok()?.ok()?;
    ran.status.success().then(|| String::from_utf8_lossy(&ran.stdout).trim().to_owned())
}

async fn git() -> Finding {
    let Some(said) = git_says(Path::new("/"), &["--version"]).await else {
        return Finding::bad(
            "git",
            "not found on PATH",
            "install git (apt install git, dnf install git, brew install git)",
        );
    };
    let version = said.trim_start_matches("git version ");
    let mut numbers = version.split('.').map(|n| n.parse::<u32>().unwrap_or(0));
    if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < GIT {
        return Finding::bad("git", version, format!("the merge queue needs git {}.{} or newer", GIT.0, GIT.1));
    }
    Finding::ok("git", version)
}

async fn identity(context: &Context) -> Option<Finding> {
    let name = git_says(&context.cwd, &["config", "user.name"]).await.filter(|n| !n.is_empty());
    let email = git_says(&context.cwd, &["config", "user.email"]).await.filter(|n| !n.is_empty());
    Some(match (name, email) {
        (Some(name), Some(email)) => Finding::ok("identity", format!("{name} <{email}>")),
        _ => Finding::note(
            "identity",
            "git has no user.name and user.email: ao commits as itself, and agents may be refused to commit",
            "git config --global user.name NAME && git config --global user.email ADDRESS",
        ),
    })
}

/// Whether `runtime: tmux` works.
async fn tmux() -> Finding {
    match compose::tmux(Path::new("ao")).version().await {
        Ok(version) => Finding::ok("tmux", format!("{version} · `runtime: tmux` works")),
        Err(fault) => Finding::note("tmux", fault.message, fault.hint.unwrap_or_default()),
    }
}

async fn agents(context: &Context) -> Vec<Finding> {
    let registry = match compose::registry(context) {
        Ok(registry) => registry,
        Err(fault) => return vec![Finding::bad("agents", fault.message, fault.hint.unwrap_or_default())],
    };
    let path = std::env::var("PATH").unwrap_or_default();
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (name, agent) in &registry.agents {
        if let Some(fault) = agent.fault() {
            found.push(Finding::bad("agent", fault.message, fault.hint.unwrap_or_default()));
            continue;
        }
        match agent.detect(&path).await {
            Detected::Installed { path, version } => {
                let version = version.map(|version| format!(" {version}")).unwrap_or_default();
                found.push(Finding::ok("agent", format!("{name}{version} · {}", path.display())));
            }
            Detected::Missing { .. } => missing.push(name.as_str()),
        }
    }
    // In one line: nobody has all of them, and what is wrong is not to drown in what is not wanted.
    if !missing.is_empty() {
        let words = format!("not installed: {}", missing.join(", "));
        found.push(Finding::note("agents", words, "`ao agent doctor NAME` says how to get one"));
    }
    found
}

/// Whether sessions get control groups of their own.
fn groups(groups: &ControlGroups) -> Finding {
    let mode = match (&groups.mount, groups.hybrid) {
        (Some(mount), false) => format!("cgroup2 at {}", mount.display()),
        (Some(mount), true) => format!("hybrid: cgroup2 at {}, controllers mounted the older way", mount.display()),
        (None, true) => "no cgroup2, only groups of the older kind".to_owned(),
        (None, false) => "none on this system".to_owned(),
    };
    if groups.writable {
        return Finding::ok("cgroups", format!("{mode}; each session gets a group, and its end is proved by it"));
    }
    Finding::note(
        "cgroups",
        format!("{mode}; sessions get none of their own: what agents start is found by its parents instead"),
        "nothing has to be done; in a container, mount /sys/fs/cgroup writable for the stricter way",
    )
}

/// Which limits of the configuration hold here; a launch under one that does not is refused.
fn limits(groups: &ControlGroups) -> Finding {
    let (mut kept, mut missing) = (Vec::new(), Vec::new());
    for (bound, keeper) in &groups.keepers {
        match keeper {
            Keeper::Group => kept.push(bound.key().to_owned()),
            Keeper::OlderGroup => kept.push(format!("{} (by a group of the older kind)", bound.key())),
            Keeper::Nobody { why } => missing.push(format!("{} ({why})", bound.key())),
        }
    }
    if missing.is_empty() {
        return Finding::ok("limits", format!("these can be kept: {}", kept.join(", ")));
    }
    let kept = if kept.is_empty() { "none".to_owned() } else { kept.join(", ") };
    Finding::note(
        "limits",
        format!("can be kept: {kept}; cannot: {}", missing.join(", ")),
        "leave those out of the configuration: a session under a limit that does not hold is not started. systemd hands \
         memory and processes to services of a user: systemd-run --user ao daemon start",
    )
}

fn capacity_finding() -> Finding {
    let machine = capacity::machine();
    let memory =
        machine.available_mb.map_or_else(|| "an unknown amount of memory".to_owned(), |mb| format!("{mb} MB free"));
    Finding::ok("machine", format!("{} cores, {memory}", machine.cores))
}

fn room(root: &Path) -> Finding {
    let Some(dir) = root.ancestors().find(|d| d.exists()) else { return Finding::note("disk", "not known", "") };
    let Ok(stat) = rustix::fs::statvfs(dir) else {
        return Finding::note(
            "disk",
            format!("{} cannot be asked for its room", dir.display()),
            "look at its file system",
        );
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let words = format!("{} MB free for {}", free >> 20, root.display());
    if free < ROOM {
        Finding::bad("disk", words, "make room, or set AO_HOME to another file system")
    } else {
        Finding::ok("disk", words)
    }
}
