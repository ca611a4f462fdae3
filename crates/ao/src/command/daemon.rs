//! `ao daemon`: the background process. Sessions live in hosts of their own and do not notice when it goes and comes.

use crate::compose::{self, NotServed};
use crate::connect::{self, Report, Standing, VERSION};
use crate::context::Context;
use crate::detach;
use crate::exit::Ended;
use crate::output::Style;
use crate::place;
use crate::render::words::count;
use ao_api::client::Client;
use ao_api::fault::ErrorView;
use ao_api::project::{DaemonFile, Health};
use ao_core::config;
use ao_core::kind::{Fault, Kind};
use ao_daemon::start::{DEFAULT_PORT, Port};
use serde::Serialize;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What was asked for.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

impl Args {
    /// Whether this process is to be the daemon, apart from whoever started it.
    #[must_use]
    pub const fn is_detached(&self) -> bool {
        matches!(self.verb, Verb::Run { detached: true, .. })
    }
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Start it in the background, if it does not run
    Start(PortArg),
    /// End it; sessions live on
    Stop,
    /// End it and start this version
    Restart(PortArg),
    /// Show whether it runs, and how it is
    Status,
    /// Run it in the foreground, for service managers
    Run {
        #[command(flatten)]
        port: PortArg,
        /// This port, or the next free one
        #[arg(long, hide = true, conflicts_with = "port")]
        port_from: Option<u16>,
        /// As `ao` starts it: apart from the terminal, with a report on standard output
        #[arg(long, hide = true)]
        detached: bool,
    },
}

#[derive(Clone, Copy, Debug, clap::Args)]
struct PortArg {
    /// Port of the dashboard; the configuration's, or the first free one from 3000
    #[arg(long)]
    port: Option<u16>,
}

#[derive(Serialize)]
struct Status {
    running: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    daemon: Option<DaemonFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<Health>,
}

/// Starts, stops or shows the daemon.
pub async fn run(context: &Context, args: Args) -> Ended {
    match args.verb {
        Verb::Start(port) => start(context, port.port, None).await,
        Verb::Stop => {
            let stopped = connect::stop(context).await?;
            say(context, if stopped { "the daemon has ended; sessions live on" } else { "no daemon runs" });
            Ok(ExitCode::SUCCESS)
        }
        Verb::Restart(port) => {
            let last = connect::last_port(context);
            can_come_back(context, port.port).await?;
            connect::stop(context).await?;
            start(context, port.port, last).await
        }
        Verb::Status => status(context).await,
        Verb::Run { port, port_from, detached: true } => {
            detached(context, port.port.map(Port::Exactly).or(port_from.map(Port::From))).await
        }
        Verb::Run { port, port_from: _, detached: false } => foreground(context, port.port).await,
    }
}

/// A daemon is not ended for one that could not serve where it is wanted.
async fn can_come_back(context: &Context, port: Option<u16>) -> Result<(), Fault> {
    let Some(port) = port.or(configured_port(context)?) else { return Ok(()) };
    match connect::look(context).await {
        Standing::Running(file) if file.url.ends_with(&format!(":{port}")) => Ok(()),
        Standing::Running(_) => compose::can_listen(port)
            .await
            .map_err(|fault| Fault { message: format!("{}; the daemon goes on as it was", fault.message), ..fault }),
        Standing::Crashed | Standing::Absent => Ok(()),
    }
}

fn say(context: &Context, text: &str) {
    if context.out.is_json() {
        context.out.json(&Status { running: false, daemon: None, health: None });
    } else {
        context.out.line(text);
    }
}

/// With the port that is asked for, else from `last` on: open dashboards find a daemon that comes back where it was.
async fn start(context: &Context, port: Option<u16>, last: Option<u16>) -> Ended {
    let port = port.or(configured_port(context)?);
    let file = connect::ensure_at(context, port.map(Port::Exactly).or(last.map(Port::From))).await?;
    if context.out.is_json() {
        context.out.json(&Status { running: true, daemon: Some(file), health: None });
        return Ok(ExitCode::SUCCESS);
    }
    context.out.line(&file.url);
    note_port(context, port, &file);
    Ok(ExitCode::SUCCESS)
}

/// Says so when the daemon that runs is somewhere else than the configuration wants it.
pub fn note_port(context: &Context, wanted: Option<u16>, file: &DaemonFile) {
    let Some(port) = wanted.filter(|port| !file.url.ends_with(&format!(":{port}"))) else { return };
    context.out.note(&format!("the daemon runs at {} already; `ao daemon restart` takes port {port}", file.url));
}

