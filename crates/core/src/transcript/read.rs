//! One record of a transcript: what it adds to the conversation, and what it says of the agent.

use super::lean::cut;
use super::path::Path;
use super::reading::{Counted, LONGEST_MESSAGE, MOST_TOOLS, REMEMBERED, Reading, ToolUse};
use super::rule::{RecordRule, Says, Shape, TokenPaths};
use super::when::unix_ms;
use crate::activity::{Activity, Observation, Source};
use crate::adapter::Pattern;
use crate::time::Time;
use crate::usage::{MicroUsd, Tokens};
use serde_json::Value;
use std::collections::BTreeMap;

/// Longest name of a model, a tool, a turn or a reading.
const LONGEST_NAME: usize = 200;

/// What a record says of the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What.
    pub what: Says,
    /// When, milliseconds since 1970 of the wall clock, if it says so.
    pub at_unix_ms: Option<u64>,
    /// The rule.
    pub rule: String,
    /// The agent's own id of the turn.
    pub turn: Option<String>,
    /// What the agent was told, when this is the record of a prompt.
    pub prompt: Option<String>,
}

impl Said {
    /// As an observation; `at` is machine time.
    #[must_use]
    pub fn observation(&self, reading: &Reading, at: Time) -> Observation {
        let activity = if self.what == Says::RateLimited {
            Activity::RateLimited { until: reading.resets }
        } else {
            self.what.activity()
        };
        let why = format!("transcript record {:?}", self.rule);
        Observation { activity, source: Source::Transcript, at, offset: None, why }
    }
}

/// Reads one record of file number `file`. Of a file of a sub-agent (`file` > 0) only tokens count.
pub fn record(shape: &Shape, reading: &mut Reading, file: usize, record: &Value) -> Option<Said> {
    take(shape, reading, file, file > 0, record)
}

/// Reads only what one record says of tokens: everything else of it was taken before.
pub fn tokens(shape: &Shape, reading: &mut Reading, file: usize, record: &Value) {
    let _ = take(shape, reading, file, true, record);
}

fn take(shape: &Shape, reading: &mut Reading, file: usize, only_tokens: bool, record: &Value) -> Option<Said> {
    if !shape.only.iter().all(|(path, pattern)| fits(path, pattern, record, record)) {
        return None;
    }
    if !only_tokens && let Some(native) = shape.native.as_ref().and_then(|path| path.text(record, record)) {
        reading.native = Some(name(&native));
    }
    let at_unix_ms = shape.time.as_ref().and_then(|path| path.one(record, record)).and_then(unix_ms);
    let mut said: Option<Said> = None;
    for rule in &shape.rules {
        let elements = rule.each.as_ref().map_or_else(|| vec![record], |each| each.all(record, record));
        for element in elements {
            if !rule_fits(rule, record, element) {
                continue;
            }
            let of_rule = apply(shape, rule, reading, (file, only_tokens), record, element);
            if let Some(what) = of_rule
                && said.is_none()
            {
                let turn = reading.turn.clone();
                let prompt = rule.prompt.as_ref().and_then(|path| path.text(record, element));
                said = Some(Said { what, at_unix_ms, rule: rule.name.clone(), turn, prompt });
            }
        }
    }
    said
}

fn rule_fits(rule: &RecordRule, record: &Value, element: &Value) -> bool {
    let all = |conditions: &BTreeMap<Path, Pattern>| conditions.iter().all(|(path, p)| fits(path, p, record, element));
    let any = |conditions: &BTreeMap<Path, Pattern>| conditions.iter().any(|(path, p)| fits(path, p, record, element));
    all(&rule.when) && !any(&rule.unless)
}

/// Whether one of the texts there matches. What is no text, number or truth value counts as empty text.
fn fits(path: &Path, pattern: &Pattern, record: &Value, element: &Value) -> bool {
    path.all(record, element).into_iter().any(|value| match value {
        Value::String(text) => pattern.0.is_match(text),
        Value::Number(number) => pattern.0.is_match(&number.to_string()),
        Value::Bool(yes) => pattern.0.is_match(if *yes { "true" } else { "false" }),
        Value::Null | Value::Array(_) | Value::Object(_) => pattern.0.is_match(""),
    })
}

