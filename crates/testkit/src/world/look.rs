//! What stories look at: sessions, runs, hosts, what was told, and a report for when a story fails.
//! Nothing here changes what the machine knows.

use super::agent::{Host, Workspace};
use super::{World, laws};
use ao_core::effect::Effect;
use ao_core::facts::Facts;
use ao_core::id::{LaunchId, RunId, SessionId};
use ao_core::run::Run;
use ao_core::session::Session;
use ao_core::status::{self, Status};

impl World {
    /// The host of a session's current launch.
    ///
    /// # Panics
    /// When there is none.
    pub fn host(&mut self, session: &SessionId) -> &mut Host {
        let launch = self.session(session).launch.clone();
        launch.and_then(|l| self.hosts.get_mut(&l)).expect("the session has a host")
    }

    /// Whether the host of a launch is there and its agent runs.
    #[must_use]
    pub fn has_host(&self, launch: &LaunchId) -> bool {
        self.hosts.get(launch).is_some_and(|h| h.exit.is_none())
    }

    /// Everybody lets go: no person types, composers are empty, the target's checkout is clean, nothing more fails.
    pub fn calm(&mut self) {
        self.repo.dirty = false;
        self.scripted.clear();
        for host in self.hosts.values_mut() {
            host.person = false;
            host.swallows = 0;
            host.composer.clear();
        }
    }

    /// How many hosts run an agent.
    #[must_use]
    pub fn agents(&self) -> usize {
        self.hosts.values().filter(|h| h.exit.is_none()).count()
    }

    /// The workspace of a session.
    ///
    /// # Panics
    /// When there is none.
    pub fn workspace(&mut self, session: &SessionId) -> &mut Workspace {
        self.workspaces.get_mut(session).expect("the session has a workspace")
    }

    /// Sessions whose workspace is on the disk.
    pub fn workspaces(&self) -> impl Iterator<Item = &SessionId> {
        self.workspaces.keys()
    }

    /// A session's facts.
    ///
    /// # Panics
    /// When there is none of that id.
    #[must_use]
    pub fn session(&self, id: &SessionId) -> &Session {
        self.facts.sessions.get(id).expect("the session is known")
    }

    /// A run's facts.
    ///
    /// # Panics
    /// When there is none of that id.
    #[must_use]
    pub fn run(&self, id: &RunId) -> &Run {
        self.facts.runs.get(id).expect("the run is known")
    }

    /// A session's status now.
    #[must_use]
    pub fn status(&self, id: &SessionId) -> Status {
        status::status(&self.facts, self.session(id), self.now).status
    }

    /// The session that mends the failure of this name.
    ///
    /// # Panics
    /// When no run has one.
    #[must_use]
    pub fn mender(&self, name: &str) -> SessionId {
        let mut tasks = self.facts.runs.values().flat_map(|r| &r.tasks);
        let task = tasks.rfind(|t| t.group.failures.iter().any(|f| f.name == name));
        task.and_then(|t| t.session.clone()).expect("somebody mends it")
    }

    /// Prompts that a session's agents took.
    #[must_use]
    pub fn told_to(&self, session: &SessionId) -> Vec<&str> {
        self.told.iter().filter(|t| t.session == *session).map(|t| t.text.as_str()).collect()
    }

    /// The facts that replaying every delta from the first one gives.
    #[must_use]
    pub fn replayed(&self) -> Facts {
        let mut facts = Facts::default();
        for (_, delta) in &self.journal {
            facts.apply_all(delta.clone());
        }
        facts
    }

    /// Time alone, without any event, must bring rest from here.
    ///
    /// # Panics
    /// When it does not, or when a deadline comes and nothing follows.
    pub fn must_rest(&self) {
        laws::rests(&self.facts, self.now);
    }

    /// Whether every session is over, with nothing pending but what is told to people.
    #[must_use]
    pub fn settled_sessions(&self) -> bool {
        let told = |e: &Effect| matches!(e, Effect::Notify { .. });
        self.facts.sessions.values().all(Session::ended) && self.facts.pending.values().all(|p| told(&p.effect))
    }

    /// Everything that is going on, for a failed story.
    #[must_use]
    pub fn report(&self) -> String {
        let mut out = format!("at {}: todo {:?}\n", self.now.0, self.todo);
        for s in self.facts.sessions.values() {
            let first = s.outbox.first().and_then(|d| self.facts.deliveries.get(d));
            out += &format!(
                "{} {:?} {:?} knows {:?} review {:?} outbox {:?} {:?}\n",
                s.id, s.phase, s.process, s.known.activity, s.review, s.outbox, first
            );
        }
        for run in self.facts.runs.values() {
            out += &format!("{} {:?}\n", run.id, run.state);
            for task in &run.tasks {
                out +=
                    &format!("  {} {:?} {:?} attempts {}\n", task.group.title, task.session, task.state, task.attempts);
            }
        }
        out += &format!("queues {:?}\nnotes {:?}", self.facts.queues, self.notes);
        out
    }
}
