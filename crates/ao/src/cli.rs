//! The command line: every verb with its file, and what holds for all of them.

use crate::command::{
    api, attach, cleanup, daemon, demo, doctor, events, explain, fix, list, logs, merge_queue, new, next, open, rescue,
    restore, send, start, status, stop, token, trust, version, wait,
};
use crate::exit::TABLE;
use crate::output::Colour;
use clap::{Parser, Subcommand};

/// Run many CLI coding agents in parallel on one codebase
#[derive(Debug, Parser)]
#[command(
    name = "ao",
    version,
    about,
    long_about = "Run many CLI coding agents in parallel on one codebase, each in its own git worktree, branch and terminal.\n\
        What is green is merged without collisions; you are called only when judgment is needed.",
    after_help = format!("A SESSION is an id, a name or a unique prefix of one.\n\n{TABLE}"),
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
    /// Join a session's terminal (Ctrl-\ leaves it)
    Attach(attach::Args),
    /// Type a prompt into a session's agent
    Send(send::Args),
    /// Show what a session's terminal printed
    Logs(logs::Args),
    /// Wait until a session is where you want it
    Wait(wait::Args),
    /// Show why a session has its status, with the evidence
    Explain(explain::Args),
    /// Stop sessions; their worktrees stay
    Stop(stop::Args),
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
