//! The terminal's WebSocket: the screen first, then output; keys only from those who may type.

use crate::speak::{Ask, LIMIT};
use crate::world::World;
use ao_api::terminal::{EXITED, KEYS, OUTPUT, RESIZE, SCREEN, SEEN};
use ao_slots::runtime::ViewerInput;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

async fn open(
    world: &World,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<WebSocketStream<TcpStream>, Error> {
    let stream = TcpStream::connect(("127.0.0.1", world.port())).await.expect("connected");
    let mut request = format!("ws://{}{path}", world.host()).into_client_request().expect("a request");
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a value"));
    }
    tokio_tungstenite::client_async(request, stream).await.map(|(socket, _)| socket)
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Vec<u8> {
    let message =
        tokio::time::timeout(LIMIT, socket.next()).await.expect("in time").expect("not closed").expect("read");
    message.into_data().to_vec()
}

fn status(refused: Result<WebSocketStream<TcpStream>, Error>) -> u16 {
    match refused {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_viewer_sees_the_screen_then_output_and_may_type() {
    let world = World::with_project().await;
    let id = world.session("Watch").await["id"].as_str().expect("an id").to_owned();
    let host = world.live(&id).await;
    let mut socket = open(&world, &format!("/api/sessions/{id}/terminal?cols=90&rows=30"), &[]).await.expect("opened");
    let screen = next(&mut socket).await;
    assert_eq!(screen[0], SCREEN);
    assert_eq!(&screen[1..5], [0, 120, 0, 40]);
    assert!(screen.ends_with(b"fake agent\r\n> "));
    assert_eq!(host.views()[0].cols, 90);
    host.print(b"hello");
    let output = next(&mut socket).await;
    assert_eq!((output[0], &output[9..]), (OUTPUT, &b"hello"[..]));

    for message in [&[KEYS][..], &[RESIZE], &[SEEN]] {
        let rest: &[u8] = match message[0] {
            KEYS => b"ls\r",
            RESIZE => b"{\"cols\":100,\"rows\":20}",
            _ => b"{\"offset\":5}",
        };
        socket.send(Message::binary([message, rest].concat())).await.expect("sent");
    }
    let wanted =
        [ViewerInput::Keys(b"ls\r".to_vec()), ViewerInput::Resize { cols: 100, rows: 20 }, ViewerInput::Seen(5)];
    tokio::time::timeout(LIMIT, host.until(|h| h.inputs() == wanted)).await.expect("it arrives");
    host.end(7);
    let exit = next(&mut socket).await;
    assert_eq!(exit[0], EXITED);
    assert!(exit.ends_with(b"{\"code\":7,\"signal\":null,\"why\":null}"));
    world.end().await;
}

#[tokio::test]
async fn who_may_only_read_types_nothing() {
    let world = World::with_project().await;
    let id = world.session("Watch").await["id"].as_str().expect("an id").to_owned();
    let host = world.live(&id).await;
    let made = world.unix(&Ask::post("/api/tokens", &json!({"name": "v", "role": "viewer"}))).await.json();
    let bearer = format!("Bearer {}", made["token"].as_str().expect("a token"));
    let path = format!("/api/sessions/{id}/terminal");
    let mut viewer = open(&world, &path, &[("authorization", &bearer)]).await.expect("opened");
    let mut looking = open(&world, &format!("{path}?readOnly=true"), &[]).await.expect("opened");
    for socket in [&mut viewer, &mut looking] {
        assert_eq!(next(socket).await[0], SCREEN);
        socket.send(Message::binary([&[KEYS][..], b"rm"].concat())).await.expect("sent");
        socket.send(Message::binary([&[SEEN][..], b"{\"offset\":1}"].concat())).await.expect("sent");
    }
    tokio::time::timeout(LIMIT, host.until(|h| h.inputs().len() == 2)).await.expect("both were shown");
    assert_eq!(host.inputs(), [ViewerInput::Seen(1), ViewerInput::Seen(1)]);
    assert!(host.views().iter().all(|v| v.read_only));
    world.end().await;
}

#[tokio::test]
async fn another_page_gets_no_terminal() {
    let world = World::with_project().await;
    let id = world.session("Watch").await["id"].as_str().expect("an id").to_owned();
    world.live(&id).await;
    let path = format!("/api/sessions/{id}/terminal");
    assert_eq!(status(open(&world, &path, &[("origin", "http://evil.example")]).await), 403);
    assert_eq!(status(open(&world, &path, &[("origin", &world.origin())]).await), 401, "our own page needs its cookie");
    assert_eq!(status(open(&world, "/api/sessions/nobody/terminal", &[]).await), 404);
    let plain = world.tcp(&Ask::get(&path)).await;
    assert_eq!(plain.is(501).error().0, "unsupported");
    // With its cookie our own page gets one.
    let link = world.unix(&Ask::post("/api/sign-in/codes", &json!({}))).await.json();
    let code = link["url"].as_str().and_then(|u| u.split_once('=')).expect("a code").1.to_owned();
    let signed = world.tcp(&Ask::post("/api/sign-in", &json!({"code": code})).with("origin", &world.origin())).await;
    let cookie = signed.header("set-cookie").and_then(|c| c.split(';').next()).expect("a cookie").to_owned();
    let origin = world.origin();
    let mut socket = open(&world, &path, &[("origin", &origin), ("cookie", &cookie)]).await.expect("opened");
    assert_eq!(next(&mut socket).await[0], SCREEN);
    assert_eq!(status(open(&world, &path, &[("cookie", &cookie), ("sec-fetch-site", "same-origin")]).await), 401);
    world.end().await;
}

#[tokio::test]
async fn the_last_screen_is_shown_when_the_agent_has_ended() {
    let world = World::with_project().await;
    let id = world.session("Watch").await["id"].as_str().expect("an id").to_owned();
    let host = world.live(&id).await;
    let last = json!({"how": "exited", "code": 3, "screen": ["bye"], "rows_total": 2, "last_offset": 9, "size": {"cols": 80, "rows": 24}});
    std::fs::write(host.plan.dir.join("exit.json"), last.to_string()).expect("written");
    host.end(3);
    world.until(&Ask::get(&format!("/api/sessions/{id}")), |s| s["runtimeState"] == "exited").await;
    let mut socket = open(&world, &format!("/api/sessions/{id}/terminal"), &[]).await.expect("opened");
    let screen = next(&mut socket).await;
    assert_eq!((screen[0], &screen[1..5]), (SCREEN, &[0, 80, 0, 24][..]));
    assert!(screen.ends_with(b"bye"));
    assert_eq!(next(&mut socket).await[0], EXITED);
    world.end().await;
}

#[tokio::test]
async fn a_viewer_that_takes_nothing_slows_nobody() {
    let world = World::with_project().await;
    let id = world.session("Watch").await["id"].as_str().expect("an id").to_owned();
    let host = world.live(&id).await;
    let path = format!("/api/sessions/{id}/terminal");
    let _stalled = open(&world, &path, &[]).await.expect("opened");
    let mut quick = open(&world, &path, &[]).await.expect("opened");
    assert_eq!(next(&mut quick).await[0], SCREEN);
    let block = vec![b'x'; 64 * 1024];
    for _ in 0..200 {
        host.print(&block);
        let output = next(&mut quick).await;
        assert_eq!(output.len(), 9 + block.len());
    }
    // Nor does it keep the daemon.
    world.end().await;
}

#[tokio::test]
async fn keys_that_come_together_with_the_request_and_in_pieces_arrive() {
    let world = World::with_project().await;
    let id = world.session("Watch").await["id"].as_str().expect("an id").to_owned();
    let host = world.live(&id).await;
    let mut stream = TcpStream::connect(("127.0.0.1", world.port())).await.expect("connected");
    let request = format!(
        "GET /api/sessions/{id}/terminal HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        world.host()
    );
    // A mask of zeros; one message in two frames, a ping between them, and the second frame cut in the middle.
    let frames = [&[0x02, 0x82, 0, 0, 0, 0, KEYS, b'l'][..], &[0x89, 0x80, 0, 0, 0, 0], &[0x80, 0x82, 0, 0]].concat();
    stream.write_all(&[request.as_bytes(), &frames].concat()).await.expect("sent");
    tokio::time::timeout(LIMIT, host.until(|h| h.views().len() == 1)).await.expect("it is shown");
    stream.write_all(&[0, 0, b's', b'\r']).await.expect("sent");
    let wanted = [ViewerInput::Keys(b"ls\r".to_vec())];
    tokio::time::timeout(LIMIT, host.until(|h| h.inputs() == wanted)).await.expect("they arrive");
    world.end().await;
}

#[tokio::test]
async fn the_daemons_own_socket_shows_terminals_too() {
    let world = World::with_project().await;
    let id = world.session("Watch").await["id"].as_str().expect("an id").to_owned();
    let host = world.live(&id).await;
    let request = format!("ws://ao/api/sessions/{id}/terminal").into_client_request().expect("a request");
    let stream = world.socket().await;
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.expect("opened");
    let mut next =
        async || tokio::time::timeout(LIMIT, socket.next()).await.expect("in time").expect("open").expect("read");
    assert_eq!(next().await.into_data()[0], SCREEN);
    host.print(b"hello");
    assert_eq!(&next().await.into_data()[9..], b"hello");
    world.end().await;
}
