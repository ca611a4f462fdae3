//! Several people before one terminal: WebSockets of the real daemon, a real host, a real program.

use crate::world::{LIMIT, World, until};
use ao_api::terminal::{EXITED, KEYS, OUTPUT, RESIZE, SCREEN, SEEN};
use ao_host::engine::terminal::Terminal;
use ao_host::engine::{Engine as _, Size};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Says its size, floods, and ends when it is told to.
const PROGRAM: &str = "stty -echo; echo ready; while read -r word; do case $word in size) stty size;; \
    flood) seq 1 200000; echo the flood is over;; rows) seq 1 300; echo rows done;; quit) exit 5;; *) echo \"got $word\";; esac; done";

/// One who looks through the daemon.
struct Viewer {
    socket: WebSocketStream<TcpStream>,
    screen: Terminal,
    size: (u16, u16),
    screens: u32,
    /// Offset after the newest byte that came.
    end: u64,
    ended: bool,
    closed: Option<u16>,
}

impl Viewer {
    async fn open(world: &World, id: &str, query: &str) -> Self {
        let socket = connect(world, &format!("/api/sessions/{id}/terminal?{query}")).await;
        let screen = Terminal::new(Size { cols: 1, rows: 1 });
        let mut viewer = Self { socket, screen, size: (0, 0), screens: 0, end: 0, ended: false, closed: None };
        viewer.until("the screen", |v| v.screens == 1).await;
        viewer
    }

    /// Takes one message and says that it was shown.
    async fn take(&mut self) {
        let message = tokio::time::timeout(LIMIT, self.socket.next()).await;
        let message = message.unwrap_or_else(|_| panic!("nothing more comes; it shows {:#?}", self.rows()));
        let bytes = match message {
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Close(why))) => {
                self.closed = Some(why.map_or(0, |why| why.code.into()));
                return;
            }
            Some(Ok(_)) => return,
            Some(Err(_)) | None => {
                self.closed.get_or_insert(0);
                return;
            }
        };
        let number = |from: usize| u64::from_be_bytes(bytes[from..from + 8].try_into().unwrap());
        match bytes[0] {
            SCREEN => {
                let two = |from: usize| u16::from_be_bytes(bytes[from..from + 2].try_into().unwrap());
                self.size = (two(1), two(3));
                self.screen = Terminal::new(Size { cols: self.size.0, rows: self.size.1 });
                self.screen.feed(&bytes[21..]);
                self.end = number(13);
                self.screens += 1;
            }
            OUTPUT => {
                // This program asks its terminal nothing: every byte is shown, so that a gap is seen.
                let (end, output) = (number(1), &bytes[9..]);
                assert_eq!(end - output.len() as u64, self.end, "output has a gap");
                self.screen.feed(output);
                self.end = end;
            }
            EXITED => self.ended = true,
            _ => {}
        }
        let seen = json!({"offset": self.end}).to_string();
        self.send(SEEN, seen.as_bytes()).await;
    }

    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            assert!(self.closed.is_none(), "closed with {:?} before {what}: {:#?}", self.closed, self.rows());
            self.take().await;
        }
    }

    async fn shows(&mut self, text: &str) {
        self.until(text, |v| v.rows().iter().any(|row| row == text)).await;
    }

    async fn send(&mut self, kind: u8, rest: &[u8]) {
        // One that was closed meanwhile is seen by its next message.
        let _ = self.socket.send(Message::binary([&[kind][..], rest].concat())).await;
    }

    async fn types(&mut self, line: &str) {
        self.send(KEYS, format!("{line}\r").as_bytes()).await;
    }

    async fn resizes(&mut self, cols: u32, rows: u32) {
        self.send(RESIZE, json!({"cols": cols, "rows": rows}).to_string().as_bytes()).await;
    }

    fn rows(&self) -> Vec<String> {
        let rows = (0..self.size.1).map(|row| self.screen.row_text(row).trim_end().to_owned());
        rows.collect()
    }

    async fn closed(&mut self) -> u16 {
        while self.closed.is_none() {
            self.take().await;
        }
        self.closed.unwrap()
    }
}

async fn connect(world: &World, path: &str) -> WebSocketStream<TcpStream> {
    let (host, stream) = tcp(world).await;
    let url = format!("ws://{host}{path}");
    tokio_tungstenite::client_async(url, stream).await.expect("opened").0
}

async fn tcp(world: &World) -> (String, TcpStream) {
    let file = std::fs::read(world.home.join("daemon.json")).unwrap();
    let file: serde_json::Value = serde_json::from_slice(&file).unwrap();
    let host = file["url"].as_str().unwrap().trim_start_matches("http://").to_owned();
    let stream = TcpStream::connect(&host).await.expect("the port takes connections");
    (host, stream)
}

fn ready(world: &World) -> String {
    let id = world.shell(PROGRAM);
    until("it is ready", || world.ao(&["logs", &id]).ok().out.contains("ready"));
    id
}

fn get(world: &World, path: &str) -> serde_json::Value {
    world.json(&["api", "GET", path])
}

