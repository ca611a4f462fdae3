//! A daemon in this process with its own data root, port and fakes; gone when the test ends it.

use crate::speak::{Ask, LIMIT, Reply, speak};
use ao_api::project::DaemonFile;
use ao_daemon::start::{Options, Port, StartError, run};
use ao_testkit::fakes::{self, runtime::FakeHost, runtime::FakeRuntime};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) struct World {
    pub(crate) root: tempfile::TempDir,
    pub(crate) runtime: Arc<FakeRuntime>,
    pub(crate) file: DaemonFile,
    pub(crate) shutdown: CancellationToken,
    daemon: JoinHandle<Result<(), StartError>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        let (registry, runtime) = fakes::registry();
        let options = Options {
            root: root.path().join("home"),
            registry,
            port: Port::Exactly(0),
            version: "0.0.0-test".to_owned(),
            places: 0,
        };
        let shutdown = CancellationToken::new();
        let (tell, told) = oneshot::channel();
        let ends = shutdown.clone();
        let daemon = tokio::spawn(async move {
            run(options, ends, move |file| tell.send(file.clone()).expect("the test waits")).await
        });
        let file = tokio::time::timeout(LIMIT, told).await.expect("the daemon starts in time").expect("it starts");
        Self { root, runtime, file, shutdown, daemon }
    }

    /// A daemon with the project `app`.
    pub(crate) async fn with_project() -> Self {
        let world = Self::new().await;
        let repo = world.repo("app");
        world.unix(&Ask::post("/api/projects", &json!({"path": repo}))).await.is(201);
        world
    }

    pub(crate) fn repo(&self, name: &str) -> PathBuf {
        let path = self.root.path().join(name);
        std::fs::create_dir_all(&path).expect("a directory");
        path
    }

    pub(crate) fn port(&self) -> u16 {
        self.file.url.rsplit(':').next().and_then(|p| p.parse().ok()).expect("a port in the URL")
    }

    /// As the CLI: over the daemon's own socket.
    pub(crate) async fn unix(&self, ask: &Ask) -> Reply {
        speak(self.socket().await, ask).await
    }

    /// A connection to the daemon's own socket.
    pub(crate) async fn socket(&self) -> UnixStream {
        UnixStream::connect(&self.file.socket).await.expect("the socket takes connections")
    }

    /// As anybody on this machine: over TCP. A `Host` is added when the request has none.
    pub(crate) async fn tcp(&self, ask: &Ask) -> Reply {
        let stream = TcpStream::connect(("127.0.0.1", self.port())).await.expect("the port takes connections");
        let ask = if ask.says("host") { ask.clone() } else { ask.clone().with("host", &self.host()) };
        speak(stream, &ask).await
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.host())
    }

    /// A session of the fake agent, as the answer shows it.
    pub(crate) async fn session(&self, title: &str) -> Value {
        let ask = Ask::post("/api/sessions", &json!({"title": title, "agent": "fake"}));
        self.unix(&ask).await.is(201).json()
    }

    /// The host of a session's first launch, once its agent runs.
    pub(crate) async fn live(&self, id: &str) -> Arc<FakeHost> {
        self.until(&Ask::get(&format!("/api/sessions/{id}")), |s| s["runtimeState"] == "alive").await;
        self.runtime.host(&format!("{id}.1")).expect("its host is there")
    }

    /// Asks until the answer is as wanted: there is no one event that all of them have.
    pub(crate) async fn until(&self, ask: &Ask, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let looking = async {
            loop {
                last = self.unix(ask).await.json();
                if wanted(&last) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = tokio::time::timeout(LIMIT, looking).await;
        assert!(found.is_ok(), "{ask:?} was last answered {last}");
        last
    }

    /// Ends the daemon and waits until it is gone.
    pub(crate) async fn end(self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(LIMIT, self.daemon).await.expect("the daemon ends in time");
        ended.expect("it does not panic").expect("it ends well");
        assert!(!std::path::Path::new(&self.file.socket).exists(), "its socket is left");
    }
}
