//! Sessions as lists and one by one.

use super::question;
use super::table::{Table, styled};
use super::words::{age, line, moment, short, style_of};
use crate::output::{Style, paint};
use ao_api::run::QueueView;
use ao_api::session::{IgnoredView, SessionView, TerminalView};
use ao_core::workspace::PORTS_EACH;

/// A list, one line each.
#[must_use]
pub fn list(sessions: &[SessionView], now: u64, width: Option<usize>, colour: bool) -> Vec<String> {
    let mut table = Table::new(&["SESSION", "STATUS", "AGENT", "BRANCH", "AGE", "TITLE"]);
    for s in sessions {
        table.row(vec![
            styled(&s.id, Style::Bold),
            styled(&s.status, style_of(&s.status)),
            s.agent.as_str().into(),
            s.branch.as_str().into(),
            age(s.created_at, now).into(),
            s.title.as_str().into(),
        ]);
    }
    table.lines(width, colour)
}

/// How all stand: per project, with the reason of each status.
#[must_use]
pub fn board(
    sessions: &[SessionView],
    queues: &[QueueView],
    now: u64,
    width: Option<usize>,
    colour: bool,
) -> Vec<String> {
    let mut out = Vec::new();
    let mut projects: Vec<&str> = sessions.iter().map(|s| s.project_id.as_str()).collect();
    projects.extend(queues.iter().filter(|q| shown(q)).map(|q| q.project_id.as_str()));
    projects.sort_unstable();
    projects.dedup();
    for project in projects {
        if !out.is_empty() {
            out.push(String::new());
        }
        out.push(paint(colour, Style::Bold, &line(project)));
        let mut table = Table::new(&["SESSION", "STATUS", "SINCE", "TITLE", "WHY"]);
        for s in sessions.iter().filter(|s| s.project_id == project) {
            table.row(vec![
                s.id.as_str().into(),
                styled(&s.status, style_of(&s.status)),
                age(s.changed_at, now).into(),
                super::words::cut(&line(&s.title), TITLE).into(),
                s.why.as_str().into(),
            ]);
        }
        out.extend(table.lines(width.map(|w| w.saturating_sub(2)), colour).into_iter().map(|l| format!("  {l}")));
        out.extend(
            queues.iter().filter(|q| q.project_id == project && shown(q)).map(|q| format!("  {}", queue(q, colour))),
        );
    }
    out
}

/// What an agent said last is cut here: one line.
const LAST: usize = 100;

/// Titles are cut here in the board, so that there is room for the reasons.
const TITLE: usize = 36;

fn shown(queue: &QueueView) -> bool {
    !queue.waiting.is_empty() || !queue.batch.is_empty() || queue.blocked.is_some()
}

/// A merge queue in one line.
#[must_use]
pub fn queue(queue: &QueueView, colour: bool) -> String {
    let names =
        |entries: &[ao_api::run::QueueEntry]| entries.iter().map(|e| line(&e.session)).collect::<Vec<_>>().join(", ");
    let mut out = format!("merge queue to {}: ", line(&queue.target));
    match (&queue.stage, queue.batch.is_empty()) {
        (Some(stage), false) => out.push_str(&format!("{} {}", line(stage), names(&queue.batch))),
        (Some(_) | None, _) => out.push_str("nothing is being tried"),
    }
    if !queue.waiting.is_empty() {
        out.push_str(&format!("; waiting: {}", names(&queue.waiting)));
    }
    if let Some(why) = &queue.blocked {
        out.push_str(&format!("; {}", paint(colour, Style::Red, &format!("blocked: {}", line(why)))));
        out.push_str(" (mend that: it is tried again by itself; at once with `ao merge-queue retry`)");
    }
    out
}