#[tokio::test]
async fn one_of_several_viewers_owns_the_size_and_readers_own_nothing() {
    let world = World::new();
    let id = ready(&world);
    let mut first = Viewer::open(&world, &id, "cols=100&rows=30").await;
    assert_eq!(first.size, (100, 30));
    let mut second = Viewer::open(&world, &id, "cols=90&rows=25").await;
    first.until("the newcomer's size", |v| v.size == (90, 25)).await;
    let mut reader = Viewer::open(&world, &id, "cols=50&rows=10&readOnly=true").await;
    assert_eq!(reader.size, (90, 25), "a reader looks at what is there");
    reader.types("forbidden").await;
    reader.resizes(40, 8).await;
    // Whoever types owns the size.
    first.types("size").await;
    for viewer in [&mut first, &mut second, &mut reader] {
        viewer.until("the size of whoever types", |v| v.size == (100, 30)).await;
        viewer.shows("30 100").await;
        assert!(!viewer.rows().iter().any(|row| row.contains("forbidden")), "a reader typed: {:#?}", viewer.rows());
    }
    drop(first);
    second.until("the size of who stays", |v| v.size == (90, 25)).await;
    second.types("size").await;
    second.shows("25 90").await;
    reader.shows("25 90").await;
    // Sizes that make no sense are brought to those that do.
    second.resizes(0, 0).await;
    second.until("the smallest", |v| v.size == (1, 1)).await;
    second.resizes(10_000, 10_000).await;
    second.until("the largest", |v| v.size == (500, 300)).await;
    second.types("size").await;
    second.shows("300 500").await;
    reader.until("the largest", |v| v.size == (500, 300)).await;
}

#[tokio::test]
async fn who_lags_gets_a_new_screen_and_all_see_the_same_after_a_flood() {
    let world = World::new();
    let id = ready(&world);
    let mut writer = Viewer::open(&world, &id, "cols=80&rows=24").await;
    let mut reader = Viewer::open(&world, &id, "readOnly=true").await;
    let mut lazy = Viewer::open(&world, &id, "readOnly=true").await;
    let before = lazy.screens;
    writer.types("flood").await;
    writer.shows("the flood is over").await;
    reader.shows("the flood is over").await;
    // It looks again after all that.
    lazy.shows("the flood is over").await;
    assert!(lazy.screens > before, "megabytes of backlog were kept for it");
    assert_eq!(writer.rows(), reader.rows());
    assert_eq!(writer.rows(), lazy.rows());
    let newcomer = Viewer::open(&world, &id, "readOnly=true").await;
    assert_eq!(writer.rows(), newcomer.rows());
    until("the daemon's screen is theirs", || {
        let rows = get(&world, &format!("/api/sessions/{id}/screen"))["rows"].clone();
        let rows: Vec<String> = serde_json::from_value(rows).unwrap();
        let filled = |rows: &[String]| rows.iter().rev().skip_while(|row| row.is_empty()).cloned().collect::<Vec<_>>();
        filled(&rows) == filled(&writer.rows())
    });
}

#[tokio::test]
async fn a_session_that_is_over_shows_its_last_screen_and_its_history_by_number() {
    let world = World::new();
    let id = ready(&world);
    let mut viewer = Viewer::open(&world, &id, "cols=80&rows=24").await;
    viewer.types("rows").await;
    viewer.shows("rows done").await;
    let lines = |from: u64, lines: u32| {
        let told = get(&world, &format!("/api/sessions/{id}/logs?from={from}&lines={lines}"));
        let lines: Vec<String> = serde_json::from_value(told["lines"].clone()).unwrap();
        (told["earlier"].as_u64().unwrap(), lines)
    };
    // Row 0 is `ready`.
    assert_eq!(lines(17, 3), (17, ["17", "18", "19"].map(str::to_owned).to_vec()));
    viewer.types("quit").await;
    assert_eq!(viewer.closed().await, 1000);
    assert!(viewer.ended);
    until("its end is known", || world.json(&["status", &id])["runtimeState"] == "exited");
    let mut late = Viewer::open(&world, &id, "").await;
    assert!(late.rows().iter().any(|row| row == "rows done"), "{:#?}", late.rows());
    assert_eq!((late.closed().await, late.ended), (1000, true));
    assert_eq!(lines(298, 2), (298, ["298", "299"].map(str::to_owned).to_vec()));
    assert_eq!(lines(1_000_000, 5).1, Vec::<String>::new());
}

#[tokio::test]
async fn frames_that_make_no_sense_close_their_own_connection_with_a_reason() {
    let world = World::new();
    let id = ready(&world);
    let mut good = Viewer::open(&world, &id, "").await;
    let huge = [&[KEYS][..], &vec![b'x'; 1024 * 1024]].concat();
    let bad = [
        (Message::text("hello"), 1003),
        (Message::binary(Vec::new()), 1002),
        (Message::binary(b"\xffwhat".to_vec()), 1002),
        (Message::binary([&[RESIZE][..], b"{\"cols\":"].concat()), 1007),
        (Message::binary([&[RESIZE][..], b"{\"cols\":-1,\"rows\":70000}"].concat()), 1007),
        (Message::binary([&[SEEN][..], b"[]"].concat()), 1007),
        (Message::binary(huge), 1009),
    ];
    for (message, code) in bad {
        let mut viewer = Viewer::open(&world, &id, "").await;
        let said = format!("{message:.40?}");
        // The daemon may close in the middle of a message that is too long.
        let _ = viewer.socket.send(message).await;
        assert_eq!(viewer.closed().await, code, "{said}");
    }
    // Bytes that are no frame, and a frame that is cut off.
    for bytes in [&[0xff_u8; 64][..], &[0x82, 0xfe, 0x40, 0x00, 1, 2, 3, 4, 5]] {
        let (host, mut stream) = tcp(&world).await;
        let ask = format!(
            "GET /api/sessions/{id}/terminal HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        stream.write_all(ask.as_bytes()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut all = Vec::new();
        let read = tokio::time::timeout(LIMIT, stream.read_to_end(&mut all)).await;
        let _ = read.expect("the daemon closes it");
        assert!(all.starts_with(b"HTTP/1.1 101"), "{:?}", String::from_utf8_lossy(&all));
    }
    good.types("still here").await;
    good.shows("got still here").await;
}
