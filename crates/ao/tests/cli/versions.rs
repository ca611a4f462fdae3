//! Hosts of other versions under today's daemon: what works works, what does not is said in one sentence, nothing is ended.

use crate::world::{LIMIT, World, until};
use ao_host::record::{Ending, ExitRecord, Tree};
use ao_host::wire::{
    Attached, Child, Decoder, ErrorKind, HelloOk, MAX_MESSAGE, Push, Refusal, Reply, Request, Stopped, Typed,
};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

/// A screen as hosts of protocol 1 wrote it: a shell at its prompt.
const SCREEN: &str = r#"{"rev":0,"full":true,"size":{"cols":80,"rows":24},"rows":[{"row":0,"text":"$ "}],"cursor":{"row":0,"col":2,"shown":true},"title":"","osc":[],"osc_dropped":0,"bells":0,"modes":{"bracketed_paste":false,"alternate_screen":false},"offset":2,"rows_total":0,"last_output_ms":1,"person_input_ms":null,"quiet":true,"log":"good","screen":"good"}"#;

/// How an old or new host answers: what it was asked, in words, goes on the list.
type Asked = Arc<Mutex<Vec<String>>>;

/// A host in this test's own process, in the place of the one that was there.
struct Stage {
    world: World,
    id: String,
    lock: Option<File>,
    socket: PathBuf,
    asked: Asked,
}

/// Speaks with one client until it leaves.
fn speak(mut stream: UnixStream, asked: &Asked, protocols: (u16, u16), hello: &HelloOk) {
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut decoder = Decoder::new(MAX_MESSAGE);
    let mut bytes = [0; 4096];
    loop {
        let frame = match decoder.next_frame().unwrap() {
            Some(frame) => frame,
            None => match stream.read(&mut bytes) {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    decoder.push(&bytes[..count]);
                    continue;
                }
            },
        };
        let Some(request) = Request::decode(&frame).unwrap() else { continue };
        asked.lock().unwrap().push(format!("{request:?}"));
        let mut out = Vec::new();
        match answer(&request, protocols, hello) {
            Some(reply) => reply.encode(frame.id, &mut out),
            None => continue,
        }
        if let Request::Watch(_) = request {
            Push::Screen(serde_json::from_str(SCREEN).unwrap()).encode(&mut out);
        }
        if stream.write_all(&out).is_err() {
            return;
        }
    }
}

/// What a host of these protocols answers.
fn answer(request: &Request, (min, max): (u16, u16), hello: &HelloOk) -> Option<Reply> {
    Some(match request {
        Request::Hello(asks) if asks.max < min || asks.min > max => Reply::Error(Refusal {
            kind: ErrorKind::Version,
            message: format!("this host speaks protocol {min} to {max}"),
        }),
        Request::Hello(_) => Reply::HelloOk(hello.clone()),
        Request::Attach(attach) => Reply::Attached(Attached {
            launch: hello.launch.clone(),
            rows_total: 0,
            offset: 2,
            size: attach.size.unwrap(),
            screen: b"$ ".to_vec(),
        }),
        Request::Type(_) => Reply::Typed(Typed::Written { offset: 2 }),
        Request::Deliveries => Reply::DeliveriesAre(Vec::new()),
        Request::Stop(_) => Reply::Stopped(Stopped {
            exit: Some(ExitRecord {
                launch: hello.launch.clone(),
                session: hello.session.clone(),
                ending: Ending::Signaled { signal: 9 },
                at_ms: 1,
                last_offset: 2,
                rows_total: 0,
                size: ao_host::engine::Size::clamped(80, 24),
                screen: Vec::new(),
                tree: Tree::Empty,
            }),
            tree: Tree::Empty,
        }),
        Request::Watch(_) | Request::Signal(_) | Request::Resize(_) | Request::AckExit => Reply::Done,
        Request::Ack(_) | Request::Input(_) => return None,
        other => Reply::Error(Refusal { kind: ErrorKind::Protocol, message: format!("unknown: {other:?}") }),
    })
}

/// Directory of a session's first launch.
fn launch_dir(world: &World, id: &str) -> PathBuf {
    let projects = fs::read_dir(&world.home).unwrap().flatten();
    projects.map(|p| p.path().join(format!("sessions/{id}.d/1"))).find(|dir| dir.is_dir()).unwrap()
}

impl Stage {
    /// A session whose host was started by another version of `ao`, and today's daemon, which finds it.
    fn new(protocols: (u16, u16)) -> Self {
        let world = World::new();
        let new = ["new", "a task", "--agent", "shell", "--no-prompt", "--", "sh"];
        let id = world.json(&new)["id"].as_str().unwrap().to_owned();
        world.ao(&["daemon", "stop"]).ok();
        let record = launch_dir(&world, &id).join("host.json");
        let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
        for pid in ["child_pid", "pid"] {
            let pid = u32::try_from(record[pid].as_u64().unwrap()).unwrap();
            World::signal(pid, Signal::KILL);
            until("it is gone", || {
                let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                stat.is_empty() || stat.contains(") Z ")
            });
        }
        let _ = fs::remove_file(launch_dir(&world, &id).join("exit.json"));
        let stage = Self::play(world, id, protocols);
        stage.world.ao(&["daemon", "start"]).ok();
        stage
    }

