//! What a logout would end: daemon and hosts by the control group they are in, held against what logind is told to do.
//!
//! Files alone are read; what they do not say is said to be unknown.

use super::finding::Finding;
use crate::context::Context;
use ao_host::discover::{Standing, discover};
use std::path::Path;

/// Where logind's settings lie, the later ones over the earlier ones.
const SETTINGS: [&str; 3] = ["/usr/lib/systemd", "/run/systemd", "/etc/systemd"];
/// What helps in every case.
const TODO: &str = "loginctl enable-linger, and run the daemon as a user service (docs/logout.md has the unit)";

pub(super) fn look(context: &Context) -> Finding {
    let hosts = discover(context.paths.root()).unwrap_or_default();
    let hosts = hosts.into_iter().filter(|found| matches!(found.standing, Standing::Alive { .. }));
    let groups: Vec<String> = hosts.filter_map(|found| group(found.record?.pid)).collect();
    // Without sessions it is told for those that would be started from here.
    let (groups, own) =
        if groups.is_empty() { (group(std::process::id()).into_iter().collect(), true) } else { (groups, false) };
    let user = std::env::var("USER").unwrap_or_default();
    let lingers = !user.is_empty() && Path::new("/var/lib/systemd/linger").join(user).exists();
    judge(&groups, own, kills(), lingers)
}

/// The control group of a process: of cgroup2 where there is one, else systemd's own.
fn group(pid: u32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let of = |name: &str| text.lines().find_map(|line| line.split_once(name)).map(|(_, path)| path.to_owned());
    of(":name=systemd:").or_else(|| of("0::"))
}

/// `KillUserProcesses` of logind, if any file sets it.
fn kills() -> Option<bool> {
    let mut texts = Vec::new();
    for dir in SETTINGS.map(Path::new) {
        texts.extend(std::fs::read_to_string(dir.join("logind.conf")));
        let more = std::fs::read_dir(dir.join("logind.conf.d")).into_iter().flatten().flatten();
        let mut more: Vec<_> = more.map(|entry| entry.path()).collect();
        more.sort();
        texts.extend(more.into_iter().filter_map(|path| std::fs::read_to_string(path).ok()));
    }
    texts.iter().filter_map(|text| setting(text)).next_back()
}

fn setting(text: &str) -> Option<bool> {
    let mut values = text.lines().filter_map(|line| line.trim().strip_prefix("KillUserProcesses=")).map(str::trim);
    values.next_back().map(|value| matches!(value, "yes" | "true" | "1" | "on"))
}

fn judge(groups: &[String], own: bool, kills: Option<bool>, lingers: bool) -> Finding {
    let count = |holds: fn(&str) -> bool| groups.iter().filter(|group| holds(group)).count();
    let in_login = count(|group| group.contains("/session-") && group.contains(".scope"));
    let in_manager = count(|group| group.contains("/user@"));
    let what = |n: usize| {
        if own { "what is started from here".to_owned() } else { format!("{n} of {} sessions", groups.len()) }
    };
    match (in_login, in_manager, kills) {
        (1.., _, Some(true)) => Finding::note(
            "logout",
            format!("a logout ends {}: logind is told to kill what a login leaves (KillUserProcesses)", what(in_login)),
            TODO,
        ),
        (_, 1.., _) if !lingers => Finding::note(
            "logout",
            format!("the last logout ends {}: the user's service manager ends with it", what(in_manager)),
            TODO,
        ),
        (1.., _, None) => Finding::note(
            "logout",
            format!(
                "whether a logout ends {} is not known: no file says KillUserProcesses; its default is mostly no",
                what(in_login)
            ),
            TODO,
        ),
        _ => Finding::ok("logout", "ends no session"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::finding::State;

    fn said(group: &str, kills: Option<bool>, lingers: bool) -> (State, String) {
        let finding = judge(&[group.to_owned()], false, kills, lingers);
        (finding.state, finding.found)
    }

    #[test]
    fn what_a_logout_ends_is_told_by_control_group_and_settings() {
        let login = "/user.slice/user-1000.slice/session-3.scope";
        let manager = "/user.slice/user-1000.slice/user@1000.service/app.slice/ao.service";
        assert!(said(login, Some(true), true).1.starts_with("a logout ends 1 of 1"));
        assert!(said(login, None, false).1.contains("not known"));
        assert_eq!(said(login, Some(false), false).0, State::Ok);
        assert!(said(manager, Some(true), false).1.starts_with("the last logout ends"));
        assert_eq!(said(manager, Some(true), true).0, State::Ok);
        assert_eq!(said("/system.slice/ao.service", Some(true), false).0, State::Ok);
    }

    #[test]
    fn a_setting_counts_when_it_is_no_comment_and_the_last_one_wins() {
        assert_eq!(setting("[Login]\n#KillUserProcesses=yes\n"), None);
        assert_eq!(setting("KillUserProcesses=no\nKillUserProcesses=yes\n"), Some(true));
    }
}
