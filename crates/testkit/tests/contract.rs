//! The fake runtime keeps the contract of runtimes, so that what is tested on it holds on real ones.

use ao_slots::Answer;
use ao_slots::runtime::{Abilities, Exit, Found, LaunchPlace, LaunchPlan, Link, Runtime};
use ao_testkit::contract::runtime::{Maker, Program};
use ao_testkit::fakes::runtime::{FakeHost, FakeRuntime};
use async_trait::async_trait;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Between two looks at the file that a program waits for.
const LOOK: Duration = Duration::from_millis(5);

/// A fake runtime whose agents play the suite's programs.
#[derive(Default)]
struct Played {
    runtime: FakeRuntime,
    begun: Mutex<Vec<LaunchPlan>>,
}

/// What a daemon gets: the launches outlive it.
struct Daemon(Arc<Played>);

struct Players(Arc<Played>);

fn players() -> Arc<dyn Maker> {
    Arc::new(Players(Arc::default()))
}

impl Maker for Players {
    fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(Daemon(self.0.clone()))
    }

    fn argv(&self, program: &Program) -> Vec<String> {
        let (name, number) = match program {
            Program::Waits => ("waits", 0),
            Program::Ends(code) => ("ends", *code),
            Program::Dies(signal) => ("dies", *signal),
            Program::Lines => ("lines", 0),
            Program::Shell(text) => panic!("the fake has no shell for {text}"),
        };
        vec![name.to_owned(), number.to_string()]
    }

    fn has_shell(&self) -> bool {
        false
    }
}

async fn play(host: Arc<FakeHost>) {
    let number: i32 = host.plan.argv[1].parse().expect("a number");
    host.show(&["ready"], None);
    match host.plan.argv[0].as_str() {
        "waits" => {}
        "lines" => lines(&host).await,
        name => {
            while !host.plan.cwd.join("go").exists() {
                tokio::time::sleep(LOOK).await;
            }
            let (code, signal) = if name == "ends" { (Some(number), None) } else { (None, Some(number)) };
            host.end_as(Exit { code, signal, why: None, left: Some(0) });
        }
    }
}

/// Reads lines, writes them to `got` and says them.
async fn lines(host: &FakeHost) {
    let mut shown = vec!["ready".to_owned()];
    let (mut taken, mut line) = (0, String::new());
    while host.exit().is_none() {
        host.until(|host| host.typed().len() > taken || host.exit().is_some()).await;
        for byte in host.typed().split_off(taken) {
            taken += 1;
            if byte != b'\r' {
                line.push(char::from(byte));
                continue;
            }
            let path = host.plan.cwd.join("got");
            let mut got = std::fs::File::options().append(true).create(true).open(path).expect("a file");
            writeln!(got, "{line}").expect("written");
            shown.extend([line.clone(), format!("[{line}]")]);
            line.clear();
        }
        let rows: Vec<&str> = shown.iter().map(String::as_str).chain([line.as_str()]).collect();
        host.show(&rows, None);
    }
}

#[async_trait]
impl Runtime for Daemon {
    fn abilities(&self) -> Abilities {
        self.0.runtime.abilities()
    }

    async fn ensure(&self, plan: &LaunchPlan) -> Answer<()> {
        self.0.runtime.ensure(plan).await?;
        let mut begun = self.0.begun.lock().expect("no test panics while it holds this");
        if !begun.iter().any(|known| known.launch == plan.launch) {
            begun.push(plan.clone());
            let host = self.0.runtime.host(plan.launch.as_str()).expect("it was started just now");
            tokio::spawn(play(host));
        }
        Ok(())
    }

    async fn find(&self, place: &LaunchPlace) -> Found {
        self.0.runtime.find(place).await
    }

    async fn connect(&self, place: &LaunchPlace) -> Answer<Link> {
        self.0.runtime.connect(place).await
    }
}

ao_testkit::runtime_contract!(players);
