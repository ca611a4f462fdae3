//! `docker`: a container per launch, on an engine that `make test-docker` starts.

use ao_plugins::runtime::docker::DockerRuntime;
use ao_slots::runtime::{LaunchPlan, Runtime};
use ao_testkit::contract::runtime::Maker;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// The engine, as in `DOCKER_HOST`.
const ENGINE: &str = "AO_TEST_DOCKER";
/// An image with a POSIX shell and the usual programs.
const IMAGE: &str = "AO_TEST_DOCKER_IMAGE";

fn said(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test-docker`"))
}

/// Asks the engine for something, and gives the head of its answer.
fn asked(request: &str) -> String {
    let socket = said(ENGINE);
    let mut stream = UnixStream::connect(socket.trim_start_matches("unix://")).expect("the engine runs");
    write!(stream, "{request} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.lines().next().unwrap_or_default().to_owned()
}

struct Containers;

impl Maker for Containers {
    fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(DockerRuntime::new(env!("CARGO_BIN_EXE_ao").into(), Some(said(ENGINE))))
    }

    fn complete(&self, plan: &mut LaunchPlan) {
        let container =
            ao_core::limits::Container { image: said(IMAGE), network: "none".to_owned(), mounts: Vec::new() };
        plan.container = Some(container);
    }

    fn sets(&self) -> &[&str] {
        &["HOSTNAME", "PATH"]
    }

    fn tear_away(&self, plan: &LaunchPlan) -> bool {
        let number = plan.launch.as_str().rsplit('.').next().unwrap_or_default();
        let answer = asked(&format!("DELETE /containers/{}.{number}?force=true", plan.label));
        assert!(answer.contains("204"), "the container was to be removed: {answer}");
        true
    }
}

fn containers() -> Arc<dyn Maker> {
    Arc::new(Containers)
}

ao_testkit::runtime_contract!(
    #[ignore = "needs a Docker engine: make test-docker"]
    containers
);
