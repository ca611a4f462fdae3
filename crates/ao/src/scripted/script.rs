//! The script: which prompt is answered how. Read once at launch and checked whole, so that a mistake shows at once.
//!
//! A step is chosen by the words of a prompt alone: nothing in it can depend on the state of the repository.

use serde::Deserialize;
use std::path::{Component, Path, PathBuf};

/// A script file, JSON.
#[derive(Debug)]
pub struct Script {
    /// Steps in the order in which they are tried.
    pub steps: Vec<Step>,
    /// What is done when no step fits.
    pub default: Option<Step>,
}

/// What is done for one prompt.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// When it fits.
    pub when: When,
    /// How often it may be used in one worktree; for ever when absent.
    pub times: Option<u32>,
    /// What is said.
    pub say: Option<String>,
    /// How long it looks busy first, in milliseconds.
    pub think_ms: u64,
    /// Changes made first.
    pub edits: Vec<Edit>,
    /// Then git commands, arguments only; one that fails is shown and the next one follows.
    pub git: Vec<Vec<String>>,
    /// Then changes that resolve what git left in conflict.
    pub resolve: Vec<Edit>,
    /// Then everything is committed under this message; an unfinished merge is committed in any case after `resolve`.
    pub commit: Option<String>,
    /// How the turn ends.
    pub then: Then,
}

/// Words a prompt must and must not hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Every one of these.
    #[serde(default)]
    pub all: Vec<String>,
    /// None of these.
    #[serde(default)]
    pub none: Vec<String>,
}

impl When {
    fn fits(&self, prompt: &str) -> bool {
        self.all.iter().all(|part| prompt.contains(part)) && !self.none.iter().any(|part| prompt.contains(part))
    }
}

/// How a turn ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Then {
    /// At the prompt again.
    #[default]
    Idle,
    /// It leaves with exit code 0.
    Exit,
    /// It looks busy for ever and says nothing more; Esc still interrupts.
    Hang,
    /// It is gone at once with exit code 7, its terminal left as it is.
    Die,
    /// It is ended by SIGABRT.
    Crash,
    /// Before it does anything it asks for leave; "No" interrupts the turn.
    Ask,
    /// The turn ends with what looks like a failed request to a model, before anything is done.
    Error,
}

/// One change of a file in the worktree.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Path relative to the worktree.
    pub file: PathBuf,
    /// What is done with it.
    pub change: Change,
}

/// What is done with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The first occurrence is replaced.
    Replace {
        /// This,
        find: String,
        /// by this.
        replace: String,
    },
    /// What stands from the first occurrence of `from` to the next of `to`, both included, is replaced: whatever a merge
    /// left in between.
    Span {
        /// Where it begins.
        from: String,
        /// Where it ends.
        to: String,
        /// What stands there afterwards.
        replace: String,
    },
    /// The nth stretch between conflict marks is replaced by the nth text.
    Hunks(Vec<String>),
    /// The file holds exactly this afterwards.
    Write(String),
    /// It is gone afterwards, a directory with all in it. `.` is the whole worktree.
    Delete,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScript {
    #[serde(default)]
    steps: Vec<RawStep>,
    default: Option<RawStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    #[serde(default)]
    when: When,
    times: Option<u32>,
    say: Option<String>,
    #[serde(default)]
    think_ms: u64,
    #[serde(default)]
    edits: Vec<RawEdit>,
    #[serde(default)]
    git: Vec<String>,
    #[serde(default)]
    resolve: Vec<RawEdit>,
    commit: Option<String>,
    #[serde(default)]
    then: Then,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEdit {
    file: String,
    find: Option<String>,
    from: Option<String>,
    to: Option<String>,
    replace: Option<String>,
    hunks: Option<Vec<String>>,
    write: Option<String>,
    #[serde(default)]
    delete: bool,
}

/// Why a script cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// It cannot be read.
    #[error("the script {file} cannot be read: {source}")]
    Unreadable {
        /// Its path.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a script in JSON.
    #[error("the script {file} is wrong: {source}")]
    Syntax {
        /// Its path.
        file: String,
        /// The parser's words, with line and column.
        source: serde_json::Error,
    },
    /// A step in it makes no sense.
    #[error("the script {file} is wrong in {place}: {what}")]
    Meaning {
        /// Its path.
        file: String,
        /// Which step.
        place: String,
        /// What is wrong.
        what: String,
    },
}

impl Script {
    /// Reads and checks a script.
    ///
    /// # Errors
    /// [`ScriptError`], naming the file and the place.
    pub fn load(path: &Path) -> Result<Self, ScriptError> {
        let file = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|source| ScriptError::Unreadable { file: file.clone(), source })?;
        Self::parse(&file, &text)
    }

    fn parse(file: &str, text: &str) -> Result<Self, ScriptError> {
        let raw: RawScript =
            serde_json::from_str(text).map_err(|source| ScriptError::Syntax { file: file.to_owned(), source })?;
        let wrong = |place: String, what: String| ScriptError::Meaning { file: file.to_owned(), place, what };
        let mut steps = Vec::new();
        for (n, step) in raw.steps.into_iter().enumerate() {
            let place = format!("step {} of `steps`", n + 1);
            steps.push(step.check().map_err(|what| wrong(place, what))?);
        }
        let default =
            raw.default.map(RawStep::check).transpose().map_err(|what| wrong("`default`".to_owned(), what))?;
        if default.as_ref().is_some_and(|d| !d.when.all.is_empty() || !d.when.none.is_empty() || d.times.is_some()) {
            return Err(wrong(
                "`default`".to_owned(),
                "it fits whatever no step fits, so it has no `when` or `times`".into(),
            ));
        }
        if steps.is_empty() && default.is_none() {
            return Err(wrong("`steps`".to_owned(), "there is no step and no default".to_owned()));
        }
        Ok(Self { steps, default })
    }

    /// The step for a prompt, with its place in the list: the first that fits and was not used up. `used` says how often
    /// each was used.
    #[must_use]
    pub fn choose(&self, prompt: &str, used: &dyn Fn(usize) -> u32) -> Option<(Option<usize>, &Step)> {
        self.steps
            .iter()
            .enumerate()
            .find(|(n, step)| step.when.fits(prompt) && step.times.is_none_or(|times| used(*n) < times))
            .map(|(n, step)| (Some(n), step))
            .or_else(|| self.default.as_ref().map(|step| (None, step)))
    }
}

