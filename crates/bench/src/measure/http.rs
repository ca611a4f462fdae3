//! The list of 200 sessions over HTTP, beside a plain server of node that serialises the same list.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::benchmark::Benchmark;
use crate::figure::{Bar, Figure, Figures, Quantity, Unit, middle};
use crate::peer::is_there;
use crate::stage::Stage;
use crate::web::{Web, port};
use crate::{os, process};

/// Sessions that there are (issue B).
const SESSIONS: usize = 200;
/// Connections that ask at the same time.
const CONNECTIONS: usize = 32;
/// Requests of each in a round.
const REQUESTS: usize = 100;
const ROUNDS: usize = 7;
/// Of the CPU of node: an eighth (issue B).
const MOST_TIMES: f64 = 0.125;
const PATH: &str = "/api/sessions";
/// The other server: what anybody would write.
const NODE: &str = "
const list = JSON.parse(require('fs').readFileSync(process.argv[1]));
const server = require('http').createServer((request, response) => {
  const body = JSON.stringify(list);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
";

pub const BENCHMARK: Benchmark = Benchmark {
    name: "http",
    about: "CPU of the server for each `GET /api/sessions` with 200 sessions, 32 kept connections, medians of 7 rounds of 3,200, taking turns; beside a plain node http server that serialises the same list for each",
    by_default: true,
    run,
};

fn run(ao: &Path, _: &Path) -> Result<Figures> {
    let stage = Stage::with_daemon(ao)?;
    stage.idle_sessions(SESSIONS)?;
    let daemon = stage.daemon()?;
    let mut ours = Load::new(daemon, port(&stage.data())?)?;
    let body = ours.body()?;
    println!("the list has {} bytes", body.len());
    let list = stage.root().join("list.json");
    fs::write(&list, &body)?;
    let mut node = Node::start(&list)?;
    let mut theirs = node.as_ref().map(|node| Load::new(node.server.id(), node.port)).transpose()?;
    let (mut mine, mut others) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        mine.push(ours.round()?);
        if let Some(theirs) = &mut theirs {
            others.push(theirs.round()?);
        }
    }
    let each = |times: &[Duration]| {
        let requests = (CONNECTIONS * REQUESTS) as f64;
        Quantity::new(middle(times).as_secs_f64() * 1e6 / requests, Unit::Microseconds)
    };
    let figure = Figure::new("CPU for each request, beside node", each(&mine));
    let memory =
        Figure::new("resident memory of the daemon after it", Quantity::megabytes(process::memory(daemon)?.rss));
    if let Some(node) = &mut node {
        node.end();
        return Ok(vec![figure.floor(each(&others)).bar(Bar::Times(MOST_TIMES)), memory]);
    }
    Ok(vec![figure, memory])
}

/// Clients of one server.
struct Load {
    server: u32,
    clients: Vec<Web>,
}

impl Load {
    fn new(server: u32, port: u16) -> Result<Self> {
        let clients = (0..CONNECTIONS).map(|_| Web::connect(port)).collect::<Result<_>>()?;
        let mut load = Self { server, clients };
        // Callers are looked up once for each connection; a server of node warms up.
        load.round()?;
        Ok(load)
    }

    fn body(&mut self) -> Result<Vec<u8>> {
        let client = self.clients.first_mut().context("a client")?;
        client.ask(PATH)?;
        client.answer()
    }

    /// CPU of the server for a round.
    fn round(&mut self) -> Result<Duration> {
        let before = os::cpu_clock(self.server)?;
        for _ in 0..REQUESTS {
            os::go_on()?;
            for client in &mut self.clients {
                client.ask(PATH)?;
            }
            for client in &mut self.clients {
                client.answer()?;
            }
        }
        Ok(os::cpu_clock(self.server)?.saturating_sub(before))
    }
}

struct Node {
    server: Child,
    port: u16,
}

impl Node {
    fn start(list: &Path) -> Result<Option<Self>> {
        if !is_there("node", "--version") {
            return Ok(None);
        }
        let mut server = Command::new("node")
            .args(["-e", NODE])
            .arg(list)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("node")?;
        let mut line = String::new();
        let said = server.stdout.take().context("its output")?;
        BufReader::new(said).read_line(&mut line)?;
        let port = line.trim().parse().context("the port of the node server")?;
        Ok(Some(Self { server, port }))
    }

    fn end(&mut self) {
        // Gone meanwhile: the same.
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end();
    }
}
