//! How the world answers effects: what hosts, git, checks and people would do, in a few lines each.
//! Answers go to the inbox as events; nothing here looks at the machine's facts except to find a session's title.

use super::agent::{Host, Job, Reply, Shows, Start, Workspace};
use super::repo::Merged;
use super::{Note, Scripted, Told, World};
use ao_core::activity::{Activity, Observation, Source};
use ao_core::effect::{CandidateHead, CheckPlace, CheckPurpose, Effect, Inspection, Outcome};
use ao_core::event::Event;
use ao_core::id::{CommitId, DeliveryId, LaunchId, SessionId};
use ao_core::kind::Fault;
use ao_core::session::Conversation;
use ao_core::time::Time;

impl World {
    pub(super) fn perform(&mut self, effect: &Effect) {
        let key = effect.key();
        if let Some(at) = self.scripted.iter().position(|(prefix, _)| key.as_str().starts_with(prefix.as_str())) {
            match self.scripted.remove(at).1 {
                Scripted::Done(outcome) => self.done(effect, outcome),
                Scripted::Failed(fault) => self.inbox.push_back(Event::EffectFailed { key, fault }),
                Scripted::Silence => {}
            }
            return;
        }
        match effect {
            Effect::EnsureWorkspace { session, base } => self.ensure_workspace(effect, session, base.as_ref()),
            Effect::EnsureHost { session, launch, .. } => self.ensure_host(effect, session, launch),
            Effect::PastePrompt { delivery, launch, text, .. } => self.paste(effect, delivery, launch, text),
            Effect::SubmitPrompt { delivery, launch, n, text, .. } => self.submit(effect, delivery, launch, *n, text),
            Effect::AnswerQuestion { launch, dialog, .. } => {
                // The dialog that it was decided for, or nothing is pressed.
                let there = self.facts.sessions.values().find(|s| s.launch.as_ref() == Some(launch));
                let shown = there.and_then(|s| s.asking.shown.clone());
                let outcome = match shown {
                    Some(shown) if shown.is(dialog) => Outcome::Answered,
                    Some(_) | None => Outcome::Held { why: "its screen does not show the dialog any more".into() },
                };
                self.done(effect, outcome);
            }
            Effect::EnsureStopped { launch, .. } => {
                let host = self.hosts.get_mut(launch);
                let code = host.and_then(|h| *h.exit.get_or_insert(Some(143)));
                self.done(effect, Outcome::Stopped { code });
            }
            Effect::EnsureFrozen { launch, .. } => self.freeze(effect, launch),
            Effect::EnsureThawed { launch, .. } => {
                self.set_frozen(launch, false);
                self.done(effect, Outcome::Thawed);
            }
            Effect::RemoveWorkspace { session } => {
                if self.workspaces.remove(session).is_some() {
                    self.rescued.insert(session.clone(), format!("refs/ao/rescue/{session}"));
                }
                // Asked again after it was done, it says again what it kept.
                let rescue = self.rescued.get(session).cloned();
                self.done(effect, Outcome::WorkspaceRemoved { rescue, ignored: None });
            }
            Effect::ArchiveSession { session } => {
                assert!(!self.workspaces.contains_key(session), "{session} is archived with its workspace");
                self.done(effect, Outcome::Archived { before: 10, after: 1 });
            }
            Effect::InspectWorkspace { session, .. } => {
                let found = self.inspect(session);
                self.done(effect, Outcome::Inspected { found });
            }
            Effect::RunCheck { purpose, place, command, .. } => self.run_check(effect, purpose, place, command),
            Effect::EnsurePullRequest { .. } => self.done(effect, Outcome::PullRequestOpen),
            Effect::BuildCandidate { heads, .. } => self.build(effect, heads),
            Effect::Land { old, new, .. } => {
                let outcome = if self.repo.dirty {
                    Outcome::LandBlocked { why: "checkout dirty".into() }
                } else if self.repo.swap(old, new) {
                    Outcome::Landed
                } else {
                    Outcome::SwapLost { actual: self.repo.tip().clone() }
                };
                self.done(effect, outcome);
            }
            Effect::ReadTarget { .. } => {
                let commit = self.repo.tip().clone();
                self.done(effect, Outcome::Target { commit });
            }
            Effect::RemoveScratch { .. } => {
                self.scratch = false;
                self.done(effect, Outcome::ScratchRemoved);
            }
            Effect::Notify { session, priority, title, body, .. } => {
                self.notes.push(Note {
                    session: session.clone(),
                    priority: *priority,
                    title: title.clone(),
                    body: body.clone(),
                });
                self.done(effect, Outcome::Notified);
            }
        }
    }

