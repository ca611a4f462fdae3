//! Which agent gets a task when its caller named none: points for each candidate, each with its reason in words.
//!
//! Three strategies. `fixed` takes the project's agent, whatever else is there. `ranked` compares what is known of the
//! candidates: logged in, paid for, free of limits, how their earlier sessions went. `heuristic` also looks at the task.
//! Points are whole numbers that a person can add up; the constants say what each fact is worth. When nobody said anything
//! the built-in agent is taken as by `fixed`, and only where it is not installed the others are looked at.

pub mod asked;
pub mod history;
pub mod limit;
pub mod selection;
pub mod task;

use crate::time::Time;
use history::History;
pub use selection::{Named, Strategy};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use task::TaskKind;

/// The project's own agent: it takes a bad record or a limit to pass it over.
const DEFAULT: i32 = 40;
/// Known to be logged in.
const LOGGED_IN: i32 = 18;
/// Known not to be: a session would begin with a person at a login page.
const LOGGED_OUT: i32 = -60;
/// A subscription costs nothing more for one more task.
const SUBSCRIPTION: i32 = 8;
/// The subscription that the configuration names.
const PREFERRED_SUBSCRIPTION: i32 = 18;
/// Its provider turns it away at present.
const LIMITED: i32 = -80;
/// What the best fit to every side of the task is worth, and the worst costs.
const FIT: i32 = 20;
/// The fit of an agent that says nothing about a kind of task; 0 is the worst, 10 the best.
const PLAIN_FIT: u8 = 5;

/// What is known of an agent's login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Login {
    /// Nothing.
    #[default]
    Unknown,
    /// Nobody is logged in.
    Out,
    /// By a key that is paid by use.
    Key,
    /// By a subscription.
    Subscription,
}

/// One agent that might get the task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Canonical name.
    pub name: String,
    /// Its program is there.
    pub installed: bool,
    /// Why it cannot work for this project although it is there, such as a preset that it does not have.
    pub bar: Option<String>,
    /// Its login.
    pub login: Login,
    /// Whose subscription it can use, as in [`Wish::subscription`].
    pub provider: Option<String>,
    /// Its provider turns it away until then.
    pub limited_until: Option<Time>,
    /// How well it suits kinds of tasks, from 0 to 10, as its adapter says.
    pub fit: BTreeMap<TaskKind, u8>,
    /// How its earlier sessions went.
    pub history: History,
}

/// What the project wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish<'a> {
    /// How to choose; none when nobody said.
    pub strategy: Option<Strategy>,
    /// The project's agent.
    pub default: &'a str,
    /// Who made it that.
    pub named: Named,
    /// The subscription to use up first: `anthropic`, `openai`, ….
    pub subscription: Option<&'a str>,
    /// What the agent will be told.
    pub task: &'a str,
}

/// The agent for a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its name.
    pub agent: String,
    /// Why, in one line.
    pub why: String,
    /// Everybody who was looked at, best first.
    pub ranking: Vec<Ranked>,
}

/// One candidate and what it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Its name.
    pub agent: String,
    /// The sum; none for one that is not installed.
    pub points: Option<i32>,
    /// What they are for, in words, such as `logged in +18`.
    pub reasons: Vec<String>,
}

