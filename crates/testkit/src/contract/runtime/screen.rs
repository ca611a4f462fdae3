//! The screen as text (ability `screen`).

use super::{Maker, Program, World};
use std::sync::Arc;

fn world(maker: Arc<dyn Maker>) -> Option<World> {
    (maker.runtime().abilities().screen && maker.has_shell()).then(|| World::new(maker))
}

/// What a program draws and then waits.
fn draws(text: &str) -> Program {
    Program::shell(&format!("printf '{text}'; while :; do sleep 1; done"))
}

/// Rows without trailing blanks, one for every row there is; the cursor counted from zero.
pub async fn it_is_told_as_text(maker: Arc<dyn Maker>) {
    let Some(world) = world(maker) else { return };
    let mut agent = world.start(world.plan(&draws("\\033[2J\\033[3;5Hhello   \\033[24;1Hlast\\033[5;8Hx"))).await;
    let screen = agent.sees("the x", |screen| screen.rows.get(4).is_some_and(|row| row.contains('x'))).await;
    assert_eq!(screen.cols, 80, "columns");
    assert_eq!(screen.rows.len(), 24, "a row for every row of the terminal");
    assert_eq!(screen.rows[2], "    hello", "blanks stay in front and go at the end");
    assert_eq!(screen.rows[23], "last");
    assert_eq!(screen.rows[4], "       x");
    assert_eq!(screen.rows[10], "", "an empty row");
    assert_eq!(screen.cursor, (4, 8), "row and column of the cursor");
}

/// A wide character is one character of a row, and combining ones stay with theirs.
pub async fn wide_characters_are_one_text(maker: Arc<dyn Maker>) {
    let Some(world) = world(maker) else { return };
    let mut agent = world.start(world.plan(&draws("\\033[2J\\033[H日本語|e\\314\\201|é\\r\\nend"))).await;
    let screen = agent.shows("end").await;
    assert_eq!(screen.rows[0], "日本語|e\u{301}|é");
}

/// Titles and OSC sequences with their text, also to who connects later.
pub async fn titles_and_marks_are_told(maker: Arc<dyn Maker>) {
    let Some(world) = world(maker) else { return };
    let text = "\\033]0;a title\\007\\033]7501;state=idle\\033\\\\\\033]777;notify;who;what\\007end";
    let mut agent = world.start(world.plan(&draws(text))).await;
    agent.shows("end").await;
    let mut agent = agent.again(world.maker.runtime()).await;
    let screen = agent.shows("end").await;
    assert_eq!(screen.title, "a title", "the title, told to a new link");
    agent.leave().await;
    // Marks are told as they come; whether they come again after a new link depends on who keeps them.
    let program = Program::shell(
        "echo ready; read -r line; printf '\\033]0;now\\007\\033]7501;state=working\\033\\\\\\033]777;a;b\\007end'; while :; do sleep 1; done",
    );
    let mut agent = world.start(world.plan_of(2, &program)).await;
    agent.shows("ready").await;
    agent.writes("submit#1", b"\r").await;
    let mut marks = Vec::new();
    for wanted in [(0, "now"), (7501, "state=working"), (777, "a;b")] {
        let seen = |screen: &ao_core::screen::Screen| {
            screen.marks.iter().any(|mark| mark.osc == wanted.0 && mark.text == wanted.1)
        };
        if marks.iter().any(|mark: &ao_core::screen::Mark| mark.osc == wanted.0 && mark.text == wanted.1) {
            continue;
        }
        let screen = agent.sees(&format!("mark {wanted:?}"), seen).await;
        marks.extend(screen.marks);
    }
    assert!(marks.is_sorted_by_key(|mark| mark.offset), "marks come oldest first: {marks:?}");
}

/// The alternate screen and bracketed paste.
pub async fn modes_are_told(maker: Arc<dyn Maker>) {
    let Some(world) = world(maker) else { return };
    let program = Program::shell(
        "echo ready; read -r line; printf '\\033[?1049h\\033[?2004hother'; read -r line; printf '\\033[?2004l\\033[?1049lback'; while :; do sleep 1; done",
    );
    let mut agent = world.run(&program).await;
    assert!(!agent.screen.alternate && !agent.screen.bracketed_paste, "both are off at first");
    agent.writes("submit#1", b"\r").await;
    agent.sees("the alternate screen with bracketed paste", |s| s.alternate && s.bracketed_paste).await;
    let mut agent = agent.again(world.maker.runtime()).await;
    agent.sees("both, over a new link", |s| s.alternate && s.bracketed_paste).await;
    agent.writes("submit#2", b"\r").await;
    agent.sees("the first screen again", |s| !s.alternate && !s.bracketed_paste).await;
    agent.shows("back").await;
}

/// A daemon compares offsets with those that an earlier one wrote down.
pub async fn offsets_never_go_back(maker: Arc<dyn Maker>) {
    let Some(world) = world(maker) else { return };
    let mut agent = world.run(&Program::Lines).await;
    let (mut offset, mut rev) = (agent.screen.offset, agent.screen.rev);
    for n in 1..=4 {
        let at = agent.writes(&format!("submit#{n}"), format!("line {n}\r").as_bytes()).await;
        assert!(at >= offset, "stage {n} was typed at {at}, output was at {offset} before");
        let screen = agent.shows(&format!("[line {n}]")).await;
        assert!(screen.offset > at, "output after the stage has a later offset");
        offset = screen.offset;
        if n == 2 {
            agent = agent.again(world.maker.runtime()).await;
            rev = 0;
            let screen = agent.shows("[line 2]").await;
            assert!(screen.offset >= offset, "over a new link: {} after {offset}", screen.offset);
        }
        assert!(agent.screen.rev >= rev, "the revision went back");
    }
}

/// Fast output is not followed byte by byte, but the last screen is the true one.
pub async fn a_flood_ends_with_the_last_screen(maker: Arc<dyn Maker>) {
    let Some(world) = world(maker) else { return };
    let program = Program::shell(
        "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo \"line $i of a flood that goes on and on and on\"; done; echo end; while :; do sleep 1; done",
    );
    let mut agent = world.start(world.plan(&program)).await;
    let screen = agent.shows("end").await;
    let rows: Vec<&str> = screen.rows.iter().map(String::as_str).filter(|row| !row.is_empty()).collect();
    assert_eq!(rows.last(), Some(&"end"));
    let expected: Vec<String> =
        (19_979..=20_000).map(|n| format!("line {n} of a flood that goes on and on and on")).collect();
    assert_eq!(rows[rows.len() - 23..rows.len() - 1], expected, "the rows before the end");
}

/// Invalid UTF-8, controls and a line of ten megabytes: the text after them is shown.
pub async fn bytes_that_are_no_text_do_no_harm(maker: Arc<dyn Maker>) {
    let Some(world) = world(maker) else { return };
    let program = Program::shell(
        "printf 'a\\377\\376\\200b\\n'; printf '\\303'; printf '(\\n'; printf '\\001\\002\\016\\017\\177\\n'; head -c 10000000 /dev/zero | tr '\\0' x; printf '\\r\\nafter\\n'; while :; do sleep 1; done",
    );
    let mut agent = world.start(world.plan(&program)).await;
    agent.shows("after").await;
    agent.writes("submit#1", b"typed\r").await;
    agent.shows("typed").await;
}
