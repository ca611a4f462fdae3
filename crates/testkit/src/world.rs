//! A virtual world: the machine under a virtual clock, with hosts, workspaces, a repository and people that are a few lines
//! each. It runs no process and reads no clock; what real actors do is tested elsewhere.
//!
//! Every event goes through [`World::happen`], which holds what must always hold (`laws`).

pub mod agent;
pub mod chaos;
mod laws;
mod look;
mod perform;
pub mod repo;

use agent::{Behaviour, Host, Reply, Shows, Start, Workspace};
use ao_core::activity::{Activity, InputKind, Observation, Source};
use ao_core::effect::{Effect, Outcome, Priority};
use ao_core::event::{Answer, Event, NewRun, NewSession, Probe};
use ao_core::facts::{Delta, Facts};
use ao_core::id::{DeliveryId, LaunchId, ProjectId, RunId, SessionId};
use ao_core::kind::Fault;
use ao_core::machine;
use ao_core::project::Settings;
use ao_core::run::{RunOutcome, RunState};
use ao_core::session::{Remains, Role};
use ao_core::time::{Millis, Time};
use repo::{Repo, Tree};
use std::collections::{BTreeMap, VecDeque};

/// What the next effect whose key begins so is answered with.
enum Scripted {
    Done(Outcome),
    Failed(Fault),
    Silence,
}

/// A person was told something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// About which session.
    pub session: Option<SessionId>,
    /// How urgent.
    pub priority: Priority,
    /// Headline.
    pub title: String,
    /// The rest.
    pub body: String,
}

/// A prompt that an agent took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Which session's agent.
    pub session: SessionId,
    /// By which delivery.
    pub delivery: DeliveryId,
    /// The text.
    pub text: String,
}

/// Steps after which a story that does not end is called endless.
const ENDLESS: usize = 5_000;

/// The world.
pub struct World {
    /// What the machine knows.
    pub facts: Facts,
    /// The virtual clock.
    pub now: Time,
    /// The repository.
    pub repo: Repo,
    /// What people were told, in order.
    pub notes: Vec<Note>,
    /// What agents were told, in order.
    pub told: Vec<Told>,
    /// Everything that happened with what it changed, as a journal would keep it.
    pub journal: Vec<(Event, Delta)>,
    /// Facts go through their serialised form before every event, as if the daemon restarted between any two.
    pub reload: bool,
    /// Scratch checkouts are there.
    pub scratch: bool,
    /// How often scratch checkouts were made from nothing.
    pub scratches_made: u32,
    /// A turn's marks arrive before the outcome of the Enter that began it.
    pub fast_agents: bool,
    /// Agents that are started again cannot go on with their conversation.
    pub forgetful: bool,
    boot: u32,
    todo: VecDeque<Effect>,
    inbox: VecDeque<Event>,
    hosts: BTreeMap<LaunchId, Host>,
    workspaces: BTreeMap<SessionId, Workspace>,
    rescued: BTreeMap<SessionId, String>,
    behaviours: Vec<(String, Behaviour)>,
    starts: Vec<(String, Start, u32)>,
    scripted: Vec<(String, Scripted)>,
    order: Option<u64>,
}

impl World {
    /// A world whose repository holds these files, with project `app` (prefix `app`) and the check `make test`.
    #[must_use]
    pub fn new(files: &[(&str, &str)]) -> Self {
        let mut tree = Tree::default();
        for (path, text) in files {
            tree.put(path, text);
        }
        let mut world = Self {
            facts: Facts::default(),
            now: Time(1_000_000),
            repo: Repo::new(tree),
            notes: Vec::new(),
            told: Vec::new(),
            journal: Vec::new(),
            reload: false,
            scratch: false,
            scratches_made: 0,
            fast_agents: false,
            forgetful: false,
            boot: 1,
            todo: VecDeque::new(),
            inbox: VecDeque::new(),
            hosts: BTreeMap::new(),
            workspaces: BTreeMap::new(),
            rescued: BTreeMap::new(),
            behaviours: vec![(String::new(), agent::diligent())],
            starts: Vec::new(),
            scripted: Vec::new(),
            order: None,
        };
        world.start_daemon();
        world.project("app", |_| {});
        world
    }

    /// Adds or changes a project; its prefix is its name.
    pub fn project(&mut self, name: &str, change: impl FnOnce(&mut Settings)) -> Answer {
        let mut settings =
            Settings { check: Some("make test".into()), default_branch: "main".into(), ..Settings::default() };
        change(&mut settings);
        self.happen(Event::ProjectConfigured {
            project: ProjectId::new(name),
            path: format!("/repos/{name}"),
            data: format!("/data/{name}"),
            prefix: name.to_owned(),
            settings: Box::new(settings),
        })
    }

    /// Chooses the next thing that happens by this seed instead of in order.
    pub fn shuffle(&mut self, seed: u64) {
        self.order = Some(seed | 1);
    }

