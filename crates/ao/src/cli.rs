//! The command line: every verb with its file, what holds for all of them, and the call of the one that was asked for.

use crate::command::{
    agent, answer, api, attach, cleanup, daemon, demo, doctor, events, explain, export, fix, freeze, issues, keys,
    list, logs, merge_queue, new, next, open, replay, rescue, restore, send, start, status, stop, token, trust, usage,
    version, wait,
};
use crate::context::Context;
use crate::exit::{self, Ended, TABLE};
use crate::output::{Colour, Out};
use ao_core::kind::{Fault, Kind};
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Run many CLI coding agents in parallel on one codebase
#[derive(Debug, Parser)]
#[command(
    name = "ao",
    version,
    about,
    long_about = "Run many CLI coding agents in parallel on one codebase, each in its own git worktree, branch and terminal.\n\
        What is green is merged without collisions; you are called only when judgment is needed.",
    after_help = format!(
        "A SESSION is an id, a name or a unique prefix of one.\n\
         --json prints what the HTTP surface answers; `ao api GET /openapi.json` describes every shape.\n\n{TABLE}"
    ),
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// Answer with JSON, for programs
    #[arg(long, global = true, display_order = 900)]
    pub json: bool,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = true,
        display_order = 901
    )]
    pub color: Colour,
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Put this repository under ao and show where the dashboard is
    Start(start::Args),
    /// Make a red check green: one agent per failure, merged through the queue
    Fix(fix::Args),
    /// Make a sample repository with eight failing tests green in front of your eyes
    Demo(demo::Args),
    /// Start a session: an agent in its own worktree, branch and terminal
    #[command(visible_alias = "spawn")]
    New(new::Args),
    /// List sessions
    #[command(visible_alias = "ls")]
    List(list::Args),
    /// Show how sessions stand, or everything about one
    Status(status::Args),
    /// Show who needs you, and what to do about each
    Next(next::Args),
    /// List a project's open issues, the failures that runs left among them
    Issues(issues::Args),
    /// Join a session's terminal (Ctrl-\ leaves it)
    Attach(attach::Args),
    /// Type a prompt into a session's agent
    Send(send::Args),
    /// Press keys in a session's terminal, such as Esc or Up
    SendKeys(keys::Args),
    /// Interrupt what a session's agent does
    Interrupt(keys::InterruptArgs),
    /// Show what a session's agent asks, or answer it
    Answer(answer::Args),
    /// Show what a session's terminal printed
    Logs(logs::Args),
    /// Make a recording of a session's terminal that can be played and shared
    Export(export::Args),
    /// Wait until a session is where you want it
    Wait(wait::Args),
    /// Show why a session has its status, with the evidence
    Explain(explain::Args),
    /// Tokens and their cost, by session, agent and model
    Usage(usage::Args),
    /// List agents, look whether they work here, check their files, log one in
    Agent(agent::Args),
    /// Show what would have been believed of an agent, from a recording of its terminal
    Replay(replay::Args),
    /// Stop sessions; their worktrees stay
    Stop(stop::Args),
    /// Halt an idle session's processes until it is needed; they keep their memory
    Freeze(freeze::Args),
    /// Let a halted session go on
    Thaw(freeze::Args),
    /// Start an ended session again in its worktree
    Restore(restore::Args),
    /// Remove worktrees of ended sessions; what is in them is kept as a ref
    Cleanup(cleanup::Args),
    /// List what was kept of removed worktrees, or put it back
    Rescue(rescue::Args),
    /// Show the merge queue, or put a session's work into it
    MergeQueue(merge_queue::Args),
    /// Show what happened, as it happens if wanted
    Events(events::Args),
    /// Open the dashboard, signed in
    Open(open::Args),
    /// Allow the commands that a configuration brings with it
    Trust(trust::Args),
    /// Look for what is missing or left over, and say what to do
    Doctor(doctor::Args),
    /// Start, stop or look at the daemon; sessions live on without it
    Daemon(daemon::Args),
    /// Make, list or revoke tokens for programs
    Token(token::Args),
    /// Call the daemon's HTTP surface
    Api(api::Args),
    /// Show the versions of this binary and of the daemon
    Version(version::Args),
}