impl RawStep {
    fn check(self) -> Result<Step, String> {
        if !self.resolve.is_empty() && self.when.all.is_empty() {
            return Err(
                "`resolve` needs words in `when.all`: a conflict is resolved only when a prompt asks for it".into()
            );
        }
        let edits = |raw: Vec<RawEdit>| raw.into_iter().map(RawEdit::check).collect::<Result<Vec<_>, _>>();
        let git = self.git.iter().map(|line| split(line)).collect::<Result<Vec<_>, _>>()?;
        Ok(Step {
            when: self.when,
            times: self.times,
            say: self.say,
            think_ms: self.think_ms,
            edits: edits(self.edits)?,
            git,
            resolve: edits(self.resolve)?,
            commit: self.commit,
            then: self.then,
        })
    }
}

impl RawEdit {
    fn check(self) -> Result<Edit, String> {
        let file = PathBuf::from(&self.file);
        let inside =
            !self.file.is_empty() && file.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
        if !inside {
            return Err(format!("{:?} is not a path inside the worktree", self.file));
        }
        let change = match (self.find, self.from, self.to, self.replace, self.hunks, self.write, self.delete) {
            (Some(find), None, None, Some(replace), None, None, false) => Change::Replace { find, replace },
            (None, Some(from), Some(to), Some(replace), None, None, false) => Change::Span { from, to, replace },
            (None, None, None, None, Some(hunks), None, false) => Change::Hunks(hunks),
            (None, None, None, None, None, Some(write), false) => Change::Write(write),
            (None, None, None, None, None, None, true) => Change::Delete,
            _ => {
                let ways = "`find` and `replace`, or `from`, `to` and `replace`, or `hunks`, or `write`, or `delete`";
                return Err(format!("the edit of {:?} needs {ways}", self.file));
            }
        };
        Ok(Edit { file, change })
    }
}

/// Splits a git command into arguments at white space; a part in double quotes stays whole.
fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if quoted {
        return Err(format!("the git command {line:?} has an open quote"));
    }
    match words.first().map(String::as_str) {
        None => Err("a git command is empty".to_owned()),
        Some("git") => Err(format!("the git command {line:?} begins with \"git\"; write only its arguments")),
        Some(_) => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Script, String> {
        Script::parse("script.json", text).map_err(|e| e.to_string())
    }

    #[test]
    fn a_step_is_chosen_by_the_words_of_the_prompt_and_used_as_often_as_it_says() {
        let script = parse(
            r#"{"steps":[
                {"when":{"all":["alpha"],"none":["conflict"]},"say":"first","times":1},
                {"when":{"all":["alpha"]},"say":"second"}],
                "default":{"say":"other"}}"#,
        )
        .unwrap();
        let say = |prompt: &str, used: u32| {
            script.choose(prompt, &|_| used).map(|(n, s)| (n, s.say.clone().unwrap_or_default())).unwrap()
        };
        assert_eq!(say("mend alpha", 0), (Some(0), "first".to_owned()));
        assert_eq!(say("mend alpha", 1), (Some(1), "second".to_owned()));
        assert_eq!(say("alpha conflict", 0), (Some(1), "second".to_owned()));
        assert_eq!(say("beta", 0), (None, "other".to_owned()));
    }

    #[test]
    fn a_wrong_script_is_refused_with_the_place_of_the_mistake() {
        for (text, words) in [
            ("{", "line 1 column 1"),
            (r#"{"steps":[{"whn":{}}]}"#, "unknown field `whn`"),
            (r#"{"steps":[]}"#, "no step and no default"),
            (r#"{"steps":[{"edits":[{"file":"a","find":"x"}]}]}"#, "step 1 of `steps`: the edit of \"a\" needs"),
            (r#"{"steps":[{"edits":[{"file":"../a","delete":true}]}]}"#, "not a path inside the worktree"),
            (r#"{"steps":[{"edits":[{"file":"/a","delete":true}]}]}"#, "not a path inside the worktree"),
            (r#"{"steps":[{"git":["commit -m \"x"]}]}"#, "an open quote"),
            (r#"{"steps":[{"git":["git add"]}]}"#, "only its arguments"),
            (r#"{"steps":[{"then":"dance"}]}"#, "unknown variant `dance`"),
            (r#"{"default":{"resolve":[{"file":"a","write":""}]}}"#, "only when a prompt asks for it"),
            (r#"{"default":{"times":1}}"#, "no `when` or `times`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(words), "{text} gave {error:?}, without {words:?}");
        }
    }

    #[test]
    fn git_commands_are_split_without_a_shell() {
        assert_eq!(split("commit -m \"two words\" --no-edit").unwrap(), ["commit", "-m", "two words", "--no-edit"]);
        assert_eq!(split("  merge   main ").unwrap(), ["merge", "main"]);
        assert_eq!(split("commit -m \"\"").unwrap(), ["commit", "-m", ""]);
    }
}
