//! Registering a repository again: what is looked at anew, and what is taken as known.

use crate::speak::Ask;
use crate::world::World;
use serde_json::{Value, json};

async fn add(world: &World, if_changed: bool) -> Value {
    let path = world.repo("app");
    world.unix(&Ask::post("/api/projects", &json!({"path": path, "ifChanged": if_changed}))).await.is(201).json()
}

#[tokio::test]
async fn a_known_repository_is_looked_at_again_when_asked_or_when_its_configuration_changed() {
    let world = World::with_project().await;
    let repo = world.repo("app");
    std::fs::write(repo.join("default-branch"), "dev").expect("written");
    assert_eq!(add(&world, true).await["defaultBranch"], "main", "known: not looked at");
    assert_eq!(add(&world, false).await["defaultBranch"], "dev", "asked for: looked at");

    std::fs::write(repo.join("default-branch"), "next").expect("written");
    assert_eq!(add(&world, true).await["defaultBranch"], "dev");
    std::fs::write(repo.join("agent-orchestrator.yaml"), "projects:\n  app:\n    path: .\n").expect("written");
    assert_eq!(add(&world, true).await["defaultBranch"], "next", "its configuration is new: looked at");

    let other = json!({"path": world.repo("other"), "ifChanged": true});
    assert_eq!(
        world.unix(&Ask::post("/api/projects", &other)).await.is(201).json()["id"],
        "other",
        "unknown: looked at"
    );
    world.end().await;
}

#[tokio::test]
async fn the_trackers_issues_and_what_runs_left_are_listed_and_sessions_start_from_both() {
    let world = World::with_project().await;
    let run = json!({"projectId": "app", "check": "false", "agent": "fake"});
    let id = world.unix(&Ask::post("/api/runs", &run)).await.is(201).json()["id"].as_str().expect("an id").to_owned();
    let ask = Ask::get("/api/projects/app/issues");
    let listed = world.until(&ask, |l| l["issues"].as_array().is_some_and(|i| i.len() == 2)).await;
    assert_eq!(listed["issues"][0]["id"], "7", "{listed}");
    let left = &listed["issues"][1];
    assert_eq!(left["id"], format!("{id}/1"));
    assert!(left["open"] == true && left["body"].as_str().is_some_and(|b| b.contains("`false`")), "{left}");

    for issue in [json!("7"), left["id"].clone()] {
        let new = json!({"issue": issue, "agent": "fake"});
        let made = world.unix(&Ask::post("/api/sessions", &new)).await.is(201).json();
        assert_eq!(made["issue"], issue, "{made}");
    }
    for missing in ["8", "app-fix-1/2", "app-fix-9/1", "app-fix-1/0"] {
        world.unix(&Ask::post("/api/sessions", &json!({"issue": missing, "agent": "fake"}))).await.is(404);
    }
    world.unix(&Ask::get("/api/projects/other/issues")).await.is(404);
    world.unix(&Ask::new("DELETE", &format!("/api/runs/{id}"))).await.is(200);
    world.end().await;
}
