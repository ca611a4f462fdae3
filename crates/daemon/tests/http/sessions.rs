//! Sessions, projects and runs through the doors, as the seeds' examples use them.

use crate::speak::{Ask, LIMIT};
use crate::world::World;
use ao_slots::runtime::ViewerInput;
use serde_json::json;

#[tokio::test]
async fn a_session_is_started_shown_told_and_stopped_as_the_examples_do() {
    let world = World::with_project().await;
    // curl -X POST http://localhost:3000/api/sessions -d '{"projectId", "issue", "title"}'
    let body = json!({"projectId": "app", "issue": "7", "title": "Add user export feature", "agent": "pretender"});
    let made = world.tcp(&Ask::post("/api/sessions", &body)).await.is(201).json();
    assert_eq!(made["name"], "app-add-user-export-feature");
    assert_eq!(made["agent"], "fake", "an alias stands for the agent");
    assert_eq!(made["issue"], "7");
    let id = made["id"].as_str().expect("an id").to_owned();
    let host = world.live(&id).await;
    assert!(host.plan.argv.contains(&id));

    for called in [id.as_str(), "app-add-user-export-feature", "app-add-user"] {
        let status = world.tcp(&Ask::get(&format!("/api/sessions/{called}/status"))).await.is(200).json();
        assert_eq!(status["id"], made["id"], "{called}");
        assert_eq!(status["currentTask"], "Add user export feature");
        assert_eq!(status["branch"], made["branch"]);
        assert!(status["state"].is_string() && status["workspacePath"].is_string(), "{status}");
    }
    let told = Ask::post(&format!("/api/sessions/{id}/message"), &json!({"content": "Export to CSV format"}));
    let queued = world.tcp(&told).await.is(202).json();
    assert_eq!(queued["delivery"]["state"], "queued");

    let explained = world.unix(&Ask::get(&format!("/api/sessions/{id}/explain"))).await.is(200).json();
    assert_eq!(explained["deliveries"].as_array().map(Vec::len), Some(2), "{explained}");
    assert!(explained["rule"].is_string());

    world.tcp(&Ask::new("DELETE", &format!("/api/sessions/{id}"))).await.is(202);
    let ended = world.until(&Ask::get(&format!("/api/sessions/{id}")), |s| s["ended"] == true).await;
    assert_eq!(ended["status"], "killed");
    let restored = world.unix(&Ask::post(&format!("/api/sessions/{id}/restore"), &json!({}))).await.is(202).json();
    assert_eq!(restored["ended"], false);
    world.end().await;
}

#[tokio::test]
async fn a_repeat_with_the_same_key_makes_nothing_new() {
    let world = World::with_project().await;
    let body = json!({"title": "Once", "agent": "fake"});
    let ask = Ask::post("/api/sessions", &body).with("idempotency-key", "k-1");
    let (first, second) = tokio::join!(world.unix(&ask), world.unix(&ask));
    assert_eq!(first.is(201).json()["id"], second.is(201).json()["id"]);
    let other = Ask::post("/api/sessions", &json!({"title": "Twice", "agent": "fake"})).with("idempotency-key", "k-1");
    world.unix(&other).await.is(409);
    let listed = world.unix(&Ask::get("/api/sessions")).await.json();
    assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(1));
    world.end().await;
}

#[tokio::test]
async fn a_list_is_answered_with_not_changed_until_something_changes() {
    let world = World::with_project().await;
    let ask = Ask::get("/api/sessions");
    let first = world.unix(&ask).await.is(200);
    let etag = first.header("etag").expect("an etag").to_owned();
    let again = ask.clone().with("if-none-match", &etag);
    assert_eq!(world.unix(&again).await.is(304).body, "");
    world.session("Something new").await;
    let changed = world.unix(&again).await.is(200);
    assert_ne!(changed.header("etag"), Some(etag.as_str()));
    assert_eq!(changed.json()["sessions"][0]["title"], "Something new");
    // The same question by somebody who sees less is another question.
    world.tcp(&Ask::get("/api/sessions").with("origin", &world.origin()).with("if-none-match", &etag)).await.is(401);
    world.end().await;
}