/// Everything about one session, and what it uses.
#[must_use]
pub fn one(s: &SessionView, used: Option<&str>, now: u64, colour: bool) -> Vec<String> {
    let mut rows: Vec<(&str, String)> = Vec::new();
    let mut add = |name, value: String| rows.push((name, value));
    add("status", format!("{} · {}", paint(colour, style_of(&s.status), &s.status), line(&s.why)));
    if let Some(hint) = &s.hint {
        add("hint", line(hint));
    }
    if let Some(why) = &s.attention {
        add("needs you", paint(colour, Style::Red, &line(why)));
    }
    if let Some(asked) = &s.question {
        add("asks", paint(colour, Style::Bold, &question::short(asked)));
        add("answer", question::verb(asked, &line(&s.id)));
    }
    add("title", line(&s.title));
    add("name", line(&s.name));
    add("project", line(&s.project_id));
    add("agent", format!("{} · {} for {}", line(&s.agent), line(&s.activity.activity), age(s.activity.since, now)));
    if let Some(why) = &s.chosen {
        add("chosen", line(why));
    }
    let process =
        s.exit.as_ref().map_or_else(|| s.runtime_state.clone(), |exit| format!("{} ({exit})", s.runtime_state));
    add("runtime", format!("{} · {}", line(&s.runtime), line(&process)));
    if s.begins_anew {
        add("conversation", "it begins a new conversation: its agent could not go on with the earlier one".to_owned());
    }
    if let Some(used) = used {
        add("uses", used.to_owned());
    }
    if let Some(told) = &s.usage {
        add("model", told.model.as_deref().map_or_else(|| "not known".to_owned(), line));
        add("tokens", super::spent::tokens(&told.spent));
        if let Some(tool) = &told.tool {
            let agents =
                if told.sub_agents > 0 { format!(" · {} sub-agents", told.sub_agents) } else { String::new() };
            add("tool", format!("{}{agents}", line(tool)));
        }
        if let Some(message) = &told.last_message {
            add("said last", super::words::cut(&line(message), LAST));
        }
        if let Some(at) = told.limit_resets_at {
            add("limit", format!("resets {}", moment(at)));
        }
    }
    add("branch", line(&s.branch));
    if let Some(path) = &s.workspace_path {
        add("workspace", format!("{} · {}", line(&s.workspace), line(path)));
    }
    if let Some(issue) = &s.issue {
        add("issue", line(issue));
    }
    if let Some(run) = &s.run {
        add("run", line(run));
    }
    if let Some(pr) = &s.pr {
        let landed = pr.landed.as_ref().map(|c| format!(", landed as {}", short(c))).unwrap_or_default();
        add("pull request", format!("#{} {} · checks {} · merge {}{landed}", pr.number, pr.state, pr.checks, pr.merge));
    }
    if let Some(delivery) = &s.delivery {
        let held = delivery.held.as_ref().map(|h| format!(" · {}", line(h))).unwrap_or_default();
        let more = s.prompts_waiting.saturating_sub(1);
        let more = if more > 0 { format!(" · {more} more behind it") } else { String::new() };
        add("prompt", format!("{}{held}{more}", delivery.state));
    }
    add("turns", s.turns.to_string());
    if let Some(said) = &s.terminal {
        rows.extend(terminal(said, now));
    }
    let mut add = |name, value: String| rows.push((name, value));
    if let Some(base) = s.port_base {
        add("ports", format!("{base} to {} (AO_PORT_BASE)", base.saturating_add(PORTS_EACH - 1)));
    }
    if let Some(at) = s.archived_at {
        add("archived", format!("{} ago (ao restore {} brings it back)", age(at, now), line(&s.id)));
    }
    if let Some(why) = &s.not_archived {
        add("not archived", line(why));
    }
    if let Some(rescue) = &s.rescue {
        add("kept work", line(rescue));
    }
    if let Some(put_back) = &s.put_back {
        add("put back", line(put_back));
    }
    if let Some(gone) = &s.ignored {
        add("not kept", ignored(gone));
    }
    add("created", format!("{} ({} ago)", moment(s.created_at), age(s.created_at, now)));
    let wide = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut out = vec![paint(colour, Style::Bold, &line(&s.id))];
    out.extend(rows.into_iter().map(|(name, value)| {
        format!("  {}{}  {value}", paint(colour, Style::Dim, name), " ".repeat(wide - name.len()))
    }));
    out
}

/// What the program said to the person before its terminal.
fn terminal(said: &TerminalView, now: u64) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if let Some(title) = &said.title {
        rows.push(("window", line(title)));
    }
    if let Some(at) = said.bell_at {
        rows.push(("bells", format!("{}, the last {} ago", said.bells, age(at, now))));
    }
    if let Some(last) = &said.notification {
        let more = if said.notifications > 1 { format!(", the last of {}", said.notifications) } else { String::new() };
        rows.push(("it says", format!("{} ({} ago{more})", line(&last.text), age(last.at, now))));
    }
    if let Some(last) = &said.command {
        let code = last.code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"));
        let more = if said.commands > 1 { format!(", the last of {}", said.commands) } else { String::new() };
        rows.push(("command", format!("{code} ({} ago{more})", age(last.at, now))));
    }
    rows
}

/// Ignored files in one phrase, the largest first.
#[must_use]
pub fn ignored(gone: &IgnoredView) -> String {
    let some: Vec<String> =
        gone.largest.iter().take(5).map(|path| format!("{} {}", line(&path.path), rounded(path.bytes))).collect();
    let more = if gone.paths > 5 { format!(" and {} more", gone.paths - 5) } else { String::new() };
    format!("{} of ignored files: {}{more}", rounded(gone.bytes), some.join(", "))
}