/// Reads the command line and runs its verb.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            if e.kind() != ErrorKind::DisplayHelp && e.kind() != ErrorKind::DisplayVersion && asks_for_json() {
                return exit::fail(&Out::new(true, Colour::Never), &mistake(&e));
            }
            let code = u8::try_from(e.exit_code()).unwrap_or(2);
            // Help that nobody reads any more is no failure.
            let _ = e.print();
            return ExitCode::from(code);
        }
    };
    if let Verb::Daemon(args) = &cli.verb
        && args.is_detached()
    {
        // Nothing is open yet but what a caller left: pipes that somebody waits on must not live as long as a daemon.
        ao_host::platform::close_inherited();
    }
    let out = Out::new(cli.json, cli.color);
    let ended = Context::new(out.clone()).and_then(|context| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Fault::new(Kind::Unavailable, format!("the runtime cannot be started: {e}")))?;
        let ended = runtime.block_on(call(&context, cli.verb));
        // A read of standard input that nobody waits for any more must not keep the process.
        runtime.shutdown_background();
        ended
    });
    ended.unwrap_or_else(|fault| exit::fail(&out, &fault))
}

/// Whether `--json` stands on a command line that could not be read. What comes after `--` is for agents.
fn asks_for_json() -> bool {
    std::env::args_os().skip(1).take_while(|arg| arg != "--").any(|arg| arg == "--json")
}

/// A mistake of the command line as every other failure is told: what is wrong, and where to look.
fn mistake(error: &clap::Error) -> Fault {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Fault::invalid("the command line does not say what to do").hint("ao --help lists the verbs");
    }
    let text = error.to_string();
    let said = text.split("\n\nUsage:").next().unwrap_or(&text).split("\n\nFor more information").next();
    let said = said.unwrap_or(&text).trim();
    Fault::invalid(said.strip_prefix("error: ").unwrap_or(said)).hint("--help says how a verb is called")
}

async fn call(context: &Context, verb: Verb) -> Ended {
    match verb {
        Verb::Start(args) => start::run(context, args).await,
        Verb::Fix(args) => fix::run(context, args).await,
        Verb::Demo(args) => demo::run(context, args).await,
        Verb::New(args) => new::run(context, args).await,
        Verb::List(args) => list::run(context, args).await,
        Verb::Status(args) => status::run(context, args).await,
        Verb::Next(args) => next::run(context, args).await,
        Verb::Issues(args) => issues::run(context, args).await,
        Verb::Attach(args) => attach::run(context, args).await,
        Verb::Send(args) => send::run(context, args).await,
        Verb::SendKeys(args) => keys::send(context, args).await,
        Verb::Interrupt(args) => keys::interrupt(context, args).await,
        Verb::Answer(args) => answer::run(context, args).await,
        Verb::Logs(args) => logs::run(context, args).await,
        Verb::Export(args) => export::run(context, args).await,
        Verb::Wait(args) => wait::run(context, args).await,
        Verb::Explain(args) => explain::run(context, args).await,
        Verb::Usage(args) => usage::run(context, args).await,
        Verb::Agent(args) => agent::run(context, args).await,
        Verb::Replay(args) => replay::run(context, args).await,
        Verb::Stop(args) => stop::run(context, args).await,
        Verb::Freeze(args) => freeze::freeze(context, args).await,
        Verb::Thaw(args) => freeze::thaw(context, args).await,
        Verb::Restore(args) => restore::run(context, args).await,
        Verb::Cleanup(args) => cleanup::run(context, args).await,
        Verb::Rescue(args) => rescue::run(context, args).await,
        Verb::MergeQueue(args) => merge_queue::run(context, args).await,
        Verb::Events(args) => events::run(context, args).await,
        Verb::Open(args) => open::run(context, args).await,
        Verb::Trust(args) => trust::run(context, args).await,
        Verb::Doctor(args) => doctor::run(context, args).await,
        Verb::Daemon(args) => daemon::run(context, args).await,
        Verb::Token(args) => token::run(context, args).await,
        Verb::Api(args) => api::run(context, args).await,
        Verb::Version(args) => version::run(context, args).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_verb_that_an_action_names_is_there() {
        for row in ao_daemon::action::rows() {
            let Some(verb) = row.verb else { continue };
            let mut words = verb.split(' ');
            assert_eq!(words.next(), Some("ao"), "{}", row.name);
            let mut command = &Cli::command();
            for word in words {
                if let Some(option) = word.strip_prefix("--") {
                    let known = command.get_arguments().any(|a| a.get_long() == Some(option));
                    assert!(known, "{}: {verb:?} has no {word}", row.name);
                } else {
                    let found = command.find_subcommand(word);
                    command = found.unwrap_or_else(|| panic!("{}: {verb:?} has no {word}", row.name));
                }
            }
        }
    }
}
