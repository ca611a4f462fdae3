//! A process inside a session: whatever it shows and however it comes, it is its session and nothing more.

use crate::speak::{Ask, LIMIT, Reply, reply};
use crate::world::World;
use ao_daemon::access::caller::{Inside, Need};
use ao_daemon::action::row::Serve;
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

/// Tells the helper below what to do: where to connect, and what to send.
const TASK: &str = "AO_TEST_INSIDE";

/// The part that runs inside a session: this same program, started by the host below. Without a task it does nothing.
#[test]
fn helper() {
    let Ok(task) = std::env::var(TASK) else { return };
    let (place, request) = task.split_once('\n').expect("a place and a request");
    let mut answer = Vec::new();
    if let Some(path) = place.strip_prefix("unix:") {
        let mut stream = UnixStream::connect(path).expect("connected");
        stream.write_all(request.as_bytes()).expect("asked");
        stream.read_to_end(&mut answer).expect("answered");
    } else {
        let mut stream = TcpStream::connect(place).expect("connected");
        stream.write_all(request.as_bytes()).expect("asked");
        stream.read_to_end(&mut answer).expect("answered");
    }
    std::fs::write(std::env::var("AO_TEST_OUT").expect("a file"), answer).expect("told");
}

/// A shell that plays a session's host: it waits until it is known as one, then starts the helper.
struct Host {
    shell: Child,
    out: std::path::PathBuf,
}

impl Host {
    fn start(world: &World, place: &str, ask: &Ask) -> Self {
        let out = world.root.path().join(format!("answer-{}", std::process::id()));
        let _ = std::fs::remove_file(&out);
        let request = String::from_utf8(ask.bytes()).expect("text");
        let shell = Command::new("sh")
            .args(["-c", "read -r _; \"$0\" inside::helper --exact --test-threads=1"])
            .arg(std::env::current_exe().expect("this program"))
            .env(TASK, format!("{place}\n{request}"))
            .env("AO_TEST_OUT", &out)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("a shell");
        Self { shell, out }
    }

    /// Writes the record that makes it the host of a launch.
    fn record(&self, dir: &std::path::Path) {
        let pid = self.shell.id();
        let record = json!({
            "launch": "x", "session": "x", "pid": pid, "start_ticks": ao_daemon::instance::start_time(pid),
            "boot_id": std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot id").trim(),
        });
        std::fs::write(dir.join("host.json.new"), record.to_string()).expect("written");
        std::fs::rename(dir.join("host.json.new"), dir.join("host.json")).expect("renamed");
    }

    /// Lets the helper go, and reads what it was answered.
    async fn answer(mut self) -> Reply {
        self.shell.stdin.take().expect("a pipe").write_all(b"\n").expect("told to go");
        let out = self.out.clone();
        let waiting = tokio::task::spawn_blocking(move || self.shell.wait());
        let ended =
            tokio::time::timeout(LIMIT, waiting).await.expect("it ends in time").expect("it ends").expect("waited");
        assert!(ended.success(), "the helper failed");
        reply(&std::fs::read_to_string(out).expect("it was answered"))
    }
}

/// Asks from inside the session `id`, over the daemon's socket.
async fn inside(world: &World, id: &str, ask: &Ask) -> Reply {
    let host = Host::start(world, &format!("unix:{}", world.file.socket), ask);
    host.record(&world.runtime.host(&format!("{id}.1")).expect("its host").plan.dir);
    host.answer().await
}

async fn two_sessions() -> (World, String, String) {
    let world = World::with_project().await;
    let mut ids = Vec::new();
    for title in ["Mine", "Theirs"] {
        let id = world.session(title).await["id"].as_str().expect("an id").to_owned();
        world.live(&id).await;
        ids.push(id);
    }
    let theirs = ids.pop().expect("two");
    (world, ids.pop().expect("two"), theirs)
}

#[tokio::test]
async fn a_process_inside_a_session_is_that_session_whatever_it_shows() {
    let (world, mine, theirs) = two_sessions().await;
    let me = inside(&world, &mine, &Ask::get("/api/whoami")).await.is(200).json();
    assert_eq!(me["role"], format!("session:{mine}"));
    let made = world.unix(&Ask::post("/api/tokens", &json!({"name": "t", "role": "admin"}))).await.json();
    let bearer = format!("Bearer {}", made["token"].as_str().expect("a token"));
    let shown = inside(&world, &mine, &Ask::get("/api/whoami").with("authorization", &bearer)).await.json();
    assert_eq!(shown["role"], format!("session:{mine}"));

    let listed = inside(&world, &mine, &Ask::get("/api/sessions")).await.is(200).json();
    assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(1), "it sees itself alone");
    inside(&world, &mine, &Ask::get(&format!("/api/sessions/{mine}/explain"))).await.is(200);
    inside(&world, &mine, &Ask::get(&format!("/api/sessions/{theirs}"))).await.is(403);
    let told = inside(&world, &mine, &Ask::get("/api/events?follow=false&since=0")).await.is(200);
    assert!(!told.body.contains(&format!("\"id\":\"{theirs}\"")), "it hears of nobody else");
    world.end().await;
}