    fn done(&mut self, effect: &Effect, outcome: Outcome) {
        self.inbox.push_back(Event::EffectDone { key: effect.key(), outcome });
    }

    fn refuse(&mut self, effect: &Effect, why: &str) {
        self.inbox.push_back(Event::EffectFailed { key: effect.key(), fault: Fault::unavailable(why) });
    }

    fn ensure_workspace(&mut self, effect: &Effect, session: &SessionId, base: Option<&CommitId>) {
        let base = base.unwrap_or_else(|| self.repo.tip()).clone();
        let tree = self.repo.tree(&base);
        let fresh =
            Workspace { tree: tree.clone(), base: base.clone(), first: tree, gone: false, unmerged: Vec::new() };
        self.workspaces.entry(session.clone()).or_insert(fresh);
        self.rescued.remove(session);
        let branch = self.facts.sessions.get(session).map(|s| s.branch.clone()).unwrap_or_default();
        self.done(effect, Outcome::WorkspaceReady { path: format!("/trees/{session}"), base, branch, put_back: None });
    }

    fn title(&self, session: &SessionId) -> String {
        self.facts.sessions.get(session).map(|s| s.title.clone()).unwrap_or_default()
    }

    fn ensure_host(&mut self, effect: &Effect, session: &SessionId, launch: &LaunchId) {
        let conversation = match effect {
            Effect::EnsureHost { resume: true, .. } if self.forgetful => Conversation::Anew,
            Effect::EnsureHost { resume: true, .. } => Conversation::Continued,
            _ => Conversation::First,
        };
        self.done(effect, Outcome::HostStarted { conversation });
        if self.hosts.contains_key(launch) {
            return;
        }
        self.hosts.insert(launch.clone(), Host::new(session, launch));
        let title = self.title(session);
        let rule = self.starts.iter_mut().rev().find(|(part, _, times)| *times > 0 && title.contains(part.as_str()));
        let start = rule.map_or(Start::Ready, |(_, start, times)| {
            *times -= 1;
            *start
        });
        match start {
            Start::Ready => self.shows_in(launch, Shows::Ready),
            Start::Asks(what) => self.shows_in(launch, Shows::Asks(what)),
            Start::Silent => {}
            Start::Exits(code) => self.exits_in(launch, code),
        }
    }

    fn shows_in(&mut self, launch: &LaunchId, what: Shows) {
        let now = self.now;
        if let Some(host) = self.hosts.get_mut(launch) {
            host.offset += 10;
            host.shows = what;
            let mark = host.mark(now);
            self.inbox.extend(mark);
        }
    }

    fn exits_in(&mut self, launch: &LaunchId, code: i32) {
        if let Some(host) = self.hosts.get_mut(launch) {
            host.exit = Some(Some(code));
            let (session, launch) = (host.session.clone(), launch.clone());
            self.inbox.push_back(Event::HostExited { session, launch, code: Some(code), signal: None, why: None });
        }
    }

    fn freeze(&mut self, effect: &Effect, launch: &LaunchId) {
        match self.hosts.get(launch).filter(|h| h.exit.is_none()) {
            None => self.refuse(effect, "its host does not answer"),
            Some(host) if host.viewed => {
                self.done(effect, Outcome::Held { why: "somebody looks at it".into() });
            }
            Some(_) => {
                self.set_frozen(launch, true);
                self.done(effect, Outcome::Frozen);
            }
        }
    }

