//! A run as people see it: live, and at its end.

use super::table::{Table, styled};
use super::words::{count, cut, length, line, short, style_of};
use crate::output::{Style, paint};
use ao_api::run::{QueueView, RunView, TaskView};
use ao_api::session::SessionView;
use std::collections::BTreeMap;

/// Everything that is shown of a run that goes on.
#[derive(Clone, Debug)]
pub struct Live {
    /// The run.
    pub run: RunView,
    /// Its sessions.
    pub sessions: BTreeMap<String, SessionView>,
    /// The queue of its project.
    pub queue: Option<QueueView>,
}

impl Live {
    fn session_of(&self, task: &TaskView) -> Option<&SessionView> {
        self.sessions.get(task.session.as_deref()?)
    }

    /// What one task does now, in a word and a reason.
    #[must_use]
    pub fn state_of(&self, task: &TaskView) -> (String, String) {
        match (task.state.as_str(), self.session_of(task)) {
            ("active", Some(s)) => (s.status.clone(), telling(s)),
            ("given_up", _) => (task.state.clone(), task.why.as_deref().map(line).unwrap_or_default()),
            ("landed", _) => (task.state.clone(), task.commit.as_deref().map(short).unwrap_or_default().to_owned()),
            (other, _) => (other.to_owned(), String::new()),
        }
    }

    /// One line that says how far the run is.
    #[must_use]
    pub fn headline(&self, now: u64) -> String {
        let run = &self.run;
        let landed = run.tasks.iter().filter(|t| t.state == "landed").count();
        let what = match run.state.as_str() {
            "checking" => format!("running `{}` on {}", line(&run.check), line(&run.target)),
            "verifying" => format!("running `{}` on {} again", line(&run.check), line(&run.target)),
            "working" => format!("{landed} of {} landed on {}", count(run.tasks.len(), "task"), line(&run.target)),
            _ => run.outcome.as_deref().map(line).unwrap_or_default(),
        };
        let end = run.ended_at.unwrap_or(now);
        format!("{}: {what} · {}", line(&run.id), length(end.saturating_sub(run.started_at)))
    }
}

/// The reason of a status, where the status alone does not say enough.
fn telling(session: &SessionView) -> String {
    match session.status.as_str() {
        "working" | "idle" | "ci_pending" | "pr_open" | "in_merge_queue" => String::new(),
        _ => line(&session.why),
    }
}

/// Titles are cut here in progress lines: what matters stands behind them.
const TITLE: usize = 60;

/// The picture that is redrawn: at most `rows` lines of at most `width` columns.
#[must_use]
pub fn picture(live: &Live, now: u64, (width, rows): (usize, usize), colour: bool) -> Vec<String> {
    let mut out = vec![paint(colour, Style::Bold, &cut(&live.headline(now), width))];
    let mut table = Table::new(&["", "TASK", "SESSION", "STATE", "TRY", "TIME", "WHY"]);
    // What goes on is shown first when there is no room for all.
    let mut tasks: Vec<&TaskView> = live.run.tasks.iter().collect();
    let room = rows.saturating_sub(5).max(1);
    if tasks.len() > room {
        tasks.sort_by_key(|t| match t.state.as_str() {
            "active" => 0,
            "waiting" => 1,
            _ => 2,
        });
    }
    for task in tasks.iter().take(room) {
        let (state, why) = live.state_of(task);
        let took = task.took_ms.or_else(|| live.session_of(task).map(|s| now.saturating_sub(s.created_at)));
        table.row(vec![
            styled(mark(&task.state), style_of(&task.state)),
            cut(&line(&task.title), width * 2 / 5).into(),
            task.session.as_deref().unwrap_or("-").into(),
            styled(&state, style_of(&state)),
            task.attempts.to_string().into(),
            took.map(length).unwrap_or_default().into(),
            styled(&why, Style::Dim),
        ]);
    }
    if !tasks.is_empty() {
        out.extend(table.lines(Some(width), colour));
    }
    if tasks.len() > room {
        out.push(format!("  and {} more", tasks.len() - room));
    }
    if let Some(queue) =
        live.queue.as_ref().filter(|q| q.stage.is_some() || q.blocked.is_some() || !q.waiting.is_empty())
    {
        out.push(cut(&super::sessions::queue(queue, false), width));
    }
    out
}

fn mark(state: &str) -> &'static str {
    match state {
        "landed" => "✓",
        "given_up" => "✗",
        "active" => "●",
        _ => "·",
    }
}

