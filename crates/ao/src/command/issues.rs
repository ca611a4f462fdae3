//! `ao issues`: what is to be done in a project, as its tracker and its runs have it. It changes none of it.

use crate::context::Context;
use crate::exit::Ended;
use crate::output::Style;
use crate::render::table::{Table, styled};
use crate::{connect, place, route};
use ao_api::issue::Issues;
use ao_core::kind::Fault;
use std::process::ExitCode;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Project; that of the repository around you when left out
    #[arg(short, long)]
    project: Option<String>,
}

/// Lists open issues.
pub async fn run(context: &Context, args: Args) -> Ended {
    let client = connect::client(context).await?;
    let Some(project) = place::project(context, &client, args.project.as_deref()).await? else {
        return Err(Fault::invalid("say which project").hint("ao issues --project PROJECT"));
    };
    let found: Issues = client.get(&route::issues(&project)).await?;
    let out = &context.out;
    if out.is_json() {
        out.json(&found);
    } else if found.issues.is_empty() {
        out.note("no open issues");
    } else {
        for line in lines(&found, out.width(), out.colours()) {
            out.line(&line);
        }
        out.note("work on one: ao new --issue ISSUE");
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(found: &Issues, width: Option<usize>, colour: bool) -> Vec<String> {
    let mut table = Table::new(&["ISSUE", "TITLE"]);
    for issue in &found.issues {
        table.row(vec![styled(&issue.id, Style::Bold), issue.title.as_str().into()]);
    }
    table.lines(width, colour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ao_api::issue::IssueView;

    #[test]
    fn issues_of_the_tracker_and_of_runs_stand_in_one_table() {
        let issue = |id: &str, title: &str| IssueView {
            id: id.to_owned(),
            title: title.to_owned(),
            body: String::new(),
            open: true,
            branch: None,
        };
        let found = Issues { issues: vec![issue("7", "The door squeaks"), issue("app-fix-1/3", "tests::a \u{1b}[2J")] };
        insta::assert_snapshot!(lines(&found, None, false).join("\n"), @r"
        ISSUE        TITLE
        7            The door squeaks
        app-fix-1/3  tests::a [2J
        ");
    }
}