#[tokio::test]
async fn an_environment_comes_over_the_socket_only() {
    let world = World::with_project().await;
    let body = json!({"title": "Env", "agent": "fake", "env": {"LC_ALL": "C", "SECRET": "x"}});
    world.tcp(&Ask::post("/api/sessions", &body)).await.is(400);
    let made = world.unix(&Ask::post("/api/sessions", &body)).await.is(201).json();
    let id = made["id"].as_str().expect("an id");
    let explained = world.unix(&Ask::get(&format!("/api/sessions/{id}/explain"))).await.json();
    assert_eq!(explained["env"], json!(["LC_ALL"]));
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_what_there_is() {
    let world = World::with_project().await;
    for (body, code, word) in [
        (json!({"title": "x", "agent": "nobody"}), 404, "fake"),
        (json!({"title": "x", "agent": "fake", "runtime": "moon"}), 404, "process"),
        (json!({"title": "x", "agent": "fake", "projectId": "other"}), 404, "app"),
        (json!({"title": "x", "agent": "fake", "issue": "8"}), 404, "8"),
        (json!({"title": "x", "agent": "fake", "name": "../x"}), 400, "name"),
        (json!({"agent": "fake"}), 400, "title"),
    ] {
        let refused = world.unix(&Ask::post("/api/sessions", &body)).await.is(code);
        assert!(refused.body.contains(word), "{body}: {refused:?}");
    }
    let id = world.session("Alone").await["id"].as_str().expect("an id").to_owned();
    world.unix(&Ask::post(&format!("/api/sessions/{id}/message"), &json!({"content": "\u{1b}"}))).await.is(400);
    world.unix(&Ask::post("/api/deliveries/app-9.d9/drop", &json!({}))).await.is(404);
    world.end().await;
}

#[tokio::test]
async fn projects_runs_queues_and_rescues_are_listed() {
    let world = World::with_project().await;
    let projects = world.tcp(&Ask::get("/api/projects")).await.is(200).json();
    assert_eq!(projects["projects"][0]["id"], "app");
    let queues = world.tcp(&Ask::get("/api/merge-queue")).await.is(200).json();
    assert_eq!(queues["queues"][0]["target"], "main");
    let rescues = world.tcp(&Ask::get("/api/rescues?project=app")).await.is(200).json();
    assert_eq!(rescues["rescues"][0]["name"], "refs/ao/rescue/old-1");
    let to = world.root.path().join("back");
    let restore = json!({"project": "app", "name": "old-1", "to": to});
    world.tcp(&Ask::post("/api/rescues/restore", &restore)).await.is(201);
    assert!(to.is_dir());

    let run = json!({"projectId": "app", "check": "true", "agent": "fake"});
    let started = world.unix(&Ask::post("/api/runs", &run)).await.is(201).json();
    let id = started["id"].as_str().expect("an id").to_owned();
    let over = world.until(&Ask::get(&format!("/api/runs/{id}")), |r| r["state"] == "finished").await;
    assert_eq!(over["outcome"], "green", "{over}");
    assert_eq!(world.tcp(&Ask::get("/api/runs")).await.json()["runs"][0]["id"], json!(id));

    world.tcp(&Ask::new("DELETE", "/api/projects/app")).await.is(200);
    assert_eq!(world.tcp(&Ask::get("/api/projects")).await.json()["projects"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn keys_screen_and_logs_reach_the_terminal() {
    let world = World::with_project().await;
    let id = world.session("Look").await["id"].as_str().expect("an id").to_owned();
    let host = world.live(&id).await;
    let keys = json!({"text": "y", "keys": ["Enter", "C-c"]});
    world.tcp(&Ask::post(&format!("/api/sessions/{id}/keys"), &keys)).await.is(202);
    let pressed = [ViewerInput::Keys(b"y\r\x03".to_vec())];
    tokio::time::timeout(LIMIT, host.until(|h| h.inputs() == pressed)).await.expect("the keys arrive");
    assert_eq!((host.views()[0].cols, host.views()[0].rows), (host.plan.cols, 2), "the size stays");
    world.tcp(&Ask::post(&format!("/api/sessions/{id}/keys"), &json!({"keys": ["Nope"]}))).await.is(400);

    host.show(&["hello there", "> "], Some("idle"));
    let screen = world.until(&Ask::get(&format!("/api/sessions/{id}/screen")), |s| s["rows"][0] == "hello there").await;
    assert_eq!(screen["live"], true);
    std::fs::write(host.plan.dir.join("rows-00000000000000000000.log"), "one\n\u{1b}[31mtwo\u{1b}[0m\n")
        .expect("written");
    let logs = world.tcp(&Ask::get(&format!("/api/sessions/{id}/logs?lines=3"))).await.is(200).json();
    assert_eq!(logs["lines"], json!(["two", "hello there", "> "]));
    assert_eq!(logs["earlier"], 1);
    let colored = world.tcp(&Ask::get(&format!("/api/sessions/{id}/logs?color=true"))).await.is(200).json();
    assert_eq!(colored["lines"][1], "\u{1b}[31mtwo\u{1b}[0m");

    // The dead are shown from the files that their host left.
    let last = json!({"how": "exited", "code": 3, "screen": ["the end", ""], "rows_total": 2, "last_offset": 9, "size": {"cols": 80, "rows": 2}});
    std::fs::write(host.plan.dir.join("exit.json"), last.to_string()).expect("written");
    host.end(3);
    let logs = world.until(&Ask::get(&format!("/api/sessions/{id}/logs")), |l| l["live"] == false).await;
    assert_eq!(logs["lines"], json!(["one", "two", "the end"]));
    let screen = world.tcp(&Ask::get(&format!("/api/sessions/{id}/screen"))).await.is(200).json();
    assert_eq!((&screen["rows"][0], &screen["live"]), (&json!("the end"), &json!(false)));
    world.end().await;
}
