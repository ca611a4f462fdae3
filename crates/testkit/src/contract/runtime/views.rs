//! Views for people (ability `views`): the screen first, then exactly what follows.

use super::{Maker, Program, World};
use ao_slots::runtime::{Found, ViewerInput};
use std::sync::Arc;

/// Views that look at once in the rule about several.
const SEVERAL: usize = 4;

fn world(maker: Arc<dyn Maker>) -> Option<World> {
    maker.runtime().abilities().views.then(|| World::new(maker))
}

fn shell_world(maker: Arc<dyn Maker>) -> Option<World> {
    (maker.runtime().abilities().views && maker.has_shell()).then(|| World::new(maker))
}

/// Not the backlog, and with its size.
pub async fn a_view_begins_with_the_screen(maker: Arc<dyn Maker>) {
    let Some(world) = world(maker) else { return };
    let agent = world.run(&Program::Lines).await;
    let mut view = agent.view(false).await;
    view.until("a frame came", |view| view.screens > 0).await;
    view.shows("ready").await;
    assert_eq!(view.size, (80, 24), "columns and rows");
}

/// The numbers in a text, each `<n>`.
fn numbers(text: &str) -> Vec<u32> {
    text.split('<').filter_map(|part| part.split_once('>')?.0.parse().ok()).collect()
}

/// In the middle of a flood: nothing is shown twice, nothing is missing.
pub async fn bytes_go_on_exactly_where_the_screen_ends(maker: Arc<dyn Maker>) {
    let Some(world) = shell_world(maker) else { return };
    let program = Program::shell(
        "echo ready; i=0; while ! [ -e go ]; do i=$((i+1)); printf '<%06d> \\033[3%dmsome\\033[0m text\\r\\n' $i $((i%8)); done; echo; echo end; while :; do sleep 1; done",
    );
    let mut agent = world.start(world.plan(&program)).await;
    agent.shows("<").await;
    let mut views = Vec::new();
    for _ in 0..SEVERAL {
        let mut view = agent.view(true).await;
        view.until("a hundred numbers came", |view| view.screens > 0 && numbers(&view.text()).len() > 100).await;
        views.push(view);
    }
    world.go();
    for mut view in views {
        view.shows("end").await;
        let numbers = numbers(&view.text());
        for pair in numbers.windows(2) {
            assert_eq!(pair[1], pair[0] + 1, "a view is not whole");
        }
        assert!(numbers.len() > 10, "a view shows what came: {numbers:?}");
    }
}

/// And each what the others type.
pub async fn several_views_show_the_same(maker: Arc<dyn Maker>) {
    let Some(world) = shell_world(maker) else { return };
    let agent = world.run(&Program::Lines).await;
    let mut views = Vec::new();
    for _ in 0..SEVERAL {
        views.push(agent.view(false).await);
    }
    for (n, view) in views.iter_mut().enumerate() {
        view.input.send(ViewerInput::Keys(format!("view {n}\r").into_bytes())).await.expect("the view is open");
        world.file("got", |bytes| String::from_utf8_lossy(bytes).contains(&format!("view {n}\n"))).await;
    }
    for view in &mut views {
        for n in 0..SEVERAL {
            view.shows(&format!("[view {n}]")).await;
        }
    }
    let first = views.remove(0);
    drop(first);
    views[0].input.send(ViewerInput::Keys(b"one left\r".to_vec())).await.expect("the view is open");
    views[0].shows("[one left]").await;
}

/// A reader looks and does nothing.
pub async fn keys_arrive_and_those_of_a_reader_do_not(maker: Arc<dyn Maker>) {
    let Some(world) = shell_world(maker) else { return };
    let agent = world.run(&Program::Lines).await;
    let mut reader = agent.view(true).await;
    let mut writer = agent.view(false).await;
    // A reader that types may be shown the door.
    let _ = reader.input.send(ViewerInput::Keys(b"not this\r".to_vec())).await;
    let _ = reader.input.send(ViewerInput::Resize { cols: 100, rows: 30 }).await;
    writer.input.send(ViewerInput::Keys(b"th\x7fhis\r".to_vec())).await.expect("the view is open");
    writer.shows("[this]").await;
    writer.input.send(ViewerInput::Keys(b"and this\r".to_vec())).await.expect("the view is open");
    writer.shows("[and this]").await;
    assert_eq!(world.line("got").await, "this\nand this", "what the program read");
    assert_eq!(agent.runtime.find(&agent.place).await, Found::Alive);
}

/// The program is told, and all views.
pub async fn a_new_size_reaches_the_program(maker: Arc<dyn Maker>) {
    let Some(world) = shell_world(maker) else { return };
    let program = Program::shell(
        "size() { stty size >size.new; mv size.new size; }; trap size WINCH; size; echo ready; while :; do sleep 0.1 & wait $!; done",
    );
    let agent = world.run(&program).await;
    assert_eq!(world.line("size").await, "24 80", "the size of the plan");
    let mut reader = agent.view(true).await;
    reader.until("a frame came", |view| view.screens > 0).await;
    let mut writer = agent.view(false).await;
    writer.input.send(ViewerInput::Resize { cols: 101, rows: 31 }).await.expect("the view is open");
    world.file("size", |bytes| bytes == b"31 101\n").await;
    reader.until("it was told of the size", |view| view.size == (101, 31)).await;
    writer.input.send(ViewerInput::Resize { cols: 60, rows: 20 }).await.expect("the view is open");
    world.file("size", |bytes| bytes == b"20 60\n").await;
    for (cols, rows) in [(0, 0), (10_000, 10_000)] {
        writer.input.send(ViewerInput::Resize { cols, rows }).await.expect("the view is open");
    }
    world.file("size", |bytes| bytes != b"20 60\n" && bytes != b"0 0\n").await;
    assert_eq!(agent.runtime.find(&agent.place).await, Found::Alive, "after sizes that make no sense");
}

/// Neither the program nor other views; when it reads again, it is shown the true screen.
pub async fn a_view_that_nobody_reads_slows_nobody(maker: Arc<dyn Maker>) {
    let Some(world) = shell_world(maker) else { return };
    let program = Program::shell(
        "echo ready; while ! [ -e go ]; do sleep 0.02; done; head -c 4000000 /dev/zero | tr '\\0' '\\n'; echo 'the flood is over'; echo over >over; while :; do sleep 1; done",
    );
    let agent = world.run(&program).await;
    let mut lazy = agent.view(true).await;
    let mut eager = agent.view(true).await;
    world.go();
    assert_eq!(world.line("over").await, "over");
    eager.shows("the flood is over").await;
    lazy.shows("the flood is over").await;
}

/// Views close after it.
pub async fn the_end_is_shown(maker: Arc<dyn Maker>) {
    let Some(world) = world(maker) else { return };
    let agent = world.run(&Program::Ends(4)).await;
    let mut view = agent.view(false).await;
    world.go();
    view.until("the end was shown", |view| view.ended.is_some()).await;
    assert_eq!(view.ended.as_ref().and_then(|exit| exit.code), Some(4));
}