    /// A session that was stopped and whose first host answers against all facts.
    fn haunted(protocols: (u16, u16)) -> Self {
        let world = World::new();
        let id = world.shell("exec cat");
        world.ao(&["stop", &id]).ok();
        Self::play(world, id, protocols)
    }

    /// Takes the place of a session's first host.
    fn play(world: World, id: String, protocols: (u16, u16)) -> Self {
        let dir = launch_dir(&world, &id);
        let mut record: Value = serde_json::from_slice(&fs::read(dir.join("host.json")).unwrap()).unwrap();
        (record["protocol_min"], record["protocol_max"]) = (json!(protocols.0), json!(protocols.1));
        fs::write(dir.join("host.json"), record.to_string()).unwrap();
        let lock = File::options().write(true).open(dir.join("host.lock")).unwrap();
        until("the lock is free", || lock.try_lock().is_ok());
        let socket = PathBuf::from(record["socket"].as_str().unwrap());
        let _ = fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).unwrap();
        let asked = Asked::default();
        let hello = HelloOk {
            version: protocols.1.min(ao_host::wire::PROTOCOL_MAX),
            launch: record["launch"].as_str().unwrap().to_owned(),
            session: id.clone(),
            pid: std::process::id(),
            software: "0.0.0".to_owned(),
            child: Child::Running { pid: 1 },
        };
        let heard = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (asked, hello) = (heard.clone(), hello.clone());
                thread::spawn(move || speak(stream, &asked, protocols, &hello));
            }
        });
        Self { world, id, lock: Some(lock), socket, asked }
    }

    fn status(&self) -> Value {
        self.world.json(&["status", &self.id])
    }

    fn was_asked(&self, what: &str) -> bool {
        self.asked.lock().unwrap().iter().any(|asked| asked.starts_with(what))
    }
}

impl Drop for Stage {
    /// What this test played is gone: the world's own end finds nothing that lives.
    fn drop(&mut self) {
        self.lock = None;
        let _ = fs::remove_file(&self.socket);
    }
}

#[test]
fn a_host_of_protocol_1_is_adopted_and_says_in_words_what_it_cannot() {
    let stage = Stage::new((1, 1));
    let (world, id) = (&stage.world, stage.id.as_str());
    until("it is adopted", || stage.status()["runtimeState"] == "alive" && stage.status()["status"] == "idle");
    let usage = format!("/sessions/{id}/usage");
    let cannot = "this session's host is of an older version and cannot";
    world.ao(&["api", "GET", &usage]).fails(6, &[cannot, "say what a session uses", "stop the session and restore it"]);
    let shown = world.ao(&["status", id]).ok().out;
    assert!(!shown.lines().any(|line| line.trim_start().starts_with("uses ")), "{shown}");
    world.ao(&["send", id, "echo hello"]).ok();
    until("a prompt is typed", || stage.was_asked("Type("));
    world.ao(&["stop", id]).ok();
    assert!(stage.was_asked("Stop(") && stage.was_asked("AckExit"));
    assert_eq!(stage.status()["status"], "killed");
    assert!(!stage.was_asked("Usage") && !stage.was_asked("Freeze"), "it was asked what it does not know");
}

#[test]
fn a_host_newer_than_this_ao_is_left_alone_with_a_sentence() {
    let stage = Stage::new((7, 9));
    let (world, id) = (&stage.world, stage.id.as_str());
    let words = ["its host is of another version of ao", "this host speaks protocol 7 to 9, and this ao 1 to "];
    until("it is looked at", || stage.status()["runtimeState"] == "probe_failed");
    world.ao(&["attach", id]).fails(7, &words);
    let events = world.ao(&["events", "--session", id]).ok().out;
    assert!(words.iter().all(|word| events.contains(word)), "{events}");
    world.ao(&["send", id, "hello"]).ok();
    let asked = stage.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|asked| asked.starts_with("Hello(")), "nothing but a greeting was tried: {asked:?}");
    assert!(!stage.status()["ended"].as_bool().unwrap(), "nothing is ended: {}", stage.status());
}

#[test]
fn while_an_earlier_host_may_live_no_second_agent_is_started_whatever_the_facts_say() {
    for (protocols, words) in [((1, 2), "launch app-1.1 still runs"), ((7, 9), "nobody knows whether launch app-1.1")] {
        let stage = Stage::haunted(protocols);
        stage.world.ao(&["restore", &stage.id]).ok();
        until("it is refused", || stage.status()["status"] == "spawn_failed");
        let session = stage.status();
        let why = session["why"].as_str().unwrap();
        assert!(why.contains(words) && why.contains("two agents never work in one workspace"), "{session}");
        assert_eq!(session["hint"], "`ao stop app-1` ends it");
        assert!(!launch_dir(&stage.world, &stage.id).with_file_name("2").join("host.json").exists());
    }
}