    /// How agents of sessions behave whose title contains `title`; the last rule that fits holds.
    pub fn behave(&mut self, title: &str, behaviour: impl FnMut(&mut agent::Job<'_>) -> Reply + 'static) {
        self.behaviours.push((title.to_owned(), Box::new(behaviour)));
    }

    /// How the next `times` launches of sessions whose title contains `title` start.
    pub fn starts(&mut self, title: &str, start: Start, times: u32) {
        self.starts.push((title.to_owned(), start, times));
    }

    /// Answers the next effect whose key begins with `key` by this outcome, without doing it.
    pub fn answer_with(&mut self, key: &str, outcome: Outcome) {
        self.scripted.push((key.to_owned(), Scripted::Done(outcome)));
    }

    /// Lets the next effect whose key begins with `key` fail.
    pub fn fail_with(&mut self, key: &str, fault: Fault) {
        self.scripted.push((key.to_owned(), Scripted::Failed(fault)));
    }

    /// Never answers the next effect whose key begins with `key`.
    pub fn ignore(&mut self, key: &str) {
        self.scripted.push((key.to_owned(), Scripted::Silence));
    }

    /// Something happens: the machine decides, its decision is checked and applied, its effects wait to be performed.
    pub fn happen(&mut self, event: Event) -> Answer {
        if self.reload {
            self.facts = laws::reloaded(&self.facts);
        }
        let decision = machine::decide(&self.facts, &event, self.now);
        let after = laws::check(&self.facts, &event, self.now, &decision);
        self.facts = after;
        self.todo.extend(decision.effects);
        self.journal.push((event, decision.delta));
        decision.answer
    }

    /// Asks for a session with a first prompt and returns its id.
    ///
    /// # Panics
    /// When it is refused.
    pub fn spawn(&mut self, title: &str, prompt: Option<&str>) -> SessionId {
        let new = new_session("app", title, prompt);
        match self.happen(Event::SessionRequested { new: Box::new(new) }) {
            Answer::Session(id) => id,
            other => panic!("the session was not made: {other:?}"),
        }
    }

    /// Asks for a run and returns its id.
    ///
    /// # Panics
    /// When it is refused.
    pub fn fix(&mut self, change: impl FnOnce(&mut NewRun)) -> RunId {
        let mut new = self.new_run();
        change(&mut new);
        match self.happen(Event::RunRequested { new: Box::new(new) }) {
            Answer::Run { run, .. } => run,
            other => panic!("the run was not made: {other:?}"),
        }
    }

    /// A run of project `app` on the target as it is now.
    #[must_use]
    pub fn new_run(&self) -> NewRun {
        NewRun {
            project: ProjectId::new("app"),
            check: None,
            target: "main".into(),
            base: self.repo.tip().clone(),
            agent: None,
            chosen: None,
            model: None,
            agent_args: Vec::new(),
            env: BTreeMap::new(),
            parallel: None,
            max_attempts: None,
            dry_run: false,
            keep: false,
        }
    }

    /// Lets one thing happen: something that was seen, or the end of an effect. False when nothing is left to do.
    pub fn step(&mut self) -> bool {
        let (seen, asked) = (self.inbox.len(), self.todo.len());
        if seen + asked == 0 {
            return false;
        }
        let at = match &mut self.order {
            None => 0,
            Some(seed) => {
                // Xorshift (Marsaglia 2003): any order will do, as long as the seed repeats it.
                *seed ^= *seed << 13;
                *seed ^= *seed >> 7;
                *seed ^= *seed << 17;
                usize::try_from(*seed % (u64::try_from(asked).unwrap_or(0) + 1)).unwrap_or(0)
            }
        };
        // What was seen keeps its order, as on a real channel; effects end in any order.
        if seen > 0 && (at == 0 || asked == 0) {
            if let Some(event) = self.inbox.pop_front() {
                self.happen(event);
            }
        } else if let Some(effect) = self.todo.remove(at.saturating_sub(usize::from(seen > 0 || at == asked))) {
            self.perform(&effect);
        }
        true
    }

    /// Lets everything happen that needs no time.
    ///
    /// # Panics
    /// When that never ends.
    pub fn perform_all(&mut self) {
        for _ in 0..ENDLESS {
            if !self.step() {
                return;
            }
        }
        panic!("the world never comes to rest");
    }

    /// Moves the clock to the next deadline; false when there is none.
    pub fn tick_to_deadline(&mut self) -> bool {
        let Some(at) = machine::deadline(&self.facts, self.now) else { return false };
        self.now = at;
        self.happen(Event::Ticked);
        true
    }

    /// Lets time pass, deadline by deadline, for so long.
    pub fn pass(&mut self, length: Millis) {
        let end = self.now.after(length);
        self.perform_all();
        while machine::deadline(&self.facts, self.now).is_some_and(|at| at <= end) {
            self.tick_to_deadline();
            self.perform_all();
        }
        self.now = end;
        self.happen(Event::Ticked);
        self.perform_all();
    }

    /// Goes on until something holds, over deadlines where needed.
    ///
    /// # Panics
    /// When it does not come to hold.
    pub fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..ENDLESS {
            if holds(self) {
                return;
            }
            if !self.step() && !self.tick_to_deadline() {
                break;
            }
        }
        panic!("it never came to this: {what}\n{}", self.report());
    }

