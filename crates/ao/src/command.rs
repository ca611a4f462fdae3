//! The verbs: a file each. Here they are only called.

pub mod api;
pub mod attach;
pub mod cleanup;
pub mod daemon;
pub mod demo;
pub mod doctor;
pub mod events;
pub mod explain;
pub mod fix;
pub mod list;
pub mod logs;
pub mod merge_queue;
pub mod new;
pub mod next;
pub mod open;
pub mod rescue;
pub mod restore;
pub mod send;
pub mod start;
pub mod status;
pub mod stop;
pub mod token;
pub mod trust;
pub mod version;
pub mod wait;

use crate::cli::{Cli, Verb};
use crate::context::Context;
use crate::exit;
use crate::output::Out;
use ao_core::kind::{Fault, Kind};
use clap::Parser as _;
use std::process::ExitCode;

/// What a verb ends with.
pub type Ended = Result<ExitCode, Fault>;

/// Reads the command line and runs its verb.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
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

async fn call(context: &Context, verb: Verb) -> Ended {
    match verb {
        Verb::Start(args) => start::run(context, args).await,
        Verb::Fix(args) => fix::run(context, args).await,
        Verb::Demo(args) => demo::run(context, args).await,
        Verb::New(args) => new::run(context, args).await,
        Verb::List(args) => list::run(context, args).await,
        Verb::Status(args) => status::run(context, args).await,
        Verb::Next(args) => next::run(context, args).await,
        Verb::Attach(args) => attach::run(context, args).await,
        Verb::Send(args) => send::run(context, args).await,
        Verb::Logs(args) => logs::run(context, args).await,
        Verb::Wait(args) => wait::run(context, args).await,
        Verb::Explain(args) => explain::run(context, args).await,
        Verb::Stop(args) => stop::run(context, args).await,
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