/// The port that the configuration around the caller asks for.
///
/// # Errors
/// `invalid` when the configuration is not understood.
pub fn configured_port(context: &Context) -> Result<Option<u16>, Fault> {
    let Some(file) = place::config(&context.cwd, &context.cwd)? else { return Ok(None) };
    let text = std::fs::read_to_string(&file)
        .map_err(|e| Fault::not_found(format!("{} cannot be read: {e}", file.display())))?;
    let parsed = config::parse(&file.display().to_string(), &text).map_err(|e| Fault::invalid(e.to_string()))?;
    Ok(parsed.port)
}

async fn status(context: &Context) -> Ended {
    let out = &context.out;
    let (status, code) = match connect::look(context).await {
        Standing::Running(file) => {
            let health = Client::new(file.socket.as_ref()).get::<Health>("/api/healthz").await.ok();
            (Status { running: true, daemon: Some(file), health }, ExitCode::SUCCESS)
        }
        Standing::Crashed | Standing::Absent => {
            (Status { running: false, daemon: None, health: None }, ExitCode::from(Kind::Unavailable.exit_code()))
        }
    };
    if out.is_json() {
        out.json(&status);
        return Ok(code);
    }
    let Some(file) = &status.daemon else {
        out.line("no daemon runs (it starts by itself when a verb needs it)");
        return Ok(code);
    };
    out.line(&format!("{} · process {} · ao {}", out.paint(Style::Bold, &file.url), file.pid, file.version));
    if file.version != VERSION {
        out.note(&format!("this is ao {VERSION}: ao daemon restart"));
    }
    match &status.health {
        Some(health) => {
            out.line(&format!(
                "{} · {} · event {}",
                health.status,
                count(usize::try_from(health.live_sessions).unwrap_or(usize::MAX), "live session"),
                health.seq
            ));
            for note in &health.notes {
                out.line(&format!("note: {}", crate::render::words::line(note)));
            }
        }
        None => out.note("it does not say how it is"),
    }
    Ok(code)
}

/// In the foreground: the URL on standard output, the log on standard error.
pub async fn foreground(context: &Context, port: Option<u16>) -> Ended {
    let port = port.or(configured_port(context)?);
    log(false);
    let out = context.out.clone();
    let ready = move |file: &DaemonFile| {
        if out.is_json() {
            out.json_line(file);
        } else {
            out.line(&file.url);
        }
    };
    match compose::serve(context, chosen(port), shutdown()?, ready).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(NotServed::Taken(fault) | NotServed::Failed(fault)) => Err(fault),
    }
}

/// As `ao` starts it: its own session, its report on standard output, which is closed then.
async fn detached(context: &Context, port: Option<Port>) -> Ended {
    detach::leave(context)?;
    log(true);
    let ready = |file: &DaemonFile| {
        tracing::info!(version = %file.version, url = %file.url, pid = file.pid, "the daemon serves");
        detach::report(&Report::Ready(file.clone()));
    };
    match compose::serve(context, port.unwrap_or(Port::From(DEFAULT_PORT)), shutdown()?, ready).await {
        Ok(()) => {
            tracing::info!("the daemon has ended");
            Ok(ExitCode::SUCCESS)
        }
        Err(NotServed::Taken(fault)) => {
            detach::report(&Report::Taken);
            Ok(ExitCode::from(fault.kind.exit_code()))
        }
        Err(NotServed::Failed(fault)) => {
            tracing::error!(error = %fault, "the daemon ended");
            detach::report(&Report::Failed(ErrorView::from(&fault)));
            Ok(ExitCode::from(fault.kind.exit_code()))
        }
    }
}

fn chosen(port: Option<u16>) -> Port {
    port.map_or(Port::From(DEFAULT_PORT), Port::Exactly)
}

/// Cancelled by SIGTERM or SIGINT.
fn shutdown() -> Result<CancellationToken, Fault> {
    let token = CancellationToken::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind).map_err(|e| Fault::unavailable(format!("signals cannot be caught: {e}")))?;
        let token = token.clone();
        tokio::spawn(async move {
            signals.recv().await;
            token.cancel();
        });
    }
    Ok(token)
}

/// What an operator wants to know in a week; `AO_LOG` says otherwise (`ao_daemon=debug`).
fn log(detached: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("AO_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // It would be told on standard error, which lies on the same disk: a failed write there is a panic.
        .log_internal_errors(false)
        .with_ansi(!detached && std::io::IsTerminal::is_terminal(&std::io::stderr()));
    // Set twice only when a test calls this in one process; the first one stays.
    let _ = subscriber.try_init();
}