/// What changed between two looks, a line each: progress where nothing can be redrawn.
#[must_use]
pub fn changes(before: Option<&Live>, after: &Live, now: u64) -> Vec<String> {
    let at = length(now.saturating_sub(after.run.started_at));
    let mut out = Vec::new();
    let stage = |live: &Live| (live.run.state.clone(), live.run.rounds);
    if before.is_none_or(|b| stage(b) != stage(after)) {
        out.push(after.headline(now));
    }
    for task in &after.run.tasks {
        let (state, why) = after.state_of(task);
        let old = before.and_then(|b| {
            b.run
                .tasks
                .iter()
                .find(|t| t.title == task.title && t.failures == task.failures)
                .map(|t| (b.state_of(t).0, t.attempts))
        });
        if old.is_some_and(|(s, a)| s == state && a == task.attempts) {
            continue;
        }
        let session = task.session.as_deref().map_or_else(|| "-".to_owned(), line);
        let attempt = if task.attempts > 1 { format!(" (attempt {})", task.attempts) } else { String::new() };
        let why = if why.is_empty() { String::new() } else { format!(" · {why}") };
        out.push(format!("[{at}] {session} {state}{attempt}: {}{why}", cut(&line(&task.title), TITLE)));
    }
    let blocked = |live: &Live| live.queue.as_ref().and_then(|q| q.blocked.clone());
    if let Some(why) = blocked(after).filter(|_| before.is_none_or(|b| blocked(b) != blocked(after))) {
        out.push(format!("[{at}] the merge queue is blocked: {}; mend that, and it goes on by itself", line(&why)));
    }
    out
}

/// The table at the end.
#[must_use]
pub fn summary(run: &RunView, width: Option<usize>, colour: bool) -> Vec<String> {
    let mut out = Vec::new();
    if !run.tasks.is_empty() {
        let mut table = Table::new(&["", "SESSION", "ATTEMPTS", "TIME", "COMMIT", "TASK"]);
        for task in &run.tasks {
            table.row(vec![
                styled(mark(&task.state), style_of(&task.state)),
                task.session.as_deref().unwrap_or("-").into(),
                task.attempts.to_string().into(),
                task.took_ms.map(length).unwrap_or_else(|| "-".to_owned()).into(),
                commit(task).into(),
                task.title.as_str().into(),
            ]);
        }
        out.extend(table.lines(width, colour));
        out.push(String::new());
    }
    out.push(verdict(run, colour));
    out
}

/// The commit that brought a fix; of one that others brought only that it is there.
fn commit(task: &TaskView) -> String {
    match &task.commit {
        Some(commit) if task.contained => format!("in {}", short(commit)),
        Some(commit) => short(commit).to_owned(),
        None => "-".to_owned(),
    }
}

fn verdict(run: &RunView, colour: bool) -> String {
    let target = line(&run.target);
    let took = length(run.ended_at.unwrap_or(run.started_at).saturating_sub(run.started_at));
    let landed = run.tasks.iter().filter(|t| t.state == "landed").count();
    match run.outcome.as_deref() {
        Some("green") if run.tasks.is_empty() => {
            paint(colour, Style::Green, &format!("{target} is green already: `{}` passes", line(&run.check)))
        }
        Some("green") => {
            let commit = run.commit.as_deref().map(|c| format!(" at {}", short(c))).unwrap_or_default();
            paint(
                colour,
                Style::Green,
                &format!(
                    "{target} is green{commit}: {} landed in {took}",
                    count(landed, "fix").replace("fixs", "fixes")
                ),
            )
        }
        Some("red") => {
            let left = run.left.unwrap_or(0);
            paint(
                colour,
                Style::Red,
                &format!(
                    "{target} is still red: {} left, {landed} of {} landed in {took}",
                    count(left as usize, "failure"),
                    count(run.tasks.len(), "task")
                ),
            )
        }
        Some("dry_run") => {
            format!("{} would be started on {target}; nothing was changed", count(run.tasks.len(), "session"))
        }
        Some("cancelled") => paint(
            colour,
            Style::Yellow,
            &format!("cancelled after {took}: {landed} of {} landed", count(run.tasks.len(), "task")),
        ),
        Some(_) | None => {
            let why = run.fault.as_ref().map_or("it did not end", |f| f.message.as_str());
            paint(colour, Style::Red, &format!("the run failed: {}", line(why)))
        }
    }
}

/// What is left and what to do about it, a line each.
#[must_use]
pub fn left(run: &RunView) -> Vec<String> {
    let mut out = Vec::new();
    for task in run.tasks.iter().filter(|t| t.state != "landed") {
        let why = task.why.as_deref().map(|w| format!(": {}", line(w))).unwrap_or_default();
        let to_do =
            task.session.as_deref().map(|s| format!(" (look: ao attach {s}, or ao logs {s})")).unwrap_or_default();
        out.push(format!("{}{why}{to_do}", line(&task.title)));
    }
    out
}