    /// Goes on until a run is over and says how it ended.
    pub fn finish(&mut self, run: &RunId) -> RunOutcome {
        self.until("the run is over", |w| w.run(run).finished());
        self.perform_all();
        match &self.run(run).state {
            RunState::Finished { outcome, .. } => outcome.clone(),
            other => panic!("it went on: {other:?}"),
        }
    }

    /// The daemon ends and comes back in the same boot: what was under way is asked again, what was seen is seen again.
    pub fn restart_daemon(&mut self) {
        self.facts = laws::reloaded(&self.facts);
        self.todo.clear();
        self.inbox.clear();
        self.start_daemon();
        for host in self.hosts.values() {
            let (session, launch) = (host.session.clone(), host.launch.clone());
            match host.exit {
                Some(code) => {
                    self.inbox.push_back(Event::HostExited { session, launch, code, signal: None, why: None });
                }
                None => {
                    self.inbox.push_back(Event::HostProbed { session, launch, probe: Probe::Alive });
                    self.inbox.extend(host.mark(self.now));
                }
            }
        }
    }

    /// The machine reboots: every process is gone, every file stays.
    pub fn reboot(&mut self) {
        self.boot += 1;
        self.hosts.clear();
        self.restart_daemon();
    }

    fn start_daemon(&mut self) {
        let boot_id = format!("boot-{}", self.boot);
        self.happen(Event::DaemonStarted { version: "0".into(), boot_id, clock_base: 0 });
        let again = self.facts.pending.values().filter(|p| p.again.is_none() && !p.uncertain);
        let asked: Vec<Effect> =
            again.map(|p| p.effect.clone()).filter(|e| !self.todo.iter().any(|t| t.key() == e.key())).collect();
        self.todo.extend(asked);
    }

    /// A host is looked at and is gone without a trace, and so it stays until that is believed.
    pub fn host_dies(&mut self, session: &SessionId) {
        self.host_is_lost(session, Remains::None);
        self.now = self.now.after(Millis::secs(3));
        self.happen(Event::Ticked);
    }

    /// A host is looked at and is gone without a trace; so much of its processes is left.
    pub fn host_is_lost(&mut self, session: &SessionId, left: Remains) {
        let launch = self.session(session).launch.clone().expect("a session with a host has a launch");
        self.hosts.remove(&launch);
        self.happen(Event::HostProbed { session: session.clone(), launch, probe: Probe::Gone { left } });
    }

    /// A person answers what the agent asks: the turn goes on and ends, or the agent is ready.
    pub fn answer(&mut self, session: &SessionId) {
        let host = self.host(session);
        let in_turn = !matches!(host.shows, Shows::Asks(InputKind::Trust | InputKind::Login | InputKind::Onboarding));
        if in_turn {
            self.shows(session, Shows::Working);
            self.shows(session, Shows::Idle);
        } else {
            self.shows(session, Shows::Ready);
        }
    }

    /// The agent of a session shows something.
    pub fn shows(&mut self, session: &SessionId, what: Shows) {
        let now = self.now;
        let host = self.host(session);
        host.offset += 10;
        host.shows = what;
        let event = host.mark(now);
        self.inbox.extend(event);
    }

    /// A person begins or ceases to look at a session; its host wakes it first.
    pub fn look_at(&mut self, session: &SessionId, viewed: bool) {
        let host = self.host(session);
        host.viewed = viewed;
        let launch = host.launch.clone();
        self.set_frozen(&launch, false);
    }

    /// Something is observed of a session's current launch.
    pub fn observe(&mut self, session: &SessionId, source: Source, activity: Activity) {
        let launch = self.session(session).launch.clone().expect("what is observed has a launch");
        let at = self.now;
        let observation = Observation { activity, source, at, offset: None, why: format!("{source:?}") };
        self.happen(Event::Observed { session: session.clone(), launch, observation });
    }

    /// The agent's process ends.
    pub fn exits(&mut self, session: &SessionId, code: i32) {
        let host = self.host(session);
        host.exit = Some(Some(code));
        let event = Event::HostExited {
            session: host.session.clone(),
            launch: host.launch.clone(),
            code: Some(code),
            signal: None,
            why: None,
        };
        self.inbox.push_back(event);
    }
}

/// A session that is wanted, with nothing special about it.
#[must_use]
pub fn new_session(project: &str, title: &str, prompt: Option<&str>) -> NewSession {
    NewSession {
        project: ProjectId::new(project),
        title: title.to_owned(),
        prompt: prompt.map(str::to_owned),
        name: None,
        issue: None,
        agent: None,
        chosen: None,
        runtime: None,
        workspace: None,
        branch: None,
        model: None,
        role: Role::Worker,
        supervision: None,
        answers: Vec::new(),
        agent_args: Vec::new(),
        env: BTreeMap::new(),
    }
}