/// Takes over what a rule finds. What it says of the agent counts only where it is news: a turn that did not begin does not
/// end.
fn apply(
    shape: &Shape,
    rule: &RecordRule,
    reading: &mut Reading,
    (file, only_tokens): (usize, bool),
    record: &Value,
    element: &Value,
) -> Option<Says> {
    let text = |path: &Option<Path>| path.as_ref().and_then(|path| path.text(record, element));
    let model = text(&rule.model).map(|model| name(&model));
    if let Some(tokens) = &rule.tokens {
        let model = model.clone().or_else(|| reading.model.clone()).unwrap_or_default();
        count(tokens, reading, file, &model, record, element);
    }
    if only_tokens {
        return None;
    }
    if let Some(native) = text(&rule.native) {
        reading.native = Some(name(&native));
    }
    if model.is_some() {
        reading.model = model;
    }
    if let Some(message) = text(&rule.message).filter(|m| !m.trim().is_empty()) {
        reading.message = Some(cut(message.trim(), LONGEST_MESSAGE).to_owned());
    }
    if let (Some(tool), Some(id)) = (text(&rule.tool), text(&rule.tool_id))
        && reading.tools.len() < MOST_TOOLS
    {
        let agent = shape.sub_agents.contains(&tool);
        reading.tools.insert(name(&id), ToolUse { name: name(&tool), agent });
    }
    if let Some(id) = text(&rule.tool_over) {
        reading.tools.remove(&name(&id));
    }
    if let Some(resets) = rule.resets.as_ref().and_then(|path| path.one(record, element)).and_then(unix_ms) {
        reading.resets = Some(Time(resets));
    }
    let turn = text(&rule.turn).map(|turn| name(&turn));
    let says = rule.says?;
    if says.ends() && !reading.open {
        return None;
    }
    let began = !reading.open || turn.is_some() && turn != reading.turn;
    if says == Says::Working && began {
        reading.turns = reading.turns.saturating_add(1);
        reading.turn = turn;
    } else if turn.is_some() {
        reading.turn = turn;
    }
    reading.open = !says.ends();
    if says.ends() {
        reading.tools.clear();
    }
    Some(says)
}

fn count(paths: &TokenPaths, reading: &mut Reading, file: usize, model: &str, record: &Value, element: &Value) {
    let sum = |paths: &[Path]| {
        let numbers: Vec<u64> = paths.iter().filter_map(|path| path.number(record, element)).collect();
        (!numbers.is_empty()).then(|| numbers.into_iter().fold(0, u64::saturating_add))
    };
    let (input, output) = (sum(&paths.input), sum(&paths.output));
    if input.is_none() && output.is_none() {
        return;
    }
    let (cache_read, cache_write) = (sum(&paths.cache_read).unwrap_or(0), sum(&paths.cache_write).unwrap_or(0));
    let held = if paths.input_holds_cache { cache_read.saturating_add(cache_write) } else { 0 };
    let input = input.unwrap_or(0).saturating_sub(held);
    let tokens = Tokens { input, output: output.unwrap_or(0), cache_read, cache_write };
    let cost = paths.cost.as_ref().and_then(|path| path.one(record, element)).and_then(Value::as_f64).and_then(dollars);
    let Some(cursor) = reading.files.get_mut(file) else { return };
    let (news, cost) = if paths.total {
        // A smaller number is the beginning of another count.
        let before = cursor.total.filter(|before| before.total() <= tokens.total()).unwrap_or_default();
        cursor.total = Some(tokens);
        (tokens.beyond(before), None)
    } else if let Some(key) = paths.key.as_ref().and_then(|path| path.text(record, element)) {
        let key = name(&key);
        match cursor.counted.iter_mut().find(|c| c.key == key) {
            Some(counted) => {
                let most = counted.tokens.most(tokens);
                let news = most.beyond(counted.tokens);
                counted.tokens = most;
                let more = cost.map(|c| MicroUsd(c.0.saturating_sub(counted.cost.unwrap_or_default().0)));
                counted.cost = counted.cost.max(cost);
                (news, more)
            }
            None => {
                if cursor.counted.len() >= REMEMBERED {
                    cursor.counted.remove(0);
                }
                cursor.counted.push(Counted { key, tokens, cost });
                (tokens, cost)
            }
        }
    } else {
        (tokens, cost)
    };
    if news != Tokens::default() || cost.is_some_and(|c| c.0 > 0) {
        reading.count(file, model, news, cost);
    }
}

/// Millionths of a dollar; nothing, or less, is taken for "not known".
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is checked to be positive and small")]
fn dollars(dollars: f64) -> Option<MicroUsd> {
    let micro = (dollars * 1_000_000.0).ceil();
    (1.0..1e15).contains(&micro).then_some(MicroUsd(micro as u64))
}

fn name(text: &str) -> String {
    cut(text, LONGEST_NAME).to_owned()
}
