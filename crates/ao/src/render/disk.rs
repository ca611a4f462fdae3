//! What sessions take on the disk, in words and columns.

use super::sessions::rounded;
use super::table::{Table, styled};
use super::words::{age, count, line, style_of};
use crate::output::Style;
use ao_api::disk::{Bytes, DiskUse, SessionDisk};
use ao_api::session::SessionView;

/// Bytes in a column: `at least` where the walk was given up.
fn cell(bytes: Bytes) -> String {
    format!("{}{}", if bytes.partial { ">" } else { "" }, rounded(bytes.own))
}

/// A list of sessions with what each takes.
#[must_use]
pub fn list(sessions: &[SessionView], disk: &DiskUse, now: u64, width: Option<usize>, colour: bool) -> Vec<String> {
    let mut table = Table::new(&["SESSION", "STATUS", "WORKSPACE", "SHARED", "LOGS", "KEPT", "MEASURED", "TITLE"]);
    for session in sessions {
        let found = disk.sessions.iter().find(|d| d.id == session.id);
        let known = found.filter(|d| d.measured_at.is_some());
        let of = |bytes: Option<String>| bytes.unwrap_or_else(|| "-".to_owned());
        let measured =
            known.and_then(|d| d.measured_at).map_or("not yet".to_owned(), |at| format!("{} ago", age(at, now)));
        table.row(vec![
            styled(&session.id, Style::Bold),
            styled(&session.status, style_of(&session.status)),
            of(known.and_then(|d| d.workspace).map(cell)).into(),
            of(known.and_then(|d| d.workspace).filter(|b| b.shared > 0).map(|b| rounded(b.shared))).into(),
            of(known.map(|d| cell(d.logs))).into(),
            of(known.and_then(|d| d.rescued).map(rounded)).into(),
            measured.into(),
            session.title.as_str().into(),
        ]);
    }
    let mut out = table.lines(width, colour);
    out.push(totals(disk));
    out
}

/// All of it in one line, with what a clean-up would free.
#[must_use]
pub fn totals(disk: &DiskUse) -> String {
    let mut out = format!(
        "workspaces {}, logs {}, kept work {}",
        rounded(disk.workspaces),
        rounded(disk.logs),
        rounded(disk.rescued)
    );
    if disk.cleanup_sessions > 0 {
        let sessions = count(usize::try_from(disk.cleanup_sessions).unwrap_or(usize::MAX), "ended session");
        out.push_str(&format!("; cleaning up {sessions} would free {}", rounded(disk.cleanup_frees)));
    }
    if disk.sessions.iter().any(|d| d.logs.partial || d.workspace.is_some_and(|b| b.partial)) {
        out.push_str("; some are too large to be counted whole");
    }
    if disk.unmeasured > 0 {
        out.push_str(&format!("; {} still being measured", disk.unmeasured));
    }
    out
}

/// One session's in one phrase; none while it was never measured.
#[must_use]
pub fn one(disk: &SessionDisk, now: u64) -> Option<String> {
    let at = disk.measured_at?;
    let mut parts = Vec::new();
    if let Some(bytes) = disk.workspace {
        let more = if bytes.partial { "at least " } else { "" };
        let shared = if bytes.shared > 0 { format!(" and {} shared", rounded(bytes.shared)) } else { String::new() };
        parts.push(format!("workspace {more}{}{shared}", rounded(bytes.own)));
    }
    parts.push(format!("logs {}", rounded(disk.logs.own)));
    if let Some(bytes) = disk.rescued {
        parts.push(format!("kept work {}", rounded(bytes)));
    }
    Some(format!("{} (measured {} ago)", line(&parts.join(" · ")), age(at, now)))
}

#[cfg(test)]
mod tests {
    use super::super::sessions::tests::session;
    use super::*;

    fn found(id: &str, own: u64, shared: u64) -> SessionDisk {
        SessionDisk {
            id: id.to_owned(),
            ended: true,
            workspace: Some(Bytes { own, shared, partial: own > 1_000_000_000 }),
            logs: Bytes { own: 40_960, ..Bytes::default() },
            rescued: (shared > 0).then_some(2_000),
            measured_at: Some(40_000),
        }
    }

    #[test]
    fn a_list_says_what_each_takes_how_old_that_is_and_what_would_be_free() {
        let sessions = ["app-1", "app-2", "app-3"].map(|id| session(id, "killed", "Fix it"));
        let disk = DiskUse {
            sessions: vec![
                found("app-1", 12_000_000, 3_400_000),
                found("app-2", 2_000_000_000, 0),
                SessionDisk { id: "app-3".to_owned(), ..SessionDisk::default() },
            ],
            workspaces: 2_012_000_000,
            logs: 81_920,
            rescued: 2_000,
            cleanup_frees: 12_000_000,
            cleanup_sessions: 1,
            unmeasured: 1,
        };
        insta::assert_snapshot!(list(&sessions, &disk, 100_000, None, false).join("\n"), @r#"
        SESSION  STATUS  WORKSPACE  SHARED  LOGS     KEPT    MEASURED  TITLE
        app-1    killed  12.0 MB    3.4 MB  40.9 kB  2.0 kB  1m ago    Fix it
        app-2    killed  >2.0 GB    -       40.9 kB  -       1m ago    Fix it
        app-3    killed  -          -       -        -       not yet   Fix it
        workspaces 2.0 GB, logs 81.9 kB, kept work 2.0 kB; cleaning up 1 ended session would free 12.0 MB; some are too large to be counted whole; 1 still being measured
        "#);
        let one = one(&disk.sessions[0], 100_000);
        assert_eq!(
            one.as_deref(),
            Some("workspace 12.0 MB and 3.4 MB shared · logs 40.9 kB · kept work 2.0 kB (measured 1m ago)")
        );
    }
}