    /// Whoever subscribes to a host hears of it, whoever did it.
    pub(super) fn set_frozen(&mut self, launch: &LaunchId, frozen: bool) {
        let Some(host) = self.hosts.get_mut(launch).filter(|h| h.frozen != frozen) else { return };
        host.frozen = frozen;
        let (session, launch) = (host.session.clone(), launch.clone());
        self.inbox.push_back(Event::HostFrozen { session, launch, frozen });
    }

    fn paste(&mut self, effect: &Effect, delivery: &DeliveryId, launch: &LaunchId, text: &str) {
        self.typed_into(launch);
        let Some(host) = self.hosts.get_mut(launch).filter(|h| h.exit.is_none()) else {
            return self.refuse(effect, "its host does not answer");
        };
        let stage = format!("{delivery} paste");
        if host.typed.contains_key(&stage) {
            let submitted = host.typed.contains_key(&format!("{delivery} submit#1"));
            let seen = submitted || host.composer == text;
            return self.done(effect, if seen { Outcome::Pasted } else { Outcome::Unseen });
        }
        if host.person || !host.composer.is_empty() {
            return self.done(effect, Outcome::Held { why: "composer_busy".into() });
        }
        host.typed.insert(stage, host.offset);
        host.offset += 1;
        if host.hides {
            return self.done(effect, Outcome::Unseen);
        }
        host.composer = text.to_owned();
        self.done(effect, Outcome::Pasted);
    }

    /// A host wakes by itself what is typed into. The machine never counts on that in a world where things happen in order.
    fn typed_into(&mut self, launch: &LaunchId) {
        let halted = self.hosts.get(launch).is_some_and(|h| h.frozen);
        assert!(!halted || self.order.is_some(), "something is typed into {launch}, which is halted");
        self.set_frozen(launch, false);
    }

    fn submit(&mut self, effect: &Effect, delivery: &DeliveryId, launch: &LaunchId, n: u32, text: &str) {
        self.typed_into(launch);
        let Some(host) = self.hosts.get_mut(launch).filter(|h| h.exit.is_none()) else {
            return self.refuse(effect, "its host does not answer");
        };
        let stage = format!("{delivery} submit#{n}");
        if let Some(offset) = host.typed.get(&stage).copied() {
            return self.done(effect, Outcome::Submitted { offset });
        }
        if host.person || host.composer != text {
            return self.done(effect, Outcome::Held { why: "the composer holds something else".into() });
        }
        let offset = host.offset;
        host.typed.insert(stage, offset);
        if host.swallows > 0 {
            host.swallows -= 1;
            return self.done(effect, Outcome::Submitted { offset });
        }
        host.composer.clear();
        let (session, launch) = (host.session.clone(), launch.clone());
        if !self.fast_agents {
            self.done(effect, Outcome::Submitted { offset });
        }
        self.turn(&session, &launch, delivery, text);
        if self.fast_agents {
            self.done(effect, Outcome::Submitted { offset });
        }
    }

    /// The agent takes a prompt: its whole turn.
    fn turn(&mut self, session: &SessionId, launch: &LaunchId, delivery: &DeliveryId, text: &str) {
        self.told.push(Told { session: session.clone(), delivery: delivery.clone(), text: text.to_owned() });
        let nth = self.told.iter().filter(|t| t.session == *session).count();
        let title = self.title(session);
        let tip = self.repo.tip().clone();
        let target = self.repo.tree(&tip);
        let mut reply = Reply::Done;
        if let Some(workspace) = self.workspaces.get_mut(session) {
            let base = self.repo.tree(&workspace.base);
            let rule = self.behaviours.iter_mut().rev().find(|(part, _)| title.contains(part.as_str()));
            if let Some((_, behaviour)) = rule {
                reply = behaviour(&mut Job { prompt: text, nth, workspace, target: (&tip, &target), base: &base });
            }
        }
        self.shows_in(launch, Shows::Working);
        match reply {
            Reply::Done => self.shows_in(launch, Shows::Idle),
            Reply::Hangs => {}
            Reply::Asks(what) => self.shows_in(launch, Shows::Asks(what)),
            Reply::Exits(code) => self.exits_in(launch, code),
            Reply::Interrupted => self.shows_in(launch, Shows::Interrupted),
            Reply::DoneThenExits(code) => {
                self.shows_in(launch, Shows::Idle);
                self.exits_in(launch, code);
            }
        }
    }

