//! What runs inside a launch: a few programs, each a line of `sh`, so that anything with a POSIX shell can run them.

/// A program of the suite.
///
/// Those that say `ready` do so when they are set up; what they write to files appears whole (written aside, renamed).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// Says `ready` and goes on until it is ended.
    Waits,
    /// Says `ready`, waits for the file `go`, and ends with this code.
    Ends(i32),
    /// Says `ready`, waits for the file `go`, and ends by this signal.
    Dies(i32),
    /// Says `ready`; writes every line that it reads to the file `got` and says `[line]`.
    Lines,
    /// Any other: this text is given to `sh -c`.
    Shell(String),
}

/// Waits for the file `go`. No shell built-in waits for a file, so it looks again and again.
const GO: &str = "while ! [ -e go ]; do sleep 0.02; done";

impl Program {
    /// A program given as text.
    #[must_use]
    pub fn shell(text: &str) -> Self {
        Self::Shell(text.to_owned())
    }

    /// It as text for `sh -c`; its working directory is where its files are.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Waits => "echo ready; while :; do sleep 1; done".to_owned(),
            Self::Ends(code) => format!("echo ready; {GO}; exit {code}"),
            Self::Dies(signal) => format!("echo ready; {GO}; kill -{signal} $$; while :; do sleep 1; done"),
            Self::Lines => "echo ready; while read -r line; do echo \"$line\" >>got; echo \"[$line]\"; done".to_owned(),
            Self::Shell(text) => text.clone(),
        }
    }
}