/// Bytes as people say them, to one decimal.
#[must_use]
pub fn rounded(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} B"),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    let tenths = bytes.saturating_mul(10) / unit;
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use ao_api::run::QueueEntry;
    use ao_api::session::ActivityView;

    /// A session for looks.
    pub fn session(id: &str, status: &str, title: &str) -> SessionView {
        SessionView {
            id: id.to_owned(),
            name: format!("app-{id}"),
            project_id: "app".to_owned(),
            title: title.to_owned(),
            status: status.to_owned(),
            why: format!("because {status}"),
            state: "working".to_owned(),
            activity: ActivityView {
                activity: status.to_owned(),
                since: 100_000,
                source: "hook".to_owned(),
                confidence: 90,
                why: "the hook said so".to_owned(),
            },
            runtime_state: "alive".to_owned(),
            exit: None,
            agent: "claude-code".to_owned(),
            chosen: None,
            runtime: "process".to_owned(),
            workspace: "worktree".to_owned(),
            workspace_path: None,
            branch: format!("fix/{id}"),
            issue: None,
            run: None,
            pr: None,
            attention: None,
            needs_person: false,
            delivery: None,
            prompts_waiting: 0,
            turns: 1,
            turn_end: None,
            ended: false,
            rescue: None,
            port_base: None,
            put_back: None,
            ignored: None,
            begins_anew: false,
            question: None,
            hint: None,
            left_running: Vec::new(),
            archived_at: None,
            not_archived: None,
            frozen_since: None,
            usage: None,
            terminal: None,
            created_at: 60_000,
            changed_at: 100_000,
        }
    }

    fn world() -> Vec<SessionView> {
        vec![
            session("app-1", "working", "Fix the login"),
            session("app-2", "needs_input", "A title that somebody wrote with \u{1b}[2J and\nlines"),
            session("app-10", "merged", "世界"),
        ]
    }

    #[test]
    fn a_list_has_a_line_for_each_and_is_cut_at_the_edge_only() {
        let lines = list(&world(), 3_720_000, None, false).join("\n");
        insta::assert_snapshot!(lines, @r#"
        SESSION  STATUS       AGENT        BRANCH      AGE  TITLE
        app-1    working      claude-code  fix/app-1   1h   Fix the login
        app-2    needs_input  claude-code  fix/app-2   1h   A title that somebody wrote with [2J and lines
        app-10   merged       claude-code  fix/app-10  1h   世界
        "#);
        let narrow = list(&world(), 3_720_000, Some(60), false);
        assert!(narrow.iter().all(|l| unicode_width::UnicodeWidthStr::width(l.as_str()) <= 60), "{narrow:#?}");
        assert!(narrow.iter().any(|l| l.ends_with('…')), "{narrow:#?}");
    }

    #[test]
    fn a_board_shows_why_and_the_queue_that_is_blocked() {
        let entry =
            |session: &str| QueueEntry { pr: "app#1".to_owned(), session: session.to_owned(), title: "t".to_owned() };
        let queue = QueueView {
            project_id: "app".to_owned(),
            target: "main".to_owned(),
            waiting: vec![entry("app-2")],
            batch: vec![entry("app-1")],
            stage: Some("gating".to_owned()),
            blocked: Some("main is checked out and dirty".to_owned()),
        };
        insta::assert_snapshot!(board(&world(), &[queue], 160_000, None, false).join("\n"), @r#"
        app
          SESSION  STATUS       SINCE  TITLE                                 WHY
          app-1    working      1m     Fix the login                         because working
          app-2    needs_input  1m     A title that somebody wrote with [2…  because needs_input
          app-10   merged       1m     世界                                  because merged
          merge queue to main: gating app-1; waiting: app-2; blocked: main is checked out and dirty (mend that: it is tried again by itself; at once with `ao merge-queue retry`)
        "#);
    }

    #[test]
    fn one_session_is_shown_with_everything_that_is_known() {
        let mut s = session("app-1", "stuck", "Fix the login");
        s.attention = Some("three attempts failed".to_owned());
        s.exit = Some("exit code 1".to_owned());
        s.runtime_state = "exited".to_owned();
        let lines = one(&s, Some("2.5 s of CPU"), 160_000, false);
        let without_date: Vec<&String> = lines.iter().filter(|l| !l.contains("created")).collect();
        let text = without_date.into_iter().cloned().collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(text, @r#"
        app-1
          status     stuck · because stuck
          needs you  three attempts failed
          title      Fix the login
          name       app-app-1
          project    app
          agent      claude-code · stuck for 1m
          runtime    process · exited (exit code 1)
          uses       2.5 s of CPU
          branch     fix/app-1
          turns      1
        "#);
    }

    #[test]
    fn colour_is_only_there_when_it_is_wanted() {
        assert!(!list(&world(), 0, None, false).concat().contains('\u{1b}'));
        assert!(list(&world(), 0, None, true).concat().contains("\u{1b}[34mworking\u{1b}[0m"));
    }
}
