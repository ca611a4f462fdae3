//! `ao open`: sessions in front of the person: in a browser that is signed in by a link good for one use, in this terminal,
//! in a window of tmux, or in any emulator or editor that the configuration names.

use crate::context::Context;
use crate::exit::Ended;
use crate::{ask, compose, connect, place};
use ao_api::access::SignInCode;
use ao_api::client::Client;
use ao_api::project::ProjectView;
use ao_api::request::Nothing;
use ao_api::session::SessionView;
use ao_core::config::{self, TerminalConfig};
use ao_core::kind::{Fault, Kind};
use ao_daemon::trust;
use ao_slots::Registry;
use ao_slots::terminal::{Opening, Terminal};
use std::process::ExitCode;
use std::sync::Arc;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Session, or a project for all its live sessions; the board when left out
    #[arg(value_name = "SESSION|PROJECT")]
    what: Option<String>,
    /// Every live session
    #[arg(long, conflicts_with = "what")]
    all: bool,
    /// How: web, attach, tmux, iterm2 or command; as the configuration says when left out, else web
    #[arg(long, value_name = "NAME")]
    with: Option<String>,
    /// Only print the link
    #[arg(long, conflicts_with = "with")]
    print: bool,
}

/// What is to be opened.
enum What {
    Board,
    Session(Box<SessionView>),
    /// A project, with its live sessions.
    Project(String, Vec<SessionView>),
    /// Every live session.
    All(Vec<SessionView>),
}

/// Opens what was asked for.
pub async fn run(context: &Context, args: Args) -> Ended {
    let configured = configured(context)?;
    let wish = wish(&args, &configured);
    let registry = registry(&configured, wish)?;
    let terminal = registry.terminal(wish)?;
    let client = connect::client(context).await?;
    let what = what(&client, &args).await?;
    if terminal.shows_pages() {
        return page(context, &client, &what, args.print, &terminal).await;
    }
    let sessions = match what {
        What::Board => return Err(Fault::invalid("the board is a page").hint("ao open --with web, or name a session")),
        What::Session(session) => vec![*session],
        What::Project(_, sessions) | What::All(sessions) => sessions,
    };
    each(context, &terminal, wish, &sessions).await
}

/// How it is to be opened.
fn wish<'a>(args: &'a Args, configured: &'a Configured) -> &'a str {
    let own = configured.terminal.command.as_ref().map_or("web", |_| "command");
    let wish = args.with.as_deref().or(configured.terminal.with.as_deref()).unwrap_or(own);
    if args.print { "web" } else { wish }
}

/// The configuration around the caller.
#[derive(Default)]
struct Configured {
    terminal: TerminalConfig,
    trusted: bool,
    file: String,
}

fn configured(context: &Context) -> Result<Configured, Fault> {
    let Some(path) = place::config(&context.cwd, &context.cwd)? else { return Ok(Configured::default()) };
    let file = path.display().to_string();
    let text = std::fs::read_to_string(&path).map_err(|e| Fault::not_found(format!("{file} cannot be read: {e}")))?;
    let parsed = config::parse(&file, &text).map_err(|e| Fault::invalid(e.to_string()))?;
    Ok(Configured { terminal: parsed.terminal, trusted: trust::is_trusted(&context.paths, &path, &text), file })
}

/// The terminals there are; a command counts once its file is trusted, because it comes with a repository.
fn registry(configured: &Configured, wish: &str) -> Result<Registry, Fault> {
    let mut command = None;
    if wish == "command" {
        let file = &configured.file;
        let text = configured.terminal.command.as_deref().ok_or_else(|| {
            Fault::invalid("no configuration here names a command that opens sessions")
                .hint("terminal: {command: \"kitty -e {attach}\"} in agent-orchestrator.yaml")
        })?;
        if !configured.trusted {
            let fault = Fault::new(Kind::Denied, format!("{file} wants to run `{text}` and is not trusted"));
            return Err(fault.hint(format!("read it, then: ao trust {file}")));
        }
        command = Some(text);
    }
    Ok(Registry { terminals: compose::terminals(command)?, ..Registry::default() })
}

async fn what(client: &Client, args: &Args) -> Result<What, Fault> {
    let live = |mut all: Vec<SessionView>| {
        all.retain(|session| session.runtime_state == "alive" || !session.ended);
        all
    };
    if args.all {
        return Ok(What::All(live(ask::sessions(client, None, false).await?.sessions)));
    }
    let Some(given) = &args.what else { return Ok(What::Board) };
    let found = ask::session(client, given).await;
    if let Ok(session) = &found
        && (session.id == *given || session.name == *given)
    {
        return Ok(What::Session(Box::new(session.clone())));
    }
    // `app` is the project, although the beginning of `app-1` would do for a session.
    let projects: Vec<ProjectView> = client.get::<ao_api::project::Projects>("/api/projects").await?.projects;
    if let Some(project) = projects.into_iter().find(|project| project.id == *given) {
        let sessions = ask::sessions(client, Some(&project.id), false).await?.sessions;
        return Ok(What::Project(project.id, live(sessions)));
    }
    found.map(|session| What::Session(Box::new(session)))
}

