//! `ao token`: tokens for programs.

use crate::context::Context;
use crate::exit::Ended;
use crate::render::table::Table;
use crate::render::words::moment;
use crate::{connect, route};
use ao_api::access::{NewToken, TokenList, TokenMade, TokenRole, TokenView};
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a token; its secret is shown once
    Create {
        /// What it is for
        name: String,
        /// What it may do
        #[arg(long, value_enum, default_value_t)]
        role: Role,
        /// Days until it is worth nothing (90 when left out)
        #[arg(long)]
        days: Option<u32>,
    },
    /// List tokens and signed-in browsers
    List,
    /// Make a token worth nothing at once
    Revoke {
        /// Its id or name
        token: String,
    },
}

/// What a token may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    /// Read
    #[default]
    Viewer,
    /// Read, start, direct, stop and merge
    Operator,
    /// Everything
    Admin,
}

impl From<Role> for TokenRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Operator => Self::Operator,
            Role::Admin => Self::Admin,
        }
    }
}

/// Makes, lists or revokes tokens.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let out = &context.out;
    match args.verb {
        Verb::Create { name, role, days } => {
            let new = NewToken { name, role: role.into(), expires_in_days: days };
            let made: TokenMade = client.post("/api/tokens", &new).await?;
            if out.is_json() {
                out.json(&made);
            } else {
                out.note(&format!(
                    "{} ({}), until {}; it is not shown again:",
                    made.view.name,
                    made.view.role.name(),
                    moment(made.view.expires_at)
                ));
                out.line(&made.token);
            }
        }
        Verb::List => {
            let list: TokenList = client.get("/api/tokens").await?;
            if out.is_json() {
                out.json(&list);
            } else if list.tokens.is_empty() {
                out.note("no tokens");
            } else {
                let mut table = Table::new(&["ID", "ROLE", "KIND", "EXPIRES", "NAME"]);
                for t in &list.tokens {
                    table.row(vec![
                        t.id.as_str().into(),
                        t.role.name().into(),
                        t.kind.as_str().into(),
                        moment(t.expires_at).into(),
                        t.name.as_str().into(),
                    ]);
                }
                for line in table.lines(out.width(), out.colours()) {
                    out.line(&line);
                }
            }
        }
        Verb::Revoke { token } => {
            let gone: TokenView = client.delete(&route::token(&token), &ao_api::request::Nothing {}).await?;
            if out.is_json() {
                out.json(&gone);
            } else {
                out.line(&format!("{} ({}) is worth nothing any more", gone.name, gone.id));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
