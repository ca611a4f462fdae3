//! `ao logs`: what a session's terminal printed, from the files that its host writes; the daemon may be away.

use crate::context::Context;
use crate::exit::Ended;
use crate::recorded::{self, Launch};
use crate::{connect, follow, route};
use ao_api::terminal::Logs;
use ao_core::kind::{Fault, Kind};
use ao_host::client::Client;
use ao_host::discover::Standing;
use ao_host::files::{read_output, read_rows};
use ao_host::record::HostRecord;
use ao_host::wire::{Child, Push, Reply, Request, Screen, WatchFrom};
use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::sleep;

/// Between two looks while following a terminal that leaves no files here: a person reads no faster.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Rows fetched while following: more than a terminal prints between two looks, unless it floods.
const MARGIN: u32 = 500;
/// How long a wait for the next change is; then it begins anew.
const QUIET: Duration = Duration::from_secs(3600);
/// Bytes of raw output read at once.
const PIECE: usize = 1 << 20;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Session
    session: String,
    /// Go on until it ends; rows that change are printed again
    #[arg(short, long)]
    follow: bool,
    /// At most this many lines, the newest
    #[arg(short = 'n', long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    lines: u32,
    /// Only rows that scrolled off, by number, the first is 0: 100..200, 100.. or ..200
    #[arg(long, value_name = "FROM..TO", value_parser = range, conflicts_with_all = ["follow", "raw"])]
    rows: Option<(u64, u64)>,
    /// The very bytes that were printed, escape sequences and all, as far as they are kept
    #[arg(long, conflicts_with = "lines")]
    raw: bool,
}

fn range(text: &str) -> Result<(u64, u64), String> {
    let wrong = || format!("{text:?} is no range of rows such as 100..200");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let number = |part: &str, open: u64| if part.is_empty() { Ok(open) } else { part.parse().map_err(|_| wrong()) };
    let (from, to) = (number(from, 0)?, number(to, u64::MAX)?);
    if from < to { Ok((from, to)) } else { Err(wrong()) }
}

/// Shows what was printed.
pub async fn run(context: &Context, args: Args) -> Ended {
    let id = recorded::session_id(context, &args.session).await?;
    let launch = recorded::launch(context, &id, None);
    match launch {
        Ok(launch) if launch.found.record.is_some() => of_files(context, &args, launch).await,
        // Another runtime's terminal, or none yet: the daemon knows.
        Ok(_) | Err(_) if args.raw || args.rows.is_some() => {
            let fault = Fault::new(Kind::Unsupported, format!("session {id} has no files of a terminal here"));
            Err(fault.hint(format!("ao logs {id} shows what is known of it")))
        }
        Ok(_) | Err(_) => of_daemon(context, &args, &id).await,
    }
}

