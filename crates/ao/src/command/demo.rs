//! `ao demo`: a sample repository with eight failing tests, made green in front of your eyes, in a data root of its own.

use super::fix::{announce, ended};
use crate::connect::Standing;
use crate::context::Context;
use crate::demo::{self, CHECK, FAILURES, Sample};
use crate::exit::Ended;
use crate::follow::insist;
use crate::output::Style;
use crate::progress::{Followed, Leaving, cancel, follow_run, pressed, presses, until_ended};
use crate::{ask, connect, place, route};
use ao_api::access::SignInCode;
use ao_api::client::Client;
use ao_api::request::{NewRun, Nothing, Stop};
use ao_api::run::RunView;
use ao_api::session::SessionView;
use ao_core::kind::{Fault, Kind};
use ao_daemon::paths::Paths;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Agent; the built-in one follows a script and says so on its screen
    #[arg(short, long, default_value = SCRIPTED)]
    agent: String,
    /// Sessions at the same time
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    parallel: Option<u32>,
    /// Leave everything running, to be looked at
    #[arg(long)]
    keep: bool,
    /// Where the demo is made; it must not exist yet. A temporary directory when left out
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// A configuration for the sample, such as one with other reactions
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Arguments for the agent
    #[arg(last = true, value_name = "AGENT ARGS")]
    agent_args: Vec<String>,
}

/// The agent that needs no account.
const SCRIPTED: &str = "scripted";

/// Runs the demo.
pub async fn run(context: &Context, args: Args) -> Ended {
    for program in ["git", "cargo"] {
        require(program)?;
    }
    // From here on Ctrl-C leaves nothing half made: what is begun is finished, then taken down.
    let mut presses = presses()?;
    let dir = make_dir(context, args.dir.as_deref())?;
    // A data root of its own: the demo neither sees nor touches the user's sessions.
    let here =
        Context { paths: Paths::new(&dir.join("home")), cwd: dir.join(demo::REPOSITORY), out: context.out.clone() };
    let begun = begin(&here, &dir, &args).await;
    if pressed(&mut presses).await {
        if let Ok((_, run)) = &begun {
            cancel(&here, &run.id).await?;
        }
        take_down(&here).await?;
        remove(&dir)?;
        here.out.note("stopped while it began; nothing is left");
        return Ok(ExitCode::from(crate::exit::INTERRUPTED));
    }
    let (sample, run) = match begun {
        Ok(begun) => begun,
        Err(fault) => return Err(fell(&here, &dir, fault).await?),
    };
    let home = here.paths.root().display();
    let leaving = Leaving {
        resume: format!("cd {} && AO_HOME={home} ao fix --check {CHECK:?}", here.cwd.display()),
        stop: format!("AO_HOME={home} ao fix --cancel {}", run.id),
    };
    let ran = follow_run(&here, run, &leaving, &mut presses).await;
    finish(&here, &dir, &sample, &args, ran).await
}

/// Makes the sample and begins the run.
async fn begin(here: &Context, dir: &Path, args: &Args) -> Result<(Sample, RunView), Fault> {
    let sample = Sample::make(dir).map_err(|e| Fault::unavailable(format!("the sample cannot be made: {e:#}")))?;
    let out = &here.out;
    out.note(&format!(
        "{} {FAILURES} failing tests in {}",
        out.paint_err(Style::Bold, "ao demo:"),
        sample.repository.display()
    ));
    if args.agent == SCRIPTED {
        out.note("the agents are scripted stand-ins for real ones; worktrees, terminals, gates and merges are real");
    }
    let file = connect::ensure(here, None).await?;
    let code = insist(here, sign_in).await?;
    out.note(&format!("page:  {}   (signed in, once: {code})", file.url));
    let run = fix(here, &sample, args).await?;
    Ok((sample, run))
}

/// The run could not be begun. What the person can mend leaves nothing behind; of anything else the log is kept.
async fn fell(here: &Context, dir: &Path, fault: Fault) -> Result<Fault, Fault> {
    take_down(here).await?;
    if matches!(fault.kind, Kind::NotFound | Kind::Invalid) {
        remove(dir)?;
    } else {
        here.out.note(&format!("nothing runs any more; the log is {}", connect::log_file(here).display()));
    }
    Ok(fault)
}

fn remove(dir: &Path) -> Result<(), Fault> {
    std::fs::remove_dir_all(dir)
        .map_err(|e| Fault::new(Kind::StorageFailed, format!("{} cannot be removed: {e}", dir.display())))
}

