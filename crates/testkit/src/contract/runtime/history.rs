//! Rows that scrolled off, by number (ability `history`).

use super::agent::plain;
use super::{Maker, Program, World};
use std::sync::Arc;

fn world(maker: Arc<dyn Maker>) -> Option<World> {
    (maker.runtime().abilities().history && maker.has_shell()).then(|| World::new(maker))
}

/// A hundred rows on a terminal of 24, and a last one without newline: 77 have scrolled off.
fn rows() -> Program {
    Program::shell(
        "i=0; while [ $i -lt 100 ]; do i=$((i+1)); printf '\\033[3%dmrow %d\\033[0m\\n' $((i%8)) $i; done; printf end; while :; do sleep 1; done",
    )
}

/// The number of rows that scrolled off then.
const GONE: usize = 77;

/// Any part of them, now and over a new link.
pub async fn rows_that_scrolled_off_are_kept_by_number(maker: Arc<dyn Maker>) {
    let Some(world) = world(maker) else { return };
    let mut agent = world.start(world.plan(&rows())).await;
    agent.shows("end").await;
    for _ in 0..2 {
        let all = agent.link.control.history(0, 77).await.expect("rows can be read");
        let text: Vec<String> = all.iter().map(|row| plain(row.as_bytes())).collect();
        let wanted: Vec<String> = (1..=GONE).map(|n| format!("row {n}")).collect();
        assert_eq!(text, wanted, "all rows");
        let some = agent.link.control.history(10, 13).await.expect("rows can be read");
        let text: Vec<String> = some.iter().map(|row| plain(row.as_bytes())).collect();
        assert_eq!(text, ["row 11", "row 12", "row 13"], "a part of them");
        assert!(some.iter().any(|row| row.contains("\u{1b}[")), "rows come with their colours: {some:?}");
        let none = agent.link.control.history(77, 90).await.expect("rows can be read");
        assert!(none.is_empty(), "rows that did not scroll off are no history: {none:?}");
        agent = agent.again(world.maker.runtime()).await;
    }
}

/// So that a viewer can ask for them.
pub async fn a_view_says_how_many_there_are(maker: Arc<dyn Maker>) {
    let Some(world) = world(maker) else { return };
    let mut agent = world.start(world.plan(&rows())).await;
    agent.shows("end").await;
    if !world.abilities().views {
        return;
    }
    let mut view = agent.view(true).await;
    view.until("a frame came", |view| view.screens > 0).await;
    assert_eq!(usize::try_from(view.history).ok(), Some(GONE));
}
