//! The scripted agent: a real terminal program that plays a coding agent's part from a script, for `ao demo` and for tests.
//!
//! It reads its terminal, its worktree and the script given at launch, and nothing else; it never decides by itself how to
//! resolve a conflict: only a prompt that a step of the script waits for brings it to that.

mod act;
mod composer;
mod keys;
mod prompt_log;
mod script;
mod session;
mod term;
mod view;

use script::Script;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// What it was started with.
struct Arguments {
    script: PathBuf,
    log: PathBuf,
}

/// Runs the agent on the terminal at standard input and output until it leaves. `args` is what follows
/// `ao scripted-agent`: `--script FILE --log FILE`, both required.
///
/// The exit code is 0 after `/exit` or the end of its input, the script's own when it says so, and 2 when the arguments,
/// the script, the log or the terminal cannot be used.
#[must_use]
pub fn run(args: &[OsString]) -> ExitCode {
    match start(args) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("ao scripted-agent: {message}");
            ExitCode::from(2)
        }
    }
}

fn start(args: &[OsString]) -> Result<ExitCode, String> {
    let arguments = parse(args)?;
    let worktree = std::env::current_dir().map_err(|e| format!("the working directory cannot be read: {e}"))?;
    let script = Script::load(&arguments.script).map_err(|e| e.to_string())?;
    let log = prompt_log::PromptLog::open(&arguments.log, &worktree)
        .map_err(|e| format!("the log {} cannot be used: {e}", arguments.log.display()))?;
    let terminal =
        term::Terminal::open().map_err(|e| format!("it needs a terminal on standard input and output: {e}"))?;
    session::Session::new(script, log, worktree, terminal).run()
}

fn parse(args: &[OsString]) -> Result<Arguments, String> {
    let (mut script, mut log) = (None, None);
    let mut rest = args.iter();
    while let Some(name) = rest.next() {
        let slot = match name.to_str() {
            Some("--script") => &mut script,
            Some("--log") => &mut log,
            Some(_) | None => {
                return Err(format!("{name:?} is not one of its arguments\nusage: --script FILE --log FILE"));
            }
        };
        let value = rest.next().ok_or_else(|| format!("{name:?} needs a file"))?;
        *slot = Some(PathBuf::from(value));
    }
    match (script, log) {
        (Some(script), Some(log)) => Ok(Arguments { script, log }),
        (None, _) | (_, None) => Err("usage: --script FILE --log FILE".to_owned()),
    }
}