async fn of_files(context: &Context, args: &Args, launch: Launch) -> Ended {
    if args.raw {
        return raw(args.follow, &launch);
    }
    let out = &context.out;
    if let Some((from, to)) = args.rows {
        let (first, rows) = read_rows(&launch.found.launch_dir, from, to).map_err(|e| unreadable(&launch, &e))?;
        let lines: Vec<String> = rows.iter().map(|row| shown(row, out.colours())).collect();
        if out.is_json() {
            out.json(&Logs { session: launch.session.clone(), lines, earlier: first, live: is_live(&launch) });
        } else {
            lines.iter().for_each(|line| out.line(line));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut watched = if is_live(&launch) { Watched::of(&launch)? } else { None };
    let mut seen = Seen::default();
    let mut lines = args.lines;
    loop {
        let logs = read(context, &launch, watched.as_ref(), lines)?;
        if out.is_json() && !args.follow {
            out.json(&logs);
            return Ok(ExitCode::SUCCESS);
        }
        // The last row may be half of one: it is printed when another comes, or at the end.
        let hold = args.follow && watched.is_some();
        print(context, seen.fresh(&logs, hold));
        let Some(live) = &mut watched else { return Ok(ExitCode::SUCCESS) };
        if !args.follow {
            return Ok(ExitCode::SUCCESS);
        }
        lines = args.lines.max(MARGIN);
        if !live.next()? {
            // What is written last is in the files.
            let ended = recorded::launch(context, &launch.session, Some(launch.ordinal))?;
            let logs = read(context, &ended, None, lines)?;
            print(context, seen.fresh(&logs, false));
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn is_live(launch: &Launch) -> bool {
    matches!(launch.found.standing, Standing::Alive { .. }) && launch.exit().is_none()
}

fn print(context: &Context, lines: Vec<String>) {
    for text in lines {
        if context.out.is_json() {
            context.out.json_line(&text);
        } else {
            context.out.line(&text);
        }
    }
}

/// The newest lines: rows from the files, then the screen.
fn read(context: &Context, launch: &Launch, watched: Option<&Watched>, most: u32) -> Result<Logs, Fault> {
    let (mut screen, total) = match watched {
        Some(watched) => (watched.rows.clone(), watched.total),
        None => (launch.last_screen(), launch.exit().map_or(u64::MAX, |exit| exit.rows_total)),
    };
    while screen.last().is_some_and(|row| row.trim().is_empty()) {
        screen.pop();
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let cut = screen.len().saturating_sub(most);
    let room = (most - (screen.len() - cut)) as u64;
    let dir = &launch.found.launch_dir;
    // Of a lost one nobody counted the rows.
    let total = if total == u64::MAX { newest(launch)? } else { total };
    let (first, rows) = read_rows(dir, total.saturating_sub(room), total).map_err(|e| unreadable(launch, &e))?;
    let earlier = if rows.is_empty() { total + cut as u64 } else { first };
    let colours = context.out.colours();
    let lines = rows.iter().map(|row| shown(row, colours)).chain(screen.split_off(cut)).collect();
    Ok(Logs { session: launch.session.clone(), lines, earlier, live: watched.is_some() })
}

/// How many rows a launch scrolled off, by its files.
fn newest(launch: &Launch) -> Result<u64, Fault> {
    let mut at = 0;
    loop {
        let (first, rows) = read_rows(&launch.found.launch_dir, at, u64::MAX).map_err(|e| unreadable(launch, &e))?;
        if rows.is_empty() {
            return Ok(at);
        }
        at = first + rows.len() as u64;
    }
}

fn unreadable(launch: &Launch, error: &std::io::Error) -> Fault {
    Fault::new(Kind::StorageFailed, format!("the files of session {}: {error}", launch.session))
}

/// A row as it is printed: colours stay if they are wanted, nothing else that steers a terminal is in it.
fn shown(row: &str, colours: bool) -> String {
    let mut text = String::with_capacity(row.len());
    let mut rest = row;
    while let Some(at) = rest.find('\u{1b}') {
        text.push_str(&rest[..at]);
        let sequence = &rest[at..];
        let end = sequence.find(|c: char| c.is_ascii_alphabetic()).map_or(sequence.len(), |end| end + 1);
        if colours && sequence[..end].ends_with('m') {
            text.push_str(&sequence[..end]);
        }
        rest = &sequence[end..];
    }
    text.push_str(rest);
    text.retain(|c| !c.is_control() || c == '\u{1b}');
    text
}

/// Prints the very bytes.
fn raw(follow: bool, launch: &Launch) -> Ended {
    let mut to = std::io::stdout().lock();
    if to.is_terminal() {
        return Err(Fault::invalid("raw output would steer this terminal")
            .hint(format!("send it elsewhere: ao logs {} --raw > FILE; ao export makes a recording", launch.session)));
    }
    let mut watched = if follow && is_live(launch) { Watched::of(launch)? } else { None };
    let mut at = 0;
    loop {
        let (from, bytes) = read_output(&launch.found.launch_dir, at, PIECE).map_err(|e| unreadable(launch, &e))?;
        at = from + bytes.len() as u64;
        // Nobody may read any more.
        if to.write_all(&bytes).and_then(|()| to.flush()).is_err() {
            return Ok(ExitCode::SUCCESS);
        }
        if bytes.is_empty() {
            let Some(live) = &mut watched else { return Ok(ExitCode::SUCCESS) };
            if !live.next()? {
                // Once more for what came last.
                watched = None;
            }
        }
    }
}

/// A live terminal: its host tells what changes.
struct Watched {
    client: Client,
    rows: Vec<String>,
    total: u64,
}

impl Watched {
    /// Subscribes; none if it is over by now.
    fn of(launch: &Launch) -> Result<Option<Self>, Fault> {
        let Some(HostRecord { socket, launch: name, .. }) = &launch.found.record else { return Ok(None) };
        let lost = |error: ao_host::client::ClientError| {
            Fault::unavailable(format!("session {}: {error}", launch.session)).hint("try again")
        };
        let mut client = Client::connect(socket, Some(name)).map_err(lost)?;
        if matches!(client.hello().child, Child::Ended { .. }) {
            return Ok(None);
        }
        let Reply::Done = client.request(&Request::Watch(WatchFrom {})).map_err(lost)? else { return Ok(None) };
        let mut watched = Self { client, rows: Vec::new(), total: 0 };
        Ok(watched.next()?.then_some(watched))
    }

    /// Waits for the next change; false when it is over.
    fn next(&mut self) -> Result<bool, Fault> {
        loop {
            match self.client.next_push(QUIET) {
                Ok(Some(Push::Screen(screen))) => {
                    self.take(screen);
                    return Ok(true);
                }
                Ok(Some(Push::ExitIs(_))) => return Ok(false),
                Ok(Some(_) | None) => {}
                // What became of it is in the files.
                Err(_) => return Ok(false),
            }
        }
    }

    fn take(&mut self, screen: Screen) {
        if screen.full {
            self.rows.clear();
        }
        self.rows.resize(screen.size.rows.into(), String::new());
        for row in screen.rows {
            if let Some(kept) = self.rows.get_mut(usize::from(row.row)) {
                *kept = row.text;
            }
        }
        self.total = screen.rows_total;
    }
}

/// What the daemon knows of a terminal that left no files here.
async fn of_daemon(context: &Context, args: &Args, id: &str) -> Ended {
    let mut client = connect::client(context).await?;
    let out = &context.out;
    let colour = out.colours().then(|| "true".to_owned());
    let mut lines = args.lines;
    let mut seen = Seen::default();
    loop {
        let parts = [("lines", Some(lines.to_string())), ("color", colour.clone())];
        let logs: Logs = match client.get(&route::query(&route::of_session(id, "logs"), &parts)).await {
            Ok(logs) => logs,
            // The daemon went away in between: the next look finds the next one.
            Err(fault) if fault.kind == Kind::Unavailable && lines != args.lines => {
                client = follow::reconnect(context).await?;
                continue;
            }
            Err(fault) => return Err(fault),
        };
        if out.is_json() && !args.follow {
            out.json(&logs);
            return Ok(ExitCode::SUCCESS);
        }
        let hold = args.follow && logs.live;
        print(context, seen.fresh(&logs, hold));
        if !hold {
            return Ok(ExitCode::SUCCESS);
        }
        sleep(LOOK_EVERY).await;
        lines = args.lines.max(MARGIN);
    }
}
/// What was printed already, by the number of the row.
#[derive(Default)]
struct Seen {
    rows: BTreeMap<u64, String>,
    total: u64,
}

impl Seen {
    /// Rows that are new or changed.
    fn fresh(&mut self, logs: &Logs, hold_last: bool) -> Vec<String> {
        let length = logs.lines.len() as u64;
        let total = logs.earlier + length;
        if total < self.total {
            // Old rows were given up, so numbers begin lower: what is on the screen is what was there.
            let lost = self.total - total;
            self.rows = std::mem::take(&mut self.rows)
                .into_iter()
                .filter_map(|(n, t)| Some((n.checked_sub(lost)?, t)))
                .collect();
        }
        self.total = total;
        let filled = logs.lines.iter().rposition(|l| !l.trim().is_empty()).map_or(0, |last| last + 1);
        let upto = if hold_last { filled.saturating_sub(1) } else { filled };
        let mut fresh = Vec::new();
        for (number, line) in (logs.earlier..).zip(logs.lines.iter().take(upto)) {
            if self.rows.get(&number) != Some(line) {
                fresh.push(line.clone());
                self.rows.insert(number, line.clone());
            }
        }
        self.rows = self.rows.split_off(&logs.earlier);
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(earlier: u64, lines: &[&str]) -> Logs {
        Logs { earlier, lines: lines.iter().map(|l| (*l).to_owned()).collect(), ..Logs::default() }
    }

    #[test]
    fn ranges_of_rows() {
        assert_eq!((range("1..3"), range("5.."), range("..7")), (Ok((1, 3)), Ok((5, u64::MAX)), Ok((0, 7))));
        assert!(["", "3", "3..3", "a..b", "4..2"].iter().all(|text| range(text).is_err()));
    }

    #[test]
    fn rows_keep_their_colours_only_where_they_are_wanted() {
        assert_eq!(shown("a\u{1b}[1;31mb\u{1b}[mc\u{7}", true), "a\u{1b}[1;31mb\u{1b}[mc");
        assert_eq!(shown("a\u{1b}[1;31mb\u{1b}[mc\u{1b}[2J", false), "abc");
        assert_eq!(shown("\u{1b}[2Jx", true), "x");
    }

    #[test]
    fn following_prints_what_is_new_or_changed_once() {
        let mut seen = Seen::default();
        assert_eq!(seen.fresh(&logs(0, &["a", "b", "$ ls", ""]), true), ["a", "b"]);
        assert_eq!(seen.fresh(&logs(0, &["a", "b", "$ ls -l", "x", ""]), true), ["$ ls -l"]);
        assert_eq!(seen.fresh(&logs(2, &["$ ls -l", "x", "y"]), true), ["x"]);
        assert_eq!(seen.fresh(&logs(2, &["$ ls -l", "X", "y"]), false), ["X", "y"]);
    }

    #[test]
    fn rows_that_were_given_up_do_not_print_everything_again() {
        let mut seen = Seen::default();
        seen.fresh(&logs(1000, &["a", "b", "c"]), false);
        assert_eq!(seen.fresh(&logs(400, &["b", "c", "d"]), false), ["b", "c", "d"], "the shift is not known exactly");
        assert_eq!(seen.fresh(&logs(400, &["b", "c", "d", "e"]), false), ["e"]);
    }
}
