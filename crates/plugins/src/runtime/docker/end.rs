//! How a container stands, and what its end means for the session.

use ao_core::config::size;
use ao_slots::runtime::Exit;
use serde::{Deserialize, Serialize};

/// The code of an agent that was killed: shells and engines add a signal's number to 128.
const KILLED: i64 = 128 + 9;

/// How a container stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It was made and never started.
    Created,
    /// It runs.
    Running {
        /// Its processes are halted.
        paused: bool,
    },
    /// It ran, or could not.
    Ended(End),
    /// The engine does not know it.
    Absent,
}

/// How a container ended, as the bridge leaves it in the launch's directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct End {
    /// The code of its first process; 128 and the signal's number when a signal ended the agent.
    pub code: i64,
    /// The kernel killed one of its processes because the container had no memory left.
    pub out_of_memory: bool,
    /// Why it could not start, in the engine's words.
    pub error: String,
    /// There is no such program in the image.
    pub missing: bool,
}

impl End {
    /// The end of a container that somebody else removed: nobody knows its code.
    pub(super) fn lost() -> Self {
        Self { code: -1, error: "its container was removed by somebody else".to_owned(), ..Self::default() }
    }

    /// The exit of the launch. Nothing is left of a container that has ended. A signal's end is told as the engine tells
    /// it, by a code: it cannot be known from one that the agent chose.
    pub(super) fn exit(&self, program: &str, image: &str, memory: Option<u64>) -> Exit {
        let exit = Exit { code: None, signal: None, why: None, left: Some(0) };
        if self.missing {
            let why = format!("the agent could not be started: there is no program {program:?} in the image {image}");
            return Exit { why: Some(why), ..exit };
        }
        if !self.error.is_empty() {
            return Exit { why: Some(self.error.clone()), ..exit };
        }
        let why = (self.out_of_memory && self.code != 0).then(|| short_of_memory(self.code, memory));
        Exit { code: i32::try_from(self.code).ok(), why, ..exit }
    }

    /// What a person who looks at the terminal is told, when there is more to tell than a code.
    pub(super) fn words(&self, program: &str, image: &str, memory: Option<u64>) -> Option<String> {
        self.exit(program, image, memory).why
    }
}

fn short_of_memory(code: i64, memory: Option<u64>) -> String {
    let limit = memory.map(|bytes| format!(" (limits.memory is {})", size::words(bytes))).unwrap_or_default();
    if code == KILLED {
        format!("the agent was killed: its container ran out of memory{limit}")
    } else {
        format!("a process of the agent was killed: its container ran out of memory{limit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(end: &End) -> Exit {
        end.exit("claude", "agents:1", Some(64 << 20))
    }

    #[test]
    fn a_code_is_told_as_it_is() {
        for code in [0, 7, 137] {
            let told = Exit { code: Some(code), signal: None, why: None, left: Some(0) };
            assert_eq!(exit(&End { code: code.into(), ..End::default() }), told);
        }
    }

    #[test]
    fn a_want_of_memory_is_told_with_its_limit_unless_the_agent_got_over_it() {
        let end = End { code: 137, out_of_memory: true, ..End::default() };
        let why = exit(&end).why.expect("a reason");
        assert!(why.contains("out of memory (limits.memory is 64M)"), "{why}");
        assert_eq!(exit(&end).code, Some(137));
        assert_eq!(exit(&End { code: 0, ..end }).why, None);
    }

    #[test]
    fn a_program_that_is_not_there_never_ran() {
        let found = exit(&End { code: 127, missing: true, ..End::default() });
        assert_eq!((found.code, found.signal), (None, None));
        assert!(found.why.is_some_and(|why| why.contains("claude") && why.contains("agents:1")));
    }
}
