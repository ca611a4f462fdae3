//! Who is let in: every rule of `docs/design/access.md` allowed and refused, over real sockets.

use crate::speak::Ask;
use crate::world::World;
use serde_json::json;

const ME: &str = "/api/whoami";

#[tokio::test]
async fn a_plain_program_of_the_same_user_is_an_operator() {
    let world = World::new().await;
    for host in ["127.0.0.1", "localhost"] {
        let ask = Ask::get(ME).with("host", &format!("{host}:{}", world.port()));
        assert_eq!(world.tcp(&ask).await.is(200).json()["role"], "operator", "{host}");
    }
    assert_eq!(world.unix(&Ask::get(ME)).await.is(200).json()["role"], "admin");
    let refused = world.tcp(&Ask::get("/api/tokens")).await.is(403);
    assert_eq!(refused.error().0, "denied");
    world.end().await;
}

#[tokio::test]
async fn whoever_looks_like_a_page_or_a_proxy_must_sign_in() {
    let world = World::new().await;
    let (own, port) = (world.origin(), world.port());
    let told = [
        ("origin", own.as_str()),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "cross-site"),
        ("x-forwarded-for", "10.1.2.3"),
        ("forwarded", "for=10.1.2.3"),
        ("via", "1.1 tunnel"),
    ];
    for (name, value) in told {
        let refused = world.tcp(&Ask::get(ME).with(name, value)).await;
        assert_eq!(refused.status, 401, "{name}: {refused:?}");
        assert!(refused.json()["error"]["hint"].as_str().expect("a hint").contains("ao open"));
    }
    let elsewhere = Ask::get(ME).with("host", &format!("localhost:{}", port.wrapping_add(1)));
    world.tcp(&elsewhere).await.is(401);
    world.end().await;
}

#[tokio::test]
async fn another_name_or_another_page_is_refused_whatever_it_shows() {
    let world = World::new().await;
    let made = world.unix(&Ask::post("/api/tokens", &json!({"name": "t", "role": "admin"}))).await.is(201).json();
    let bearer = format!("Bearer {}", made["token"].as_str().expect("a token"));
    for host in ["evil.example", "192.168.0.7", "127.0.0.1.evil.example"] {
        let ask = Ask::get(ME).with("host", &format!("{host}:{}", world.port()));
        world.tcp(&ask).await.is(403);
        world.tcp(&ask.with("authorization", &bearer)).await.is(403);
    }
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        let ask = Ask::get(ME).with("origin", origin).with("authorization", &bearer);
        world.tcp(&ask).await.is(403);
    }
    // The page's files are behind the same name rule: no page of another name may be us.
    world.tcp(&Ask::get("/").with("host", "evil.example")).await.is(403);
    world.end().await;
}

#[tokio::test]
async fn a_token_is_worth_its_role_until_it_is_revoked() {
    let world = World::with_project().await;
    let ask = Ask::post("/api/tokens", &json!({"name": "reader", "role": "viewer", "expiresInDays": 7}));
    let made = world.unix(&ask).await.is(201).json();
    let bearer = format!("Bearer {}", made["token"].as_str().expect("a token"));
    let forwarded = |ask: Ask| ask.with("authorization", &bearer).with("x-forwarded-for", "10.0.0.1");
    assert_eq!(world.tcp(&forwarded(Ask::get(ME))).await.is(200).json()["role"], "viewer");
    world.tcp(&forwarded(Ask::get("/api/sessions"))).await.is(200);
    let spawn = Ask::post("/api/sessions", &json!({"title": "x", "agent": "fake"}));
    world.tcp(&forwarded(spawn)).await.is(403);
    // Over the socket a token takes the place of what the caller would be otherwise.
    assert_eq!(world.unix(&Ask::get(ME).with("authorization", &bearer)).await.json()["role"], "viewer");

    let listed = world.unix(&Ask::get("/api/tokens")).await.is(200);
    assert!(!listed.body.contains(bearer.rsplit('_').next().expect("a secret")), "a list holds no secret");
    let id = made["id"].as_str().expect("an id");
    world.unix(&Ask::new("DELETE", &format!("/api/tokens/{id}"))).await.is(200);
    world.tcp(&forwarded(Ask::get(ME))).await.is(401);
    world.tcp(&Ask::get(ME).with("authorization", &bearer)).await.is(401);
    world.tcp(&Ask::get(ME).with("authorization", "Bearer ao_00000000_00")).await.is(401);
    world.end().await;
}

#[tokio::test]
async fn a_link_signs_one_browser_in_once() {
    let world = World::new().await;
    let link = world.unix(&Ask::post("/api/sign-in/codes", &json!({}))).await.is(200).json();
    let url = link["url"].as_str().expect("a URL");
    let (page, code) = url.split_once("/#sign-in=").expect("the secret is in the fragment");
    assert_eq!(page, world.origin());

    let sign_in = Ask::post("/api/sign-in", &json!({"code": code})).with("origin", &world.origin());
    let signed = world.tcp(&sign_in).await.is(200);
    let set = signed.header("set-cookie").expect("a cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    world.tcp(&sign_in).await.is(403);

    let cookie = set.split(';').next().expect("a pair").to_owned();
    let browser = |ask: Ask| ask.with("cookie", &cookie);
    let own = |ask: Ask| ask.with("sec-fetch-site", "same-origin");
    assert_eq!(world.tcp(&own(browser(Ask::get(ME)))).await.is(200).json()["role"], "operator");
    // Another page of this machine is the same site, and has the cookie sent along: it gets nothing.
    world.tcp(&browser(Ask::get(ME).with("sec-fetch-site", "same-site"))).await.is(401);
    let post = Ask::post("/api/sign-in/codes", &json!({}));
    world.tcp(&browser(post.clone()).with("sec-fetch-site", "same-site")).await.is(401);
    world.tcp(&browser(post.clone()).with("origin", "http://127.0.0.1:1")).await.is(403);
    world.tcp(&browser(post).with("origin", &world.origin())).await.is(200);
    // What is in the cookie is no token.
    let value = cookie.split_once('=').expect("a value").1;
    world.tcp(&Ask::get(ME).with("authorization", &format!("Bearer {value}"))).await.is(401);

    let out = browser(Ask::new("DELETE", "/api/sign-in")).with("origin", &world.origin());
    world.tcp(&out).await.is(200);
    world.tcp(&own(browser(Ask::get(ME)))).await.is(401);
    world.end().await;
}

#[tokio::test]
async fn the_socket_belongs_to_its_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new().await;
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode(std::path::Path::new(&world.file.socket)), 0o600);
    world.unix(&Ask::post("/api/tokens", &json!({"name": "t"}))).await.is(201);
    assert_eq!(mode(&world.root.path().join("home/tokens")), 0o600);
    world.end().await;
}

#[tokio::test]
async fn the_daemon_is_stopped_by_its_owner_only() {
    let world = World::new().await;
    world.tcp(&Ask::post("/api/daemon/stop", &json!({}))).await.is(403);
    world.unix(&Ask::post("/api/daemon/stop", &json!({}))).await.is(202);
    assert!(world.shutdown.is_cancelled());
    world.end().await;
}
