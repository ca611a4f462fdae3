//! Puts failures together that have one cause, so that one session mends them.
//! Nothing but the same place groups: two tests that fail at assertions of their own stay apart, whatever they call.

use std::collections::HashMap;

use super::clean::{clip, one_line};
use super::finding::{Failure, Group, Kind, Place};
use super::report::digest;

/// Longest title in bytes: it becomes part of branch names, lists and notifications.
const TITLE_MAX: usize = 100;

/// Groups failures by the place of their cause, in the order of the first failure of each group.
#[must_use]
pub fn group(failures: &[Failure]) -> Vec<Group> {
    let mut groups: Vec<Vec<Failure>> = Vec::new();
    let mut by_cause: HashMap<&Place, usize> = HashMap::new();
    for failure in failures {
        let known = failure.cause.as_ref().and_then(|cause| by_cause.get(cause)).copied();
        if let Some(at) = known {
            groups[at].push(failure.clone());
        } else {
            if let Some(cause) = &failure.cause {
                by_cause.insert(cause, groups.len());
            }
            groups.push(vec![failure.clone()]);
        }
    }
    groups.into_iter().map(|failures| Group { id: id(&failures), title: title(&failures), failures }).collect()
}

fn id(failures: &[Failure]) -> String {
    let mut ids: Vec<&str> = failures.iter().map(|failure| failure.id.as_str()).collect();
    ids.sort_unstable();
    digest(&ids)
}

fn title(failures: &[Failure]) -> String {
    let Some(first) = failures.first() else { return String::new() };
    let headline = first.message.lines().next().unwrap_or("");
    let title = match (failures, &first.cause) {
        ([_], _) => match (first.kind, &first.file, first.line) {
            (Kind::Test, _, _) if headline.is_empty() => first.name.clone(),
            (Kind::Test, _, _) => format!("{}: {headline}", first.name),
            (Kind::Compile | Kind::Lint, Some(file), Some(line)) => format!("{file}:{line}: {headline}"),
            (Kind::Compile | Kind::Lint, Some(file), None) => format!("{file}: {headline}"),
            (Kind::Exit, _, _) => headline.to_owned(),
            (Kind::Compile | Kind::Lint, None, _) => first.name.clone(),
        },
        (_, Some(cause)) => format!("{}:{}: {headline} ({} failures)", cause.file, cause.line, failures.len()),
        (_, None) => format!("{} failures: {headline}", failures.len()),
    };
    clip(&one_line(&title, usize::MAX), TITLE_MAX)
}