    fn inspect(&mut self, session: &SessionId) -> Inspection {
        let Some(workspace) = self.workspaces.get(session).filter(|w| !w.gone) else { return Inspection::Missing };
        if !workspace.unmerged.is_empty() {
            return Inspection::Unmerged { files: workspace.unmerged.clone() };
        }
        if workspace.tree == workspace.first || workspace.tree == self.repo.tree(self.repo.tip()) {
            return Inspection::Unchanged;
        }
        let head = self.repo.commit(workspace.tree.clone(), &workspace.base);
        Inspection::Changed { head, other_branch: None }
    }

    fn run_check(&mut self, effect: &Effect, purpose: &CheckPurpose, place: &CheckPlace, command: &str) {
        let tree = match place {
            CheckPlace::Scratch { commit } => {
                self.scratches_made += u32::from(!self.scratch);
                self.scratch = true;
                Some(self.repo.tree(commit))
            }
            CheckPlace::Workspace { path } => {
                let session = SessionId::new(path.trim_start_matches("/trees/"));
                self.workspaces.get(&session).filter(|w| !w.gone).map(|w| w.tree.clone())
            }
        };
        let Some(tree) = tree else {
            let fault = Fault::not_found("the directory is gone");
            self.inbox.push_back(Event::EffectFailed { key: effect.key(), fault });
            return;
        };
        let names: Vec<&str> = command.split(" && ").filter_map(|c| c.strip_prefix("rerun ")).collect();
        let own = matches!(purpose, CheckPurpose::Own { .. });
        let report = tree.check(own.then_some(names.as_slice()));
        let log = if report.passed { "all passed" } else { "some failed" };
        self.done(effect, Outcome::Checked { report, log: log.into(), log_file: "/log".into(), moved: false });
    }

    fn build(&mut self, effect: &Effect, heads: &[CandidateHead]) {
        let old = self.repo.tip().clone();
        let mut tip = old.clone();
        let (mut built, mut conflicts, mut later, mut contained) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for entry in heads {
            match self.repo.merge(&entry.head, &tip) {
                Merged::Clean(commit) => {
                    tip = commit;
                    built.push((entry.pr.clone(), tip.clone()));
                }
                Merged::Contained => contained.push(entry.pr.clone()),
                Merged::Conflict(_) => match self.repo.merge(&entry.head, &old) {
                    Merged::Conflict(paths) => conflicts.push((entry.pr.clone(), paths)),
                    Merged::Clean(_) | Merged::Contained => later.push(entry.pr.clone()),
                },
            }
        }
        self.done(effect, Outcome::CandidateBuilt { old, tip, built, conflicts, later, contained });
    }
}

impl Host {
    /// Its last mark, as it is told once more after a restart.
    pub(super) fn mark(&self, at: Time) -> Option<Event> {
        let activity = match self.shows {
            Shows::Nothing => return None,
            Shows::Ready => Activity::Ready,
            Shows::Working => Activity::Working { on: None },
            Shows::Idle => Activity::Idle,
            Shows::Interrupted => Activity::Interrupted,
            Shows::Asks(what) => Activity::NeedsInput { what },
        };
        let observation = Observation {
            why: format!("OSC {}", activity.name()),
            activity,
            source: Source::Osc,
            at,
            offset: Some(self.offset),
        };
        Some(Event::Observed { session: self.session.clone(), launch: self.launch.clone(), observation })
    }
}
