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
