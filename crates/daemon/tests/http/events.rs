//! Following events: from the past into the present without a gap, a repeat, or an end that keeps the daemon.

use crate::speak::{Ask, LIMIT, reply};
use crate::world::World;
use ao_api::client::Client;
use ao_api::event::{EventView, Events};
use futures_util::StreamExt as _;
use serde_json::json;
use std::path::Path;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

/// A stream of events as bytes.
struct Stream {
    wire: UnixStream,
    bytes: Vec<u8>,
}

impl Stream {
    async fn open(world: &World, ask: &Ask) -> Self {
        let mut wire = UnixStream::connect(&world.file.socket).await.expect("connected");
        wire.write_all(&ask.bytes()).await.expect("asked");
        let mut stream = Self { wire, bytes: Vec::new() };
        let head = stream.until("\r\n\r\n").await;
        assert_eq!(reply(&head).status, 200, "{head}");
        stream
    }

    /// Takes everything up to and with `end`.
    async fn until(&mut self, end: &str) -> String {
        let mut bytes = [0; 4096];
        loop {
            if let Some(at) = self.bytes.windows(end.len()).position(|part| part == end.as_bytes()) {
                let taken: Vec<u8> = self.bytes.drain(..at + end.len()).collect();
                return String::from_utf8(taken).expect("text");
            }
            let read = tokio::time::timeout(LIMIT, self.wire.read(&mut bytes))
                .await
                .expect("more comes in time")
                .expect("read");
            assert_ne!(read, 0, "the stream ended after {:?}", String::from_utf8_lossy(&self.bytes));
            // A read may end in the middle of a character.
            self.bytes.extend_from_slice(&bytes[..read]);
        }
    }

    /// The next event: its id and itself.
    async fn next(&mut self) -> (u64, EventView) {
        loop {
            let block = self.until("\n\n").await;
            let field = |name: &str| block.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
            if let (Some(id), Some(data)) = (field("id:"), field("data:")) {
                return (id.parse().expect("a number"), serde_json::from_str(data).expect("an event"));
            }
        }
    }

    /// Ids up to the first event that is as wanted.
    async fn ids_until(&mut self, wanted: impl Fn(&EventView) -> bool) -> Vec<u64> {
        let mut ids = Vec::new();
        loop {
            let (id, event) = self.next().await;
            ids.push(id);
            if wanted(&event) {
                return ids;
            }
        }
    }
}

fn ran(ids: &[u64]) -> bool {
    ids.windows(2).all(|pair| pair[0] + 1 == pair[1])
}

#[tokio::test]
async fn a_follower_gets_the_past_and_then_the_present_without_gap_or_repeat() {
    let world = World::with_project().await;
    let first = world.session("First").await["id"].as_str().expect("an id").to_owned();
    world.live(&first).await;
    let mut stream = Stream::open(&world, &Ask::get("/api/events?since=0")).await;
    let second = world.session("Second").await["id"].as_str().expect("an id").to_owned();
    let ids = stream.ids_until(|e| e.session.as_ref() == Some(&second) && e.summary.contains("agent started")).await;
    assert_eq!(ids.first(), Some(&1));
    assert!(ran(&ids), "{ids:?}");

    // Coming back with the last id goes on exactly there, whatever the address says.
    let half = ids[ids.len() / 2];
    let back = Ask::get("/api/events?since=0").with("last-event-id", &half.to_string());
    let mut again = Stream::open(&world, &back).await;
    assert_eq!(again.next().await.0, half + 1);
    // From the future there is nothing but what comes.
    let mut future = Stream::open(&world, &Ask::get("/api/events?since=99999999")).await;
    world.session("Third").await;
    let (id, event) = future.next().await;
    assert_eq!((event.kind.as_str(), event.summary.contains("Third")), ("session_requested", true));
    assert!(id > *ids.last().expect("some"));
    world.end().await;
}

#[tokio::test]
async fn a_follower_that_falls_far_behind_misses_nothing() {
    let world = World::with_project().await;
    let id = world.session("Busy").await["id"].as_str().expect("an id").to_owned();
    let mut stream = Stream::open(&world, &Ask::get("/api/events?since=0")).await;
    // Nobody reads while more happens than the daemon's channel and the socket's buffers hold.
    let client = Client::new(Path::new(&world.file.socket));
    let path = format!("/api/sessions/{id}/message");
    let send = |text: String| {
        let (client, path) = (client.clone(), path.clone());
        async move { client.post::<_, serde_json::Value>(&path, &json!({"content": text})).await.expect("queued") }
    };
    let many = futures_util::stream::iter(0..1300).map(|n| send(format!("{n} {}", "x".repeat(50))));
    many.buffer_unordered(32).for_each(|_| std::future::ready(())).await;
    send("the last one".to_owned()).await;
    let ids = stream.ids_until(|e| e.summary.contains("the last one")).await;
    assert_eq!(ids.first(), Some(&1));
    assert!(ran(&ids), "{:?}", ids.windows(2).find(|p| p[0] + 1 != p[1]));
    world.end().await;
}

