//! Containers of this data root that nobody needs any more. They are named, never removed.

use super::finding::Finding;
use crate::compose;
use crate::compose::docker::Kept;
use crate::context::Context;
use ao_host::discover::{self, Standing};
use ao_host::wire::Child;
use std::time::Duration;
use tokio::time::timeout;

/// An engine that lists its containers needs milliseconds.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn look(context: &Context) -> Vec<Finding> {
    let Ok(ao) = std::env::current_exe() else { return Vec::new() };
    let docker = compose::docker(&ao);
    match timeout(ANSWERS_WITHIN, docker.containers(&context.paths.label())).await {
        Ok(Ok(containers)) => findings(&containers),
        // Whoever uses no containers needs no engine, and whoever does is told by the session.
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

fn findings(containers: &[Kept]) -> Vec<Finding> {
    let left: Vec<&Kept> = containers.iter().filter(|container| !is_served(container)).collect();
    if left.is_empty() && !containers.is_empty() {
        return vec![Finding::ok("containers", format!("{}, each with its session", containers.len()))];
    }
    left.into_iter()
        .map(|container| {
            let Kept { name, session, state, .. } = container;
            Finding::note(
                "containers",
                format!("{name} of session {session} is {state} and no session host serves it"),
                format!("the daemon takes it up again if the session is live; else: docker rm -f {name}"),
            )
        })
        .collect()
}

/// Whether a host passes the container's terminal on.
fn is_served(container: &Kept) -> bool {
    match discover::probe(&container.dir).standing {
        Standing::Alive { hello } => matches!(hello.child, Child::Running { .. }),
        Standing::Unknown { .. } => true,
        Standing::NotStarted | Standing::Dead { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_without_a_host_is_named_with_the_way_to_remove_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let left = Kept {
            name: "ao-1-app-1.1".to_owned(),
            session: "app-1".to_owned(),
            dir: dir.path().to_owned(),
            state: "running".to_owned(),
        };
        let found = findings(std::slice::from_ref(&left));
        assert_eq!(found.len(), 1);
        assert!(found[0].found.contains("ao-1-app-1.1") && found[0].found.contains("running"));
        assert!(found[0].todo.as_ref().is_some_and(|todo| todo.contains("docker rm -f ao-1-app-1.1")));
        assert!(findings(&[]).is_empty());
    }
}