#[tokio::test]
async fn a_process_inside_a_session_neither_stops_nor_merges_nor_answers() {
    let (world, mine, theirs) = two_sessions().await;
    let body = json!({});
    for ask in [
        Ask::new("DELETE", &format!("/api/sessions/{theirs}")),
        Ask::new("DELETE", &format!("/api/sessions/{mine}")),
        Ask::post(&format!("/api/sessions/{mine}/merge"), &body),
        Ask::post(&format!("/api/sessions/{mine}/keys"), &json!({"text": "y"})),
        Ask::post(&format!("/api/sessions/{theirs}/message"), &json!({"content": "x"})),
        Ask::post("/api/sessions", &json!({"title": "x", "agent": "fake"})),
        Ask::post("/api/tokens", &json!({"name": "x"})),
        Ask::post("/api/sign-in/codes", &body),
        Ask::post("/api/daemon/stop", &body),
    ] {
        let refused = inside(&world, &mine, &ask).await;
        assert_eq!(refused.status, 403, "{ask:?}: {refused:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn no_action_leads_from_one_session_to_another() {
    let (world, mine, theirs) = two_sessions().await;
    for row in ao_daemon::action::rows() {
        let path = row.path.replace("{id}", &theirs).replace("{project}", "app");
        let ask = match row.method.as_str() {
            "GET" if row.serve == Serve::Events => Ask::get(&format!("{path}?follow=false&since=0")),
            "GET" => Ask::get(&path),
            method => Ask::new(method, &path).body(&json!({})),
        };
        let answer = inside(&world, &mine, &ask).await;
        let open = row.need == Need::Nothing || (row.inside == Inside::Own && row.parts().next().is_none());
        if open && row.method == "GET" {
            assert_eq!(answer.status, 200, "{}: {answer:?}", row.name);
            assert!(!answer.body.contains(&format!("\"id\":\"{theirs}\"")), "{} tells of another session", row.name);
        } else {
            assert_eq!(answer.status, 403, "{}: {answer:?}", row.name);
        }
    }
    world.end().await;
}

#[tokio::test]
async fn loopback_does_not_lead_out_of_a_session() {
    let (world, mine, _) = two_sessions().await;
    let ask = Ask::get("/api/whoami").with("host", &world.host());
    let outside = Host::start(&world, &world.host(), &ask);
    assert_eq!(outside.answer().await.is(200).json()["role"], "operator");
    let host = Host::start(&world, &world.host(), &ask);
    host.record(&world.runtime.host(&format!("{mine}.1")).expect("its host").plan.dir);
    assert_eq!(host.answer().await.is(200).json()["role"], format!("session:{mine}"));
    world.end().await;
}

#[tokio::test]
async fn an_orchestrator_acts_within_its_project_and_merges_nothing() {
    let (world, worker, _) = two_sessions().await;
    let other = world.repo("other");
    world.unix(&Ask::post("/api/projects", &json!({"path": other}))).await.is(201);
    let elsewhere = json!({"title": "Elsewhere", "agent": "fake", "projectId": "other"});
    let elsewhere = world.unix(&Ask::post("/api/sessions", &elsewhere)).await.is(201).json();
    let elsewhere = elsewhere["id"].as_str().expect("an id");
    let made = Ask::post("/api/projects/app/orchestrator", &json!({"title": "Lead", "agent": "fake"}));
    let lead = world.unix(&made).await.is(201).json()["id"].as_str().expect("an id").to_owned();
    world.live(&lead).await;

    let me = inside(&world, &lead, &Ask::get("/api/whoami")).await.is(200).json();
    assert_eq!(me["role"], "orchestrator:app");
    let spawned = inside(&world, &lead, &Ask::post("/api/sessions", &json!({"title": "Part", "agent": "fake"}))).await;
    assert_eq!(spawned.is(201).json()["projectId"], "app", "its own project is meant");
    let told = Ask::post(&format!("/api/sessions/{worker}/message"), &json!({"content": "go on"}));
    inside(&world, &lead, &told).await.is(202);
    inside(&world, &lead, &Ask::new("DELETE", &format!("/api/sessions/{worker}"))).await.is(202);
    let listed = inside(&world, &lead, &Ask::get("/api/sessions?all=true")).await.is(200).json();
    let projects = listed["sessions"].as_array().expect("sessions").iter().map(|s| s["projectId"].clone());
    assert!(projects.clone().count() >= 4 && projects.into_iter().all(|p| p == "app"), "{listed}");

    for ask in [
        Ask::post(&format!("/api/sessions/{worker}/merge"), &json!({})),
        Ask::post(&format!("/api/sessions/{worker}/keys"), &json!({"text": "y"})),
        Ask::post(&format!("/api/sessions/{elsewhere}/message"), &json!({"content": "x"})),
        Ask::new("DELETE", &format!("/api/sessions/{elsewhere}")),
        Ask::get(&format!("/api/sessions/{elsewhere}/logs")),
        Ask::post("/api/sessions", &json!({"title": "x", "agent": "fake", "projectId": "other"})),
        Ask::post("/api/projects/app/orchestrator", &json!({"title": "x", "agent": "fake"})),
        Ask::post("/api/runs", &json!({"projectId": "app", "check": "true"})),
        Ask::get("/api/events?follow=false&project=other"),
        Ask::get("/api/merge-queue?project=other"),
    ] {
        let refused = inside(&world, &lead, &ask).await;
        assert_eq!(refused.status, 403, "{ask:?}: {refused:?}");
    }
    let heard = inside(&world, &lead, &Ask::get("/api/events?follow=false&since=0")).await.is(200);
    assert!(!heard.body.contains("Elsewhere"), "it hears of its project alone");
    world.end().await;
}
