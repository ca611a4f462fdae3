//! Typing: each stage once, whole, and only onto the screen it was meant for (ability `typing_log`).

use super::{Agent, Maker, Program, World};
use ao_slots::runtime::Typed;
use std::sync::Arc;

fn world(maker: Arc<dyn Maker>) -> Option<World> {
    maker.runtime().abilities().typing_log.then(|| World::new(maker))
}

fn shell_world(maker: Arc<dyn Maker>) -> Option<World> {
    (maker.runtime().abilities().typing_log && maker.has_shell()).then(|| World::new(maker))
}

/// A program that sets its terminal to raw, says `ready`, and writes so many bytes to the file `got`.
fn takes(bytes: usize, first: &str) -> Program {
    Program::shell(&format!(
        "stty raw -echo; printf '{first}'; echo ready; head -c {bytes} >got.new; mv got.new got; while :; do sleep 1; done"
    ))
}

/// What such a program got.
async fn taken(world: &World) -> Vec<u8> {
    world.file("got", |_| true).await
}

/// Over this link, over another, and from another daemon.
pub async fn a_stage_is_typed_once_however_often_it_is_asked_for(maker: Arc<dyn Maker>) {
    let Some(world) = world(maker) else { return };
    let agent = world.run(&Program::Lines).await;
    let offset = agent.writes("paste", b"hello").await;
    assert_eq!(agent.types("paste", None, b"hello").await, Typed::Repeat { offset }, "asked again");
    let agent = agent.again(world.maker.runtime()).await;
    assert_eq!(agent.types("paste", None, b"hello").await, Typed::Repeat { offset }, "asked by another daemon");
    let other = Agent::connect(world.maker.runtime(), agent.plan.clone()).await;
    assert_eq!(other.types("paste", None, b"hello").await, Typed::Repeat { offset }, "asked over a second link");
    let submitted = agent.writes("submit#1", b"\r").await;
    let mut agent = agent.again(world.maker.runtime()).await;
    agent.shows("[hello]").await;
    assert_eq!(agent.types("submit#1", None, b"\r").await, Typed::Repeat { offset: submitted });
    let typed = agent.link.control.typed_stages().await.expect("stages can be listed");
    let typed: Vec<_> = typed.iter().map(|t| (t.delivery.as_str(), t.stage.as_str(), t.offset)).collect();
    assert_eq!(typed, [("d1", "paste", offset), ("d1", "submit#1", submitted)], "the list, oldest first");
    agent.writes("submit#2", b"bye\r").await;
    agent.shows("[bye]").await;
    assert_eq!(world.line("got").await, "hello\nbye", "what the program read");
}

/// The screen changed since the daemon looked: nothing is typed, and the stage may be tried again.
pub async fn nothing_is_typed_onto_a_region_that_moved(maker: Arc<dyn Maker>) {
    let Some(world) = world(maker) else { return };
    let mut agent = world.run(&Program::Lines).await;
    let seen = agent.screen.region(0, 2);
    agent.writes("paste", b"one").await;
    agent.shows("one").await;
    assert_eq!(agent.types("submit#1", Some(seen), b"\r").await, Typed::Moved, "its region holds more now");
    let typed = agent.link.control.typed_stages().await.expect("stages can be listed");
    assert_eq!(typed.len(), 1, "a stage that found its region moved never began: {typed:?}");
    let now = agent.screen.region(0, 2);
    let written = agent.types("submit#1", Some(now), b"\r").await;
    assert!(matches!(written, Typed::Written { .. }), "tried again on what is there: {written:?}");
    agent.shows("[one]").await;
    assert_eq!(world.line("got").await, "one");
}

/// A region is what a push said, row by row, wherever it lies.
pub async fn a_region_that_stayed_is_typed_onto(maker: Arc<dyn Maker>) {
    let Some(world) = shell_world(maker) else { return };
    let program = Program::shell(
        "printf '\\033[2J\\033[Ha  b   \\r\\n\\r\\n日本 e\\314\\201\\r\\n\\033[7m> \\033[0m  \\033[24;1Hready\\033[4;3H'; read -r line; echo \"[$line]\"; while :; do sleep 1; done",
    );
    let mut agent = world.run(&program).await;
    let screen = agent.screen.clone();
    let all = agent.types("paste", Some(screen.region(0, 24)), b"x").await;
    assert!(matches!(all, Typed::Written { .. }), "the whole screen is as it was told: {all:?}");
    agent.shows("x").await;
    let rows = agent.types("submit#1", Some(screen.region(0, 3)), b"\r").await;
    assert!(matches!(rows, Typed::Written { .. }), "the rows above stayed: {rows:?}");
    agent.shows("[x]").await;
}