/// Chooses. The project's agent is taken, too, when no candidate can work: its start then says what to install.
#[must_use]
pub fn choose(candidates: &[Candidate], wish: &Wish<'_>, now: Time) -> Choice {
    let default = wish.default.to_owned();
    let there = |c: &Candidate| c.installed && c.bar.is_none();
    // What nobody named is no reason to fail where another agent could work.
    let passed_over = wish.strategy.is_none()
        && wish.named == Named::Nowhere
        && !candidates.iter().any(|c| c.name == default && c.installed)
        && candidates.iter().any(there);
    let strategy = if passed_over { Strategy::Heuristic } else { wish.strategy.unwrap_or_default() };
    if strategy == Strategy::Fixed {
        return Choice { why: wish.words(), agent: default, ranking: Vec::new() };
    }
    let kinds = if strategy == Strategy::Heuristic { task::kinds(wish.task) } else { Vec::new() };
    let pace = history::pace(candidates.iter().filter(|c| there(c)).map(|c| &c.history));
    let mut ranking: Vec<Ranked> = candidates.iter().map(|c| rank(c, wish, &kinds, pace, now)).collect();
    ranking.sort_by(|a, b| (Reverse(a.points), &a.agent).cmp(&(Reverse(b.points), &b.agent)));
    let (agent, why) = match ranking.first().filter(|r| r.points.is_some()) {
        Some(best) if passed_over => (best.agent.clone(), format!("{default} is not installed; {}", best.words())),
        Some(best) => (best.agent.clone(), best.words()),
        None => (default, format!("{}, and no other was found", wish.words())),
    };
    Choice { agent, why, ranking }
}

impl Wish<'_> {
    /// Whose the default is.
    fn words(&self) -> String {
        match self.named {
            Named::Nowhere => format!("{} is taken when nothing else is said", self.default),
            Named::Configuration => format!("{} is the project's agent", self.default),
            Named::Environment => format!("{} is what {} names", self.default, asked::AGENT),
        }
    }
}

impl Ranked {
    /// Name, points and reasons in one line, as in `codex: 36 points (logged in +18, by a subscription +8, fast +10)`.
    #[must_use]
    pub fn words(&self) -> String {
        match self.points {
            None => format!("{}: {}", self.agent, self.reasons.join(", ")),
            Some(points) if self.reasons.is_empty() => format!("{}: {points} points, nothing known of it", self.agent),
            Some(points) => format!("{}: {points} points ({})", self.agent, self.reasons.join(", ")),
        }
    }
}

fn rank(candidate: &Candidate, wish: &Wish<'_>, kinds: &[TaskKind], pace: Option<u64>, now: Time) -> Ranked {
    let agent = candidate.name.clone();
    let bar = if candidate.installed { candidate.bar.clone() } else { Some("not installed".to_owned()) };
    if let Some(bar) = bar {
        return Ranked { agent, points: None, reasons: vec![bar] };
    }
    let mut given: Vec<(String, i32)> = Vec::new();
    if wish.named != Named::Nowhere && candidate.name == wish.default {
        given.push(("named as the default".to_owned(), DEFAULT));
    }
    match candidate.login {
        Login::Unknown => {}
        Login::Out => given.push(("not logged in".to_owned(), LOGGED_OUT)),
        Login::Key => given.push(("logged in".to_owned(), LOGGED_IN)),
        Login::Subscription => {
            given.push(("logged in".to_owned(), LOGGED_IN));
            let preferred = candidate.provider.is_some() && candidate.provider.as_deref() == wish.subscription;
            given.push(if preferred {
                ("by the preferred subscription".to_owned(), PREFERRED_SUBSCRIPTION)
            } else {
                ("by a subscription".to_owned(), SUBSCRIPTION)
            });
        }
    }
    if candidate.limited_until.is_some_and(|until| until > now) {
        given.push(("turned away by its provider".to_owned(), LIMITED));
    }
    given.extend(candidate.history.points(pace));
    for kind in kinds {
        let fit = candidate.fit.get(kind).copied().unwrap_or(PLAIN_FIT).min(2 * PLAIN_FIT);
        let share = (i32::from(fit) - i32::from(PLAIN_FIT)) * FIT / (i32::from(PLAIN_FIT) * count(kinds));
        given.push((kind.words().to_owned(), share));
    }
    given.retain(|(_, points)| *points != 0);
    let points = given.iter().map(|(_, points)| points).sum();
    Ranked { agent, points: Some(points), reasons: given.iter().map(|(why, p)| format!("{why} {p:+}")).collect() }
}

/// A task shows a handful of kinds.
fn count(kinds: &[TaskKind]) -> i32 {
    i32::try_from(kinds.len()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