/// Where the demo lies: short enough for sockets.
fn make_dir(context: &Context, wanted: Option<&Path>) -> Result<PathBuf, Fault> {
    let dir = match wanted {
        Some(dir) => context.cwd.join(dir),
        None => std::env::temp_dir().join(format!("ao-demo-{}", std::process::id())),
    };
    let failed = |e: std::io::Error| {
        let fault = Fault::new(Kind::StorageFailed, format!("{} cannot be made: {e}", dir.display()));
        fault.hint("give another place: ao demo --dir DIR")
    };
    std::fs::create_dir(&dir).map_err(failed)?;
    let dir = std::fs::canonicalize(&dir).map_err(failed)?;
    std::fs::create_dir(dir.join("home")).map_err(failed)?;
    Ok(dir)
}

fn require(program: &str) -> Result<(), Fault> {
    let ran = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if ran.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(Fault::not_found(format!("the demo needs {program}, which is not on PATH"))
        .hint(format!("install {program}, then try again")))
}

async fn sign_in(client: &Client) -> Result<String, Fault> {
    Ok(client.post::<_, SignInCode>("/api/sign-in/codes", &Nothing {}).await?.url)
}

async fn fix(here: &Context, sample: &Sample, args: &Args) -> Result<RunView, Fault> {
    let config = args.config.as_ref().map(|file| {
        std::fs::canonicalize(file)
            .map_err(|e| Fault::not_found(format!("the configuration {} cannot be read: {e}", file.display())))
    });
    let config = config.transpose()?;
    let project = insist(here, async |client| place::register_with(client, &here.cwd, config.as_deref()).await).await?;
    let mut agent_args = if args.agent == SCRIPTED { sample.agent_args() } else { Vec::new() };
    agent_args.extend(args.agent_args.iter().cloned());
    let new = NewRun {
        project_id: Some(project.id),
        check: Some(CHECK.to_owned()),
        agent: Some(args.agent.clone()),
        agent_args,
        parallel: args.parallel,
        max_attempts: None,
        dry_run: false,
        keep: args.keep,
        env: Context::environment(),
    };
    // A run that was begun is joined by the second request for it.
    let run: RunView = insist(here, async |client| client.post("/api/runs", &new).await).await?;
    announce(here, &run);
    Ok(run)
}

/// Shows how it ended, proves it in a fresh clone, and takes everything down again unless it is to be kept.
async fn finish(here: &Context, dir: &Path, sample: &Sample, args: &Args, ran: Result<Followed, Fault>) -> Ended {
    let out = &here.out;
    let code = match &ran {
        Ok(Followed::Finished(run)) => {
            let code = ended(here, run);
            if code == ExitCode::SUCCESS { prove(here, dir, sample, run)? } else { code }
        }
        // The run goes on without this process: nothing is taken from under it.
        Ok(Followed::Left) => return Ok(ExitCode::from(crate::exit::INTERRUPTED)),
        Ok(Followed::Stopped(_)) => ExitCode::from(crate::exit::INTERRUPTED),
        Err(_) => ExitCode::FAILURE,
    };
    if args.keep {
        out.note(&format!("kept: {}", dir.display()));
        out.note(&format!(
            "look:   AO_HOME={0} ao list --all, AO_HOME={0} ao attach SESSION",
            here.paths.root().display()
        ));
        out.note(&format!(
            "remove: AO_HOME={0} ao stop --all && AO_HOME={0} ao daemon stop && rm -r {1}",
            here.paths.root().display(),
            dir.display()
        ));
        return ran.map(|_| code);
    }
    take_down(here).await?;
    if code == ExitCode::SUCCESS {
        remove(dir)?;
    } else {
        out.note(&format!(
            "nothing runs any more; what there was lies in {} (log: {})",
            dir.display(),
            connect::log_file(here).display()
        ));
    }
    ran.map(|_| code)
}

/// The proof that depends on nothing that `ao` keeps: the check in a fresh clone.
fn prove(here: &Context, dir: &Path, sample: &Sample, run: &RunView) -> Ended {
    let green = demo::passes_in_a_clone(&sample.repository, &run.target, &dir.join("clone"))
        .map_err(|e| Fault::unavailable(format!("the proof in a fresh clone could not be made: {e:#}")))?;
    let out = &here.out;
    if green {
        out.note(&format!(
            "{} {} passes `{CHECK}` in a fresh clone",
            out.paint_err(Style::Green, "green:"),
            run.target
        ));
        return Ok(ExitCode::SUCCESS);
    }
    Err(Fault::new(Kind::Bug, format!("{} does not pass `{CHECK}` in a fresh clone", run.target)))
}

async fn stop_all(client: &Client) -> Result<(), Fault> {
    for session in ask::sessions(client, None, false).await?.sessions {
        let stop = Stop { cleanup: false, archive: false, why: Some("the demo is over".to_owned()) };
        let _: SessionView = client.delete(&route::session(&session.id), &stop).await?;
    }
    Ok(())
}

/// Stops every session and the daemon.
async fn take_down(here: &Context) -> Result<(), Fault> {
    if connect::look(here).await != Standing::Absent {
        insist(here, stop_all).await?;
        until_ended(here, |_| true).await?;
    }
    connect::stop(here).await.map(|_| ())
}
