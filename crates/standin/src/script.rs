//! What is answered to which prompt: a list in a file, or directives in the prompt itself.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// One answer: tool calls one after the other, then the text, and how all of it comes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// Words that all stand in the prompt. An answer without any fits every prompt.
    pub when: Vec<String>,
    /// What is done before the text, a tool call per step.
    pub steps: Vec<Step>,
    /// The text at the end of the turn.
    pub say: String,
    /// Seconds of silence before the first byte of every reply.
    pub delay: f64,
    /// Seconds of reasoning before the text.
    pub think: f64,
    /// Seconds over which the text is spread.
    pub stream: f64,
    /// Seconds of silence in the middle of the text.
    pub hang: f64,
    /// The connection is cut in the middle of the text.
    pub cut: bool,
    /// HTTP status instead of an answer.
    pub error: Option<u16>,
    /// Only so many requests fail; all of them when absent.
    pub errors: Option<u32>,
}

/// One thing that the agent is made to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Step {
    /// Runs a command.
    Run {
        /// For a shell.
        run: String,
        /// Asks to leave the agent's sandbox, where it has one.
        #[serde(default)]
        escalate: bool,
    },
    /// Replaces text in a file that is there.
    Edit {
        /// File, relative to where the agent works.
        edit: String,
        /// Whole lines that are there once.
        find: String,
        /// What comes in their place.
        replace: String,
    },
    /// Writes a file.
    Write {
        /// File, relative to where the agent works, or absolute.
        write: String,
        /// All of its content.
        text: String,
    },
    /// Reads a file.
    Read {
        /// File, relative to where the agent works, or absolute.
        read: String,
    },
    /// Asks the person a question with its options.
    Ask {
        /// The question.
        ask: String,
        /// What may be chosen.
        options: Vec<String>,
    },
}

/// The answers of one server.
#[derive(Clone, Debug, Default)]
pub struct Script {
    answers: Vec<Answer>,
}

impl Script {
    /// Reads a JSON list of answers.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        Ok(Self { answers: serde_json::from_str(text)? })
    }

    /// The answer to a prompt, and its number in the list: a directive in the prompt comes first, then the list in order.
    #[must_use]
    pub fn answer(&self, prompt: &str) -> (Option<usize>, Answer) {
        if let Some(answer) = directive(prompt) {
            return (None, answer);
        }
        let fits = |a: &&Answer| a.when.iter().all(|words| prompt.contains(words.as_str()));
        let found = self.answers.iter().enumerate().find(|(_, a)| fits(a));
        found.map_or_else(
            || (None, Answer { say: "The script has no answer to this.".to_owned(), ..Answer::default() }),
            |(n, answer)| (Some(n), answer.clone()),
        )
    }
}

impl Answer {
    /// Silence before the first byte.
    #[must_use]
    pub fn delayed(&self) -> Duration {
        seconds(self.delay)
    }
}

/// A duration of a script; what is no duration is none.
#[must_use]
pub fn seconds(s: f64) -> Duration {
    Duration::try_from_secs_f64(s).unwrap_or_default()
}

/// `[[write=PATH;delay=3]]`: the last one in a prompt. Keys: `write, read, run, ask, times, escalate, say, delay, think, stream,
/// hang, cut, error, errors`.
fn directive(prompt: &str) -> Option<Answer> {
    let (_, rest) = prompt.rsplit_once("[[")?;
    let (inside, _) = rest.split_once("]]")?;
    let parts: BTreeMap<&str, &str> = inside
        .split(';')
        .map(|part| part.split_once('=').unwrap_or((part, "1")))
        .map(|(k, v)| (k.trim(), v.trim()))
        .collect();
    let number = |key: &str| parts.get(key).and_then(|v| v.parse().ok()).unwrap_or(0.0);
    let text = |key: &str| parts.get(key).map(|v| (*v).to_owned());
    let step = text("write")
        .map(|write| Step::Write { write, text: "hello from the stand-in\n".to_owned() })
        .or_else(|| text("run").map(|run| Step::Run { run, escalate: parts.contains_key("escalate") }))
        .or_else(|| text("read").map(|read| Step::Read { read }))
        .or_else(|| text("ask").map(|_| question()));
    let times = parts.get("times").and_then(|v| v.parse().ok()).unwrap_or(1);
    Some(Answer {
        when: Vec::new(),
        steps: step.map(|s| vec![s; times]).unwrap_or_default(),
        say: text("say").unwrap_or_else(|| "TASK-COMPLETE: the scripted task is finished.".to_owned()),
        delay: number("delay"),
        think: number("think"),
        stream: number("stream"),
        hang: number("hang"),
        cut: parts.contains_key("cut"),
        error: parts.get("error").and_then(|v| v.parse().ok()),
        errors: parts.get("errors").and_then(|v| v.parse().ok()),
    })
}

fn question() -> Step {
    Step::Ask { ask: "Which colour should be used?".to_owned(), options: vec!["Red".to_owned(), "Blue".to_owned()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_answer_whose_words_all_stand_in_the_prompt_is_given() {
        let script = Script::parse(
            r#"[{"when": ["a", "b"], "say": "both"}, {"when": ["a"], "steps": [{"run": "true"}], "say": "one"}]"#,
        )
        .unwrap();
        assert_eq!(script.answer("b and a").0, Some(0));
        let (n, answer) = script.answer("a only, no 2nd");
        assert_eq!((n, answer.steps.len()), (Some(1), 1));
        assert!(script.answer("c").1.say.contains("no answer"));
    }

    #[test]
    fn a_directive_in_the_prompt_comes_before_the_list() {
        let script = Script::parse(r#"[{"say": "list"}]"#).unwrap();
        let (n, answer) = script.answer("Do it [[write=/tmp/x; times=2; delay=1.5; error=429; errors=1]] now");
        assert_eq!((n, answer.steps.len(), answer.error, answer.errors), (None, 2, Some(429), Some(1)));
        assert_eq!(answer.delayed(), Duration::from_millis(1500));
        assert_eq!(script.answer("[[ not closed").1.say, "list");
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        assert!(Script::parse(r#"[{"sai": "x"}]"#).is_err());
        assert!(Script::parse(r#"[{"steps": [{"rum": "x"}]}]"#).is_err());
    }
}
