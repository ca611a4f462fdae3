//! What every terminal must keep: whom it opens something for, what it is opened with, and what it says when it cannot.

use ao_slots::Kind;
use ao_slots::terminal::{Opening, Terminal};
use std::path::PathBuf;

/// A terminal and a way to see what it opened.
pub trait Maker {
    /// The terminal, where it can open something.
    fn terminal(&self) -> Box<dyn Terminal>;
    /// The same where it cannot: outside of what it needs.
    fn nowhere(&self) -> Box<dyn Terminal>;
    /// What was started so far, one word a line; each start ends with an empty line.
    fn started(&self) -> String;
    /// Whether it opens anything on this system.
    fn runs_here(&self) -> bool {
        true
    }
    /// The program that attaches.
    fn attach(&self) -> String {
        "/opt/a b/ao".to_owned()
    }
    /// The directory that programs are started in, when the suite is to look at that.
    fn dir(&self) -> Option<PathBuf> {
        None
    }
}

/// A word that a shell, AppleScript and tmux would each take for something else.
const HOSTILE: &str = "a b'c\"d$(id);e#{pane_id}\\f";

fn session(program: &str) -> Opening {
    let attach = [program, "attach", "app-1", HOSTILE].map(str::to_owned).to_vec();
    Opening { session: Some("app-1".to_owned()), url: page(), attach, dir: None }
}

fn page() -> String {
    "http://127.0.0.1:3000/?session=app-1#sign-in=0f".to_owned()
}

fn board() -> Opening {
    Opening { url: "http://127.0.0.1:3000/#sign-in=0f".to_owned(), ..Opening::default() }
}

/// Waits until the program has written down how it was called: it was started, which is not yet that it ran.
async fn started(maker: &dyn Maker, wanted: &str) -> String {
    for _ in 0..2000 {
        let said = maker.started();
        if said.contains(wanted) {
            return said;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{wanted:?} was not started: {:?}", maker.started());
}

/// A page gets the address as one word; the others the command that attaches, word by word, whatever is in them.
pub async fn words_arrive_as_they_are(maker: &dyn Maker) {
    let terminal = maker.terminal();
    let opened = terminal.open(&session(&maker.attach())).await;
    if !maker.runs_here() {
        assert_eq!(opened.expect_err("it opens nothing here").kind, Kind::Unsupported);
        return;
    }
    opened.expect("it opens");
    if terminal.shows_pages() {
        started(maker, &format!("{}\n", page())).await;
    } else {
        started(maker, &format!("{}\nattach\napp-1\n{HOSTILE}\n", maker.attach())).await;
    }
}

/// Only pages can show it; the others say what can.
pub async fn the_board_is_a_page(maker: &dyn Maker) {
    let terminal = maker.terminal();
    let opened = terminal.open(&board()).await;
    if terminal.shows_pages() {
        opened.expect("it opens");
        started(maker, &format!("{}\n", board().url)).await;
    } else {
        let fault = opened.expect_err("only pages show the board");
        assert_eq!(fault.kind, Kind::Unsupported, "{fault}");
        assert!(fault.hint.is_some_and(|hint| hint.contains("--with web")), "it says what shows the board");
        assert_eq!(maker.started(), "", "nothing is started for it");
    }
}

/// The fault is `unsupported` or `unavailable`, says why, and what to do by hand.
pub async fn what_cannot_be_opened_is_said_with_what_to_do(maker: &dyn Maker) {
    let terminal = maker.nowhere();
    let fault = terminal.open(&session("/nowhere/ao")).await.expect_err("nothing is there to open it");
    assert!(matches!(fault.kind, Kind::Unsupported | Kind::Unavailable), "{fault}");
    if terminal.takes_over() {
        // The person sees what the program itself said.
        assert!(fault.message.contains("/nowhere/ao"), "{fault}");
        return;
    }
    let said = format!("{fault} {}", fault.hint.clone().unwrap_or_default());
    assert!(said.contains("app-1"), "{said}");
    assert!(said.contains("ao attach") || said.contains(&page()), "what to do by hand: {said}");
}

/// Two sessions are two openings, unless it stays where the person is.
pub async fn several_are_opened_one_by_one(maker: &dyn Maker) {
    let terminal = maker.terminal();
    if !maker.runs_here() || terminal.takes_over() {
        return;
    }
    for id in ["app-1", "app-12"] {
        let attach = ["ao", "attach", id].map(str::to_owned).to_vec();
        let url = format!("http://127.0.0.1:3000/?session={id}#sign-in=0f");
        let opening = Opening { session: Some(id.to_owned()), url: url.clone(), attach, dir: None };
        terminal.open(&opening).await.expect("it opens");
        let wanted = if terminal.shows_pages() { format!("{url}\n") } else { format!("ao\nattach\n{id}\n") };
        started(maker, &wanted).await;
    }
}

/// A command that opens something begins where the session works, if that is there.
pub async fn it_begins_in_the_workspace(maker: &dyn Maker) {
    let Some(dir) = maker.dir() else { return };
    let here = Opening { dir: Some(dir.display().to_string()), ..session(&maker.attach()) };
    maker.terminal().open(&here).await.expect("it opens");
    started(maker, &format!("in {}\n", dir.display())).await;
    let gone = Opening { dir: Some("/nowhere/at/all".to_owned()), ..session(&maker.attach()) };
    maker.terminal().open(&gone).await.expect("a workspace that is gone keeps nobody from looking");
}