/// Opens every session; one that cannot be opened does not keep the others.
async fn each(context: &Context, terminal: &Arc<dyn Terminal>, with: &str, sessions: &[SessionView]) -> Ended {
    let out = &context.out;
    if sessions.is_empty() {
        return Err(Fault::conflict("no session is live there").hint("ao list --all shows every session"));
    }
    if terminal.takes_over() && sessions.len() > 1 {
        let ids: Vec<&str> = sessions.iter().map(|session| session.id.as_str()).collect();
        return Err(Fault::invalid(format!("one terminal shows one session, not {}: {}", ids.len(), ids.join(", ")))
            .hint("name one, or give --with tmux"));
    }
    let ao = std::env::current_exe().map_err(|e| Fault::unavailable(format!("the ao binary cannot be found: {e}")))?;
    let mut failed = None;
    for session in sessions {
        let attach = [ao.to_string_lossy().into_owned(), "attach".to_owned(), session.id.clone()].to_vec();
        let opening = Opening {
            session: Some(session.id.clone()),
            url: String::new(),
            attach,
            dir: session.workspace_path.clone(),
        };
        match terminal.open(&opening).await {
            Ok(()) if terminal.takes_over() => {}
            Ok(()) => out.note(&format!("opened {} with {with}", session.id)),
            Err(fault) if sessions.len() == 1 => return Err(fault),
            Err(fault) => {
                out.note(&format!("{}: {}", session.id, fault.message));
                failed = Some(fault);
            }
        }
    }
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// Opens the dashboard, at the session if one is named.
async fn page(context: &Context, client: &Client, what: &What, print: bool, terminal: &Arc<dyn Terminal>) -> Ended {
    let (session, project) = match what {
        What::Session(session) => (Some(session.id.clone()), None),
        What::Project(id, _) => (None, Some(id.clone())),
        What::Board | What::All(_) => (None, None),
    };
    let code: SignInCode = client.post("/api/sign-in/codes", &Nothing {}).await?;
    let url = with_place(&code.url, session.as_deref(), project.as_deref());
    let out = &context.out;
    if out.is_json() {
        out.json(&SignInCode { url, expires_in: code.expires_in });
        return Ok(ExitCode::SUCCESS);
    }
    // Where nobody looks at a screen, only the link is of use.
    if !print && out.is_terminal() {
        let attach =
            session.as_ref().map(|s| vec!["ao".to_owned(), "attach".to_owned(), s.clone()]).unwrap_or_default();
        match terminal.open(&Opening { session, url: url.clone(), attach, dir: None }).await {
            Ok(()) => {
                out.note("opened in a browser");
                return Ok(ExitCode::SUCCESS);
            }
            Err(fault) => out.note(&fault.message),
        }
    }
    out.line(&url);
    out.note(&validity(code.expires_in));
    Ok(ExitCode::SUCCESS)
}

/// How long a link is good, and what to do afterwards.
fn validity(seconds: u64) -> String {
    format!("it signs in one browser, within {seconds} s; afterwards `ao open` makes a new one")
}

/// Opens a page for the person at this machine.
pub async fn open_page(opening: &Opening) -> Result<(), Fault> {
    let registry = Registry { terminals: compose::terminals(None)?, ..Registry::default() };
    registry.terminal("web")?.open(opening).await
}

/// The link with the page of a session or the board of a project: `URL/#sign-in=CODE` becomes
/// `URL/?session=ID#sign-in=CODE`, `URL/?project=ID#sign-in=CODE`.
fn with_place(url: &str, session: Option<&str>, project: Option<&str>) -> String {
    if session.is_none() && project.is_none() {
        return url.to_owned();
    }
    let (page, fragment) = url.split_once('#').map_or((url, None), |(page, fragment)| (page, Some(fragment)));
    let place = [("session", session.map(str::to_owned)), ("project", project.map(str::to_owned))];
    let page = crate::route::query(page, &place);
    fragment.map_or_else(|| page.clone(), |f| format!("{page}#{f}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_stays_in_the_fragment() {
        let url = "http://127.0.0.1:3000/#sign-in=x";
        assert_eq!(with_place(url, None, None), url);
        assert_eq!(with_place(url, Some("app-1"), None), "http://127.0.0.1:3000/?session=app-1#sign-in=x");
        assert_eq!(with_place(url, None, Some("app")), "http://127.0.0.1:3000/?project=app#sign-in=x");
        assert!(validity(60).contains("within 60 s") && validity(60).contains("ao open"));
    }

    #[test]
    fn a_flag_beats_the_configuration_and_a_command_is_meant_to_be_used() {
        let args = |with: Option<&str>| Args { what: None, all: false, with: with.map(str::to_owned), print: false };
        let mut configured = Configured::default();
        assert_eq!(wish(&args(None), &configured), "web");
        configured.terminal.command = Some("kitty -e {attach}".to_owned());
        assert_eq!(wish(&args(None), &configured), "command");
        configured.terminal.with = Some("tmux".to_owned());
        assert_eq!(wish(&args(None), &configured), "tmux");
        assert_eq!(wish(&args(Some("attach")), &configured), "attach");
    }
}
