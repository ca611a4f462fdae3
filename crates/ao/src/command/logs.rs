//! `ao logs`: what a session's terminal printed, as text.

use crate::context::Context;
use crate::exit::Ended;
use crate::{connect, follow, route};
use ao_api::client::Client;
use ao_api::terminal::Logs;
use ao_core::kind::{Fault, Kind};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::sleep;

/// Between two looks while following: a person reads no faster, and a look costs the daemon a few file reads.
const LOOK_EVERY: Duration = Duration::from_millis(300);

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
}

/// Shows what was printed.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let logs = fetch(context, &client, &args.session, args.lines).await?;
    let out = &context.out;
    if out.is_json() && !args.follow {
        out.json(&logs);
        return Ok(ExitCode::SUCCESS);
    }
    let mut seen = Seen::default();
    let mut logs = logs;
    loop {
        // The last row may be half of one: it is printed when another comes, or at the end.
        let hold = args.follow && logs.live;
        for text in seen.fresh(&logs, hold) {
            if out.is_json() {
                out.json_line(&text);
            } else {
                out.line(&text);
            }
        }
        if !hold {
            return Ok(ExitCode::SUCCESS);
        }
        sleep(LOOK_EVERY).await;
        let client = follow::reconnect(context).await?;
        logs = match fetch(context, &client, &args.session, args.lines.max(MARGIN)).await {
            Ok(logs) => logs,
            // The daemon went away in between: the next look finds the next one.
            Err(fault) if fault.kind == Kind::Unavailable => continue,
            Err(fault) => return Err(fault),
        };
    }
}

/// Lines fetched while following: more than a terminal prints between two looks, unless it floods.
const MARGIN: u32 = 500;

async fn fetch(context: &Context, client: &Client, session: &str, lines: u32) -> Result<Logs, Fault> {
    let colour = context.out.colours().then(|| "true".to_owned());
    let path =
        route::query(&route::of_session(session, "logs"), &[("lines", Some(lines.to_string())), ("color", colour)]);
    client.get(&path).await
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
