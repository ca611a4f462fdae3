//! Running external programs: by argv, with a time limit, in a clean environment, with bounded output.
//!
//! Nothing here knows git or checks, and nothing is interpreted by a shell unless the caller names `sh` as the program.

mod environment;
mod output;
mod program;
#[expect(unsafe_code, reason = "a child's own session has no safe interface")]
mod session;
mod shell;
mod tree;

pub use environment::Environment;
pub use output::{Cut, Output};
pub use program::{NotRun, Program, Ran, run};
pub use shell::{Script, ScriptRan, run_script};
pub use tree::{Working, end_marked, place_mark, working_in};
