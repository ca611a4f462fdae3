//! `ao open`: the dashboard in a browser that is signed in by a link good for one use.

use crate::context::Context;
use crate::exit::Ended;
use crate::{ask, compose, connect};
use ao_api::access::SignInCode;
use ao_api::request::Nothing;
use ao_core::kind::Fault;
use ao_slots::terminal::Opening;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Session to show; the board when left out
    session: Option<String>,
    /// Only print the link
    #[arg(long)]
    print: bool,
}

/// Opens the dashboard.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let session = match &args.session {
        Some(given) => Some(ask::session(&client, given).await?.id),
        None => None,
    };
    let code: SignInCode = client.post("/api/sign-in/codes", &Nothing {}).await?;
    let url = with_session(&code.url, session.as_deref());
    let out = &context.out;
    if out.is_json() {
        out.json(&SignInCode { url, expires_in: code.expires_in });
        return Ok(ExitCode::SUCCESS);
    }
    // Where nobody looks at a screen, only the link is of use.
    if !args.print && out.is_terminal() {
        let attach =
            session.as_ref().map(|s| vec!["ao".to_owned(), "attach".to_owned(), s.clone()]).unwrap_or_default();
        match opened(&Opening { session, url: url.clone(), attach }).await {
            Ok(()) => {
                out.note("opened in a browser");
                return Ok(ExitCode::SUCCESS);
            }
            Err(fault) => out.note(&fault.message),
        }
    }
    out.line(&url);
    out.note(&format!("good once, for {} s", code.expires_in));
    Ok(ExitCode::SUCCESS)
}

/// Opens it for the person at this machine.
pub async fn opened(opening: &Opening) -> Result<(), Fault> {
    compose::terminal().open(opening).await
}

/// The link with the session's page: `URL/#sign-in=CODE` becomes `URL/?session=ID#sign-in=CODE`.
fn with_session(url: &str, session: Option<&str>) -> String {
    let Some(session) = session else { return url.to_owned() };
    let (page, fragment) = url.split_once('#').map_or((url, None), |(page, fragment)| (page, Some(fragment)));
    let page = crate::route::query(page, &[("session", Some(session.to_owned()))]);
    fragment.map_or_else(|| page.clone(), |f| format!("{page}#{f}"))
}

#[cfg(test)]
mod tests {
    use super::with_session;

    #[test]
    fn the_secret_stays_in_the_fragment() {
        assert_eq!(with_session("http://127.0.0.1:3000/#sign-in=x", None), "http://127.0.0.1:3000/#sign-in=x");
        assert_eq!(
            with_session("http://127.0.0.1:3000/#sign-in=x", Some("app-1")),
            "http://127.0.0.1:3000/?session=app-1#sign-in=x"
        );
    }
}