/// Only then, and at that very moment.
pub async fn a_paste_is_wrapped_if_the_program_asks_for_it(maker: Arc<dyn Maker>) {
    let Some(world) = shell_world(maker) else { return };
    let wrapped = b"\x1b[200~hello\x1b[201~";
    let agent = world.run(&takes(wrapped.len() + 1, "\\033[?2004h")).await;
    agent.writes("paste", b"hello").await;
    agent.writes("submit#1", b"\r").await;
    assert_eq!(taken(&world).await, [wrapped.as_slice(), b"\r"].concat(), "asked for");
    agent.leave().await;
    std::fs::remove_file(world.work().join("got")).expect("it is there");
    let mut agent = world.start(world.plan_of(2, &takes(6, "\\033[?2004h\\033[?2004l"))).await;
    agent.shows("ready").await;
    agent.writes("paste", b"hello").await;
    agent.writes("submit#1", b"\r").await;
    assert_eq!(taken(&world).await, b"hello\r", "not asked for");
}

/// Control characters in a text would be keys, and the mark of a paste's end would end it.
pub async fn a_paste_cannot_end_itself(maker: Arc<dyn Maker>) {
    let Some(world) = shell_world(maker) else { return };
    let arrives = "\u{1b}[200~a[201~b\tc[201~dé\u{1b}[201~".as_bytes();
    let agent = world.run(&takes(arrives.len(), "\\033[?2004h")).await;
    agent.writes("paste", "a\u{1b}[201~b\t\u{3}\u{7f}c\u{9b}201~d\u{4}é".replace('\u{9b}', "\u{9b}[").as_bytes()).await;
    let got = taken(&world).await;
    assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(arrives));
}

/// Newlines stay newlines.
pub async fn a_paste_arrives_line_by_line(maker: Arc<dyn Maker>) {
    let Some(world) = shell_world(maker) else { return };
    let text = "one\n  two 'x' \"y\" $HOME `z` \\ #{pane_id};\n\n-t three; 日本 é %1 ~\n;\n";
    let agent = world.run(&takes(text.len(), "")).await;
    agent.writes("paste", text.as_bytes()).await;
    assert_eq!(String::from_utf8_lossy(&taken(&world).await), text);
}

/// What is no paste is typed as it is: every byte there is.
pub async fn keys_arrive_byte_by_byte(maker: Arc<dyn Maker>) {
    let Some(world) = shell_world(maker) else { return };
    let keys: Vec<u8> = (0..=255).collect();
    let agent = world.run(&takes(keys.len() + 3, "")).await;
    agent.writes("submit#1", &keys).await;
    agent.writes("submit#2", b"\x1b[A").await;
    assert_eq!(taken(&world).await, [keys.as_slice(), b"\x1b[A"].concat());
}

/// The program writes as much as it reads: who only typed would wait for ever.
pub async fn a_long_paste_arrives_whole_while_output_floods(maker: Arc<dyn Maker>) {
    let Some(world) = shell_world(maker) else { return };
    let program = Program::shell("stty raw -echo; echo ready; tee got | cat; while :; do sleep 1; done");
    let agent = world.run(&program).await;
    let text: Vec<u8> = (0..200_000_u32).map(|n| b'a' + u8::try_from(n % 26).expect("below 26")).collect();
    agent.writes("paste", &text).await;
    let got = world.file("got", |bytes| bytes.len() >= text.len()).await;
    assert!(got == text, "{} bytes arrived, not the {} that were pasted", got.len(), text.len());
    let offset = agent.types("paste", None, &text).await;
    assert!(matches!(offset, Typed::Repeat { .. }), "asked again: {offset:?}");
}