#[tokio::test]
async fn events_are_listed_and_filtered() {
    let world = World::with_project().await;
    let one = world.session("One").await["id"].as_str().expect("an id").to_owned();
    let two = world.session("Two").await["id"].as_str().expect("an id").to_owned();
    world.live(&one).await;
    world.live(&two).await;
    let list = |query: &str| Ask::get(&format!("/api/events?follow=false&{query}"));
    let read = |text: &str| serde_json::from_str::<Events>(text).expect("events").events;
    let all = read(&world.unix(&list("since=0&limit=1000")).await.is(200).body);
    assert_eq!(all.first().map(|e| e.seq), Some(1));
    let last = read(&world.unix(&list("limit=3")).await.is(200).body);
    assert_eq!(last.len(), 3);
    assert!(last.windows(2).all(|p| p[0].seq < p[1].seq));
    let mine = read(&world.unix(&list(&format!("session={one}"))).await.is(200).body);
    assert!(
        !mine.is_empty()
            && mine.iter().all(|e| e.sessions.iter().any(|s| s.id == one) || e.session.as_ref() == Some(&one))
    );
    assert!(mine.iter().all(|e| e.session.as_ref() != Some(&two)));
    let asked = mine.first().expect("some");
    assert_eq!(asked.summary, "app-1 was asked for: \u{201c}One\u{201d} (fake)");
    assert_eq!(asked.sessions.first().map(|s| s.status.as_str()), Some("spawning"), "as it was then");
    world.unix(&list("session=nobody")).await.is(404);
    world.unix(&list("project=nobody")).await.is(404);
    world.unix(&list("limit=0")).await.is(400);
    world.end().await;
}

#[tokio::test]
async fn the_typed_client_follows() {
    let world = World::with_project().await;
    let client = Client::new(Path::new(&world.file.socket));
    let mut stream = client.follow("/api/events?since=0").await.expect("followed");
    let text = tokio::time::timeout(LIMIT, stream.next()).await.expect("in time").expect("read").expect("an event");
    let event: EventView = serde_json::from_str(&text).expect("an event");
    assert_eq!((event.seq, event.kind.as_str()), (1, "daemon_started"));
    let fault = client.get::<serde_json::Value>("/api/sessions/nobody").await.expect_err("nobody");
    assert_eq!(fault.kind, ao_core::kind::Kind::NotFound);
    // A stream that is still open does not keep the daemon.
    world.end().await;
}

#[tokio::test]
async fn what_a_program_says_to_its_terminal_is_told_as_it_happens_and_a_flood_of_it_in_few_lines() {
    let world = World::with_project().await;
    let id = world.session("Talk").await["id"].as_str().expect("an id").to_owned();
    let host = world.live(&id).await;
    let mut stream = Stream::open(&world, &Ask::get(&format!("/api/events?session={id}&since=0"))).await;
    host.say(0, "\u{2802} Fix \u{1b}the login");
    host.say(9, "Build failed");
    host.ring(1);
    host.say(133, "C");
    host.say(133, "D;2");
    let mut seen = Vec::new();
    while seen.len() < 4 {
        let (_, event) = stream.next().await;
        if event.kind.starts_with("terminal_") {
            seen.push((event.kind, event.summary));
        }
    }
    let wanted = [
        ("terminal_title", format!("{id}: its window is called “Fix the login”")),
        ("terminal_notification", format!("{id}: it says “Build failed”")),
        ("terminal_bell", format!("{id}: it rang its bell")),
        ("terminal_command", format!("{id}: a command ended with exit code 2")),
    ];
    assert_eq!(seen, wanted.map(|(kind, summary)| (kind.to_owned(), summary)));
    let shown = world.unix(&Ask::get(&format!("/api/sessions/{id}"))).await.json();
    let said = &shown["terminal"];
    assert_eq!((said["title"].as_str(), said["bells"].as_u64()), (Some("Fix the login"), Some(1)));
    assert_eq!(said["notification"]["text"].as_str(), Some("Build failed"));
    assert_eq!((said["command"]["code"].as_i64(), said["commands"].as_u64()), (Some(2), Some(1)));
    let listed = world.unix(&Ask::get("/api/sessions")).await.json();
    assert_eq!(listed["sessions"][0]["terminal"], *said);

    // The end of the program lets out what waited.
    for n in 0..500 {
        host.ring(20);
        host.say(0, &format!("title {n}"));
        host.say(777, &format!("notify;note;{n}"));
        if n % 10 == 0 {
            // The daemon takes what was pushed meanwhile.
            world.unix(&Ask::get("/api/sessions")).await.is(200);
        }
    }
    host.end(0);
    let ended = world.until(&Ask::get(&format!("/api/sessions/{id}")), |s| s["runtimeState"] == "exited").await;
    assert_eq!(ended["terminal"]["bells"].as_u64(), Some(10_001), "{ended}");
    assert_eq!(ended["terminal"]["title"].as_str(), Some("title 499"));
    let all = world.unix(&Ask::get(&format!("/api/events?session={id}&follow=false&limit=10000"))).await.json();
    let all: Events = serde_json::from_value(all).expect("events");
    let told = all.events.iter().filter(|event| event.kind.starts_with("terminal_")).count();
    assert!(told <= 4 * 12, "{told} lines for one flood");
    world.end().await;
}