/// The failures of each task, for a dry run.
#[must_use]
pub fn plan(run: &RunView) -> Vec<String> {
    let mut out = Vec::new();
    for (n, task) in run.tasks.iter().enumerate() {
        out.push(format!("{:>3}. {}", n + 1, line(&task.title)));
        out.extend(task.failures.iter().filter(|f| **f != task.title).map(|f| format!("       {}", line(f))));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::sessions::tests::session;
    use super::*;

    fn task(title: &str, session: Option<&str>, state: &str) -> TaskView {
        TaskView {
            title: title.to_owned(),
            failures: vec![title.to_owned()],
            session: session.map(str::to_owned),
            state: state.to_owned(),
            why: (state == "given_up").then(|| "three attempts failed".to_owned()),
            attempts: u32::from(session.is_some()),
            took_ms: (state == "landed").then_some(42_000),
            contained: title.contains("others"),
            commit: (state == "landed").then(|| "0123456789abcdef0123456789abcdef01234567".to_owned()),
        }
    }

    fn live(tasks: Vec<TaskView>) -> Live {
        let run = RunView {
            id: "app-fix-1".to_owned(),
            project_id: "app".to_owned(),
            check: "cargo test".to_owned(),
            agent: "claude-code".to_owned(),
            chosen: None,
            target: "main".to_owned(),
            state: "working".to_owned(),
            outcome: None,
            fault: None,
            commit: None,
            left: None,
            rounds: 1,
            tasks,
            started_at: 40_000,
            ended_at: None,
            joined: false,
            notes: Vec::new(),
        };
        let sessions = [("app-2", session("app-2", "working", "t"))].map(|(id, s)| (id.to_owned(), s)).into();
        Live { run, sessions, queue: None }
    }

    fn three() -> Live {
        live(vec![
            task("cart::tests::total", Some("app-1"), "landed"),
            task("date::tests::leap", Some("app-2"), "active"),
            task("text::tests::wrap", None, "waiting"),
        ])
    }

    #[test]
    fn the_picture_has_a_line_for_each_task() {
        insta::assert_snapshot!(picture(&three(), 100_000, (100, 24), false).join("\n"), @r#"
        app-fix-1: 1 of 3 tasks landed on main · 1m 0s
           TASK                SESSION  STATE    TRY  TIME  WHY
        ✓  cart::tests::total  app-1    landed   1    42s   0123456789
        ●  date::tests::leap   app-2    working  1    40s
        ·  text::tests::wrap   -        waiting  0
        "#);
    }

    #[test]
    fn a_small_terminal_shows_what_goes_on_and_counts_the_rest() {
        let lines = picture(&three(), 100_000, (60, 6), false);
        assert!(lines.len() <= 6 && lines.concat().contains("date::tests::leap"), "{lines:#?}");
        assert!(lines.last().is_some_and(|l| l.contains("and 2 more")), "{lines:#?}");
        assert!(lines.iter().all(|l| unicode_width::UnicodeWidthStr::width(l.as_str()) <= 80), "{lines:#?}");
    }

    #[test]
    fn plain_progress_says_only_what_changed() {
        let before = three();
        assert_eq!(changes(Some(&before), &before, 100_000), Vec::<String>::new());
        let mut after = three();
        after.run.tasks[1].attempts = 2;
        after.run.tasks[2] = task("text::tests::wrap", None, "given_up");
        insta::assert_snapshot!(changes(Some(&before), &after, 100_000).join("\n"), @r#"
        [1m 0s] app-2 working (attempt 2): date::tests::leap
        [1m 0s] - given_up: text::tests::wrap · three attempts failed
        "#);
    }

    #[test]
    fn the_end_says_what_landed_and_what_is_left() {
        let mut done = three().run;
        done.ended_at = Some(100_000);
        done.outcome = Some("red".to_owned());
        done.left = Some(1);
        done.tasks[1] = task("date::tests::leap", Some("app-2"), "given_up");
        done.tasks[2] = task("mended by others", Some("app-3"), "landed");
        insta::assert_snapshot!(summary(&done, None, false).join("\n"), @r#"
           SESSION  ATTEMPTS  TIME  COMMIT         TASK
        ✓  app-1    1         42s   0123456789     cart::tests::total
        ✗  app-2    1         -     -              date::tests::leap
        ✓  app-3    1         42s   in 0123456789  mended by others

        main is still red: 1 failure left, 2 of 3 tasks landed in 1m 0s
        "#);
        insta::assert_snapshot!(left(&done).join("\n"), @"date::tests::leap: three attempts failed (look: ao attach app-2, or ao logs app-2)");
        done.outcome = Some("green".to_owned());
        done.commit = Some("fedcba9876543210".to_owned());
        done.tasks.truncate(1);
        assert!(
            verdict(&done, false).starts_with("main is green at fedcba9876: 1 fix landed in 1m 0s"),
            "{}",
            verdict(&done, false)
        );
    }
}
