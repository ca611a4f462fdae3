//! What every answer carries, and what is answered to what nobody asked for.

use crate::speak::Ask;
use crate::world::World;
use serde_json::json;

#[tokio::test]
async fn the_page_is_served_without_a_sign_in_and_may_run_only_its_own_scripts() {
    let world = World::new().await;
    let browser = Ask::get("/").with("sec-fetch-site", "none");
    let page = world.tcp(&browser).await.is(200);
    assert!(page.header("content-type").expect("a type").starts_with("text/html"));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    let etag = page.header("etag").expect("an etag");
    world.tcp(&browser.clone().with("if-none-match", etag)).await.is(304);
    // The page's own addresses are the page; files that are not there are not.
    world.tcp(&Ask::get("/sessions/app-1")).await.is(200);
    world.tcp(&Ask::get("/nothing.js")).await.is(404);
    world.tcp(&Ask::get("/../Cargo.toml")).await.is(404);
    world.end().await;
}

#[tokio::test]
async fn what_is_not_there_is_refused_in_one_shape() {
    let world = World::new().await;
    let missing = world.unix(&Ask::get("/api/nothing")).await.is(404);
    assert_eq!(missing.error().0, "not_found");
    let method = world.unix(&Ask::new("PUT", "/api/sessions")).await.is(405);
    assert_eq!(method.error().0, "unsupported");
    let session = world.unix(&Ask::get("/api/sessions/nobody")).await.is(404);
    assert!(session.json()["error"]["hint"].is_string());
    for body in [json!([1]), json!({"titel": "a typo"}), json!({"title": 3})] {
        let refused = world.unix(&Ask::post("/api/sessions", &body)).await.is(400);
        assert_eq!(refused.error().0, "invalid", "{body}");
    }
    let typo = world.unix(&Ask::get("/api/sessions?projct=app")).await.is(400);
    assert!(typo.error().1.contains("projct"), "{typo:?}");
    let huge = Ask::post("/api/sessions", &json!({"prompt": "x".repeat(5 << 20)}));
    world.unix(&huge).await.is(400);
    world.end().await;
}

#[tokio::test]
async fn requests_have_ids() {
    let world = World::new().await;
    let own = world.unix(&Ask::get("/api/healthz").with("x-request-id", "abc-1")).await;
    assert_eq!(own.header("x-request-id"), Some("abc-1"));
    let made = world.unix(&Ask::get("/api/healthz").with("x-request-id", "bad id")).await;
    assert_ne!(made.header("x-request-id"), Some("bad id"));
    assert!(made.header("x-request-id").is_some());
    world.end().await;
}

#[tokio::test]
async fn the_interface_describes_itself() {
    let world = World::new().await;
    let described = world.tcp(&Ask::get("/api/openapi.json").with("origin", &world.origin())).await.is(200).json();
    assert_eq!(described, ao_daemon::action::openapi());
    let health = world.unix(&Ask::get("/api/healthz")).await.is(200).json();
    assert_eq!(health["version"], "0.0.0-test");
    assert_eq!(health["url"], world.origin());
    world.end().await;
}
