//! One moment of a viewer's life: it attaches in the middle of whatever is being drawn, follows, and must see what the host sees.

use crate::judge::Judge;
use crate::world::LIMIT;
use ao_host::client::Client;
use ao_host::files::read_output;
use ao_host::record::HostRecord;
use ao_host::wire::{Attach, Attached, Push, Reply, Request, Screen, WatchFrom};
use ao_testkit::dice::Dice;
use serde_json::json;
use std::path::Path;

/// What a viewer was given: a snapshot and the bytes that followed it without a hole.
struct Viewer {
    client: Client,
    first: Attached,
    /// Live bytes; the first is at `first.offset`.
    live: Vec<u8>,
}

/// Bytes of output that a viewer follows at the most before it compares.
const FOLLOWS: u64 = 3000;

impl Viewer {
    fn attach(record: &HostRecord) -> Self {
        let mut client =
            Client::connect(&record.socket, Some(&record.launch)).expect("the host answers, daemon or not");
        let first = match client.request(&Request::Attach(Attach::default())).expect("answered") {
            Reply::Attached(attached) => attached,
            other => panic!("attach: {other:?}"),
        };
        Self { client, first, live: Vec::new() }
    }

    fn end(&self) -> u64 {
        self.first.offset + self.live.len() as u64
    }

    /// Follows up to an offset; a screen that is pushed meanwhile is returned.
    fn follow(&mut self, to: u64) -> Option<Screen> {
        let mut screen = None;
        while self.end() < to {
            screen = self.push().or(screen);
        }
        screen
    }

    fn push(&mut self) -> Option<Screen> {
        match self.client.next_push(LIMIT).expect("connected").expect("the program goes on drawing") {
            Push::Output(output) => {
                self.live.extend(&output.bytes);
                // The beginning of what may become a query is held back until it is known to be none.
                assert!(self.end() <= output.end, "live bytes are told once");
            }
            // It fell behind: what it has seen counts for nothing any more.
            Push::Attached(attached) => {
                self.live.clear();
                self.first = attached;
            }
            Push::Screen(screen) if screen.full => return Some(screen),
            other @ (Push::ExitIs(_) | Push::Error(_)) => panic!("{other:?}"),
            _ => {}
        }
        None
    }

    /// The screen as the host describes it to the daemon.
    fn ask_screen(&mut self) -> Screen {
        let asked = self.client.ask(&Request::Watch(WatchFrom {})).expect("asked");
        assert_eq!(self.client.answer(asked, LIMIT).expect("answered"), Reply::Done);
        loop {
            if let Some(screen) = self.push() {
                return screen;
            }
        }
    }

    /// Another engine that was given the snapshot and everything up to an offset.
    fn judge(&self, to: u64) -> Judge {
        let mut judge = Judge::new(self.first.size.cols, self.first.size.rows);
        judge.begin(&self.first.screen);
        judge.feed(self.live_to(to));
        judge
    }

    fn live_to(&self, to: u64) -> &[u8] {
        &self.live[..usize::try_from(to - self.first.offset).expect("some KB")]
    }
}

/// Two fresh viewers, one a little later than the other, and the host's own description: all three show the same.
///
/// Returns whether the host described it in the middle of a sequence. With `cases` everything is written down there as well.
pub fn check(dir: &Path, record: &HostRecord, dice: &mut Dice, cases: Option<&Path>) -> bool {
    let mut one = Viewer::attach(record);
    one.follow(one.first.offset + dice.below(FOLLOWS));
    let screen = one.ask_screen();
    one.follow(screen.offset);
    let two = Viewer::attach(record);
    one.follow(two.first.offset);
    if one.first.offset > screen.offset || one.first.offset > two.first.offset {
        // It fell behind in between, which a small machine may bring about: it begins again.
        return check(dir, record, dice, cases);
    }
    let (from, logged) = read_output(dir, one.first.offset, one.live.len()).expect("a log");
    assert!(from == one.first.offset && logged == one.live, "live bytes are those of the log, without a hole");

    let told = |what: &str| format!("{}: attached at {}, {what}", record.session, one.first.offset);
    let judge = one.judge(screen.offset);
    for row in &screen.rows {
        let seen = judge.row(row.row.into());
        assert_eq!(seen, row.text.trim_end(), "{}", told(&format!("row {} at {}", row.row, screen.offset)));
    }
    let cursor = (usize::from(screen.cursor.row), usize::from(screen.cursor.col));
    assert_eq!(judge.cursor(), cursor, "{}", told(&format!("cursor at {}", screen.offset)));
    let (followed, fresh) = (one.judge(two.first.offset), two.judge(two.first.offset));
    if let Some(how) = followed.differs(&fresh) {
        panic!("{}", told(&format!("compared with a second viewer at {}: {how}", two.first.offset)));
    }
    if let Some(dir) = cases {
        let case = json!({
            "session": record.session, "size": [screen.size.cols, screen.size.rows],
            "offset": one.first.offset, "screen": one.first.screen,
            "live": one.live_to(screen.offset), "rows": screen.rows.iter().map(|row| &row.text).collect::<Vec<_>>(),
            "cursor": [screen.cursor.row, screen.cursor.col],
            "liveToSecond": one.live_to(two.first.offset), "second": two.first.screen,
        });
        let name = format!("{}-{}-{}.json", record.launch, one.first.offset, screen.offset);
        std::fs::write(dir.join(name), case.to_string()).expect("written");
    }
    is_cut(one.live_to(screen.offset))
}

/// Whether these bytes end in the middle of a sequence or of a character.
fn is_cut(bytes: &[u8]) -> bool {
    let Some(last) = bytes.iter().rposition(|byte| *byte == 0x1b) else { return std::str::from_utf8(bytes).is_err() };
    let tail = &bytes[last + 1..];
    match tail.first() {
        None => true,
        Some(b'[') => !tail[1..].iter().any(|byte| (0x40..=0x7e).contains(byte)),
        Some(b']') => !tail.contains(&7),
        Some(_) => std::str::from_utf8(tail).is_err(),
    }
}
