//! Events as nobody would send them: any kind, for things that exist and that do not, stale, repeated and out of order.
//! It draws them from the facts of the moment; whether they make sense is not its concern.

use super::{World, new_session, repo::Tree};
use ao_core::activity::{Activity, InputKind, Observation, Source};
use ao_core::effect::{Effect, Inspection, Outcome};
use ao_core::event::{Event, NewRun, Probe};
use ao_core::facts::Facts;
use ao_core::id::{CommitId, DeliveryId, EffectKey, LaunchId, PrId, ProjectId, RunId, SessionId};
use ao_core::kind::{Fault, Kind};
use ao_core::project::Settings;
use ao_core::question::{Choice, Dialog, Reply};
use ao_core::reaction::{Action, ReactionKey, Reactions, Rule};
use ao_core::session::{Conversation, Phase, Remains};
use ao_core::terminal::{CommandEnd, Notification, Said};
use ao_core::time::{Millis, Time};
use std::collections::BTreeMap;

/// A source of choices that repeats itself for the same seed.
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as `seed` says.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `n`, or 0.
    pub fn below(&mut self, n: usize) -> usize {
        // Xorshift (Marsaglia 2003).
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let n = u64::try_from(n.max(1)).unwrap_or(1);
        usize::try_from((self.0 >> 16) % n).unwrap_or(0)
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn one_of<T: Clone>(&mut self, from: &[T], otherwise: T) -> T {
        if from.is_empty() || self.below(12) == 0 { otherwise } else { self.pick(from) }
    }

    fn number(&mut self, n: usize) -> u32 {
        u32::try_from(self.below(n)).unwrap_or(0)
    }
}

/// How much time passes before the next event.
#[must_use]
pub fn pause(dice: &mut Dice) -> Millis {
    dice.pick(&[Millis(0), Millis(0), Millis(1), Millis(300), Millis::secs(6), Millis::secs(61), Millis::mins(11)])
}

/// Some event. `old` are keys of effects that were once asked for.
#[must_use]
pub fn event(facts: &Facts, old: &[EffectKey], dice: &mut Dice) -> Event {
    match dice.below(33) {
        0 if dice.below(2) == 0 => Event::PlacesMeasured { places: dice.number(3) },
        0 => Event::Ticked,
        1 => Event::DaemonStarted {
            version: "1".into(),
            boot_id: dice.pick(&["a", "a", "b", ""]).to_owned(),
            clock_base: 7,
        },
        2 => configured(dice),
        3 => Event::ProjectRemoved { project: project(dice) },
        4 | 5 => {
            let mut new = new_session(project(dice).as_str(), dice.pick(&["fix it", "a b", "…"]), None);
            new.prompt = dice.pick(&[None, Some("do this".to_owned()), Some("\u{1b}".to_owned())]);
            new.name = dice.pick(&[None, None, Some("same".to_owned()), Some("../x".to_owned())]);
            new.branch = dice.pick(&[None, None, Some("b".to_owned()), Some("-x".to_owned())]);
            Event::SessionRequested { new: Box::new(new) }
        }
        6 => Event::MessageSent {
            session: session(facts, dice),
            text: dice.pick(&["hello", "", "\u{7}", "a long one"]).repeat(1 + 1000 * dice.below(2)),
            from: "somebody".into(),
        },
        7 => Event::StopRequested { session: session(facts, dice), why: "because".into(), cleanup: dice.below(2) == 0 },
        8 => Event::RestoreRequested { session: session(facts, dice) },
        9 if dice.below(3) == 0 => {
            let stop = (dice.below(2) == 0).then(|| "because".to_owned());
            Event::ArchiveRequested { session: session(facts, dice), stop }
        }
        9 => Event::CleanupRequested { session: session(facts, dice) },
        10 if dice.below(2) == 0 => Event::AnswerRequested {
            session: session(facts, dice),
            n: u32::try_from(dice.below(4)).unwrap_or(0),
            reply: dice.pick(&[Reply::Option("Yes".into()), Reply::Text("a".into()), Reply::Keys("\r".into())]),
            by: "somebody".into(),
        },
        10 => Event::MergeRequested { session: session(facts, dice) },
        11 => {
            let known: Vec<DeliveryId> = facts.deliveries.keys().cloned().collect();
            Event::DeliveryDropped { delivery: dice.one_of(&known, DeliveryId::new("none.d1")) }
        }
        12 => Event::RunRequested { new: Box::new(run(dice)) },
        13 => {
            let known: Vec<RunId> = facts.runs.keys().cloned().collect();
            Event::RunCancelled { run: dice.one_of(&known, RunId::new("none")) }
        }
        14 => Event::QueueRetried { project: project(dice) },
        15 => Event::EffectFailed { key: key(facts, old, dice), fault: fault(dice) },
        16 => Event::OutputSeen { session: session(facts, dice), launch: launch(facts, dice), offset: 3 },
        17 => Event::HostExited {
            session: session(facts, dice),
            launch: launch(facts, dice),
            code: dice.pick(&[None, Some(0), Some(1)]),
            signal: dice.pick(&[None, Some(9)]),
            why: dice.pick(&[None, Some("not found".to_owned())]),
        },
        18 => Event::HostProbed {
            session: session(facts, dice),
            launch: launch(facts, dice),
            probe: dice.pick(&[
                Probe::Alive,
                Probe::Gone { left: Remains::None },
                Probe::Gone { left: Remains::Unknown },
                Probe::Gone { left: Remains::Left { pids: vec![7] } },
                Probe::Unknown { why: "no answer".into() },
            ]),
        },
        19..=21 => observed(facts, dice),
        22 => Event::KeysPressed {
            session: session(facts, dice),
            from: "test".to_owned(),
            keys: "Esc".to_owned(),
            interrupt: dice.below(2) == 0,
        },
        23 => Event::FreezeRequested { session: session(facts, dice) },
        24 => Event::ThawRequested { session: session(facts, dice) },
        25 => {
            Event::HostFrozen { session: session(facts, dice), launch: launch(facts, dice), frozen: dice.below(2) == 0 }
        }
        26 if dice.below(2) == 0 => {
            Event::DialogShown { session: session(facts, dice), launch: launch(facts, dice), dialog: dialog(dice) }
        }
        26 => Event::TerminalSaid { session: session(facts, dice), launch: launch(facts, dice), said: said(dice) },
        _ => {
            let key = key(facts, old, dice);
            let outcome = match facts.pending.get(&key) {
                Some(pending) if dice.below(15) > 0 => fitting(facts, &pending.effect, dice),
                Some(_) | None => Outcome::Notified,
            };
            Event::EffectDone { key, outcome }
        }
    }
}

fn said(dice: &mut Dice) -> Said {
    let (offset, at) = (dice.pick(&[0, 1, 5, 9, u64::MAX]), Time(5));
    let count = dice.pick(&[0, 1, 12, u64::MAX]);
    match dice.below(4) {
        0 => Said::Title { text: "t".into(), offset },
        1 => Said::Bells { total: count, at },
        2 => Said::Notified { last: Notification { text: "look".into(), offset, at }, count },
        _ => {
            let code = dice.pick(&[None, Some(0), Some(-1)]);
            Said::Commands { last: CommandEnd { code, offset, at }, count, failed: 0 }
        }
    }
}

fn project(dice: &mut Dice) -> ProjectId {
    ProjectId::new(dice.pick(&["app", "app", "app", "web", "none"]))
}

fn session(facts: &Facts, dice: &mut Dice) -> SessionId {
    dice.one_of(&facts.sessions.keys().cloned().collect::<Vec<_>>(), SessionId::new("none-1"))
}

fn launch(facts: &Facts, dice: &mut Dice) -> LaunchId {
    dice.one_of(
        &facts.sessions.values().filter_map(|s| s.launch.clone()).collect::<Vec<_>>(),
        LaunchId::new("none-1.1"),
    )
}

fn pull_request(facts: &Facts, dice: &mut Dice) -> PrId {
    dice.one_of(&facts.pull_requests.keys().cloned().collect::<Vec<_>>(), PrId::new("none#1"))
}

fn key(facts: &Facts, old: &[EffectKey], dice: &mut Dice) -> EffectKey {
    if dice.below(5) == 0 {
        return dice.one_of(old, EffectKey::new("none:1"));
    }
    dice.one_of(&facts.pending.keys().cloned().collect::<Vec<_>>(), EffectKey::new("none:2"))
}

fn commit(dice: &mut Dice) -> CommitId {
    CommitId::new(dice.pick(&["c0", "c1", "c2", "c3"]))
}

fn fault(dice: &mut Dice) -> Fault {
    let kind = dice.pick(&[
        Kind::Unavailable,
        Kind::NotFound,
        Kind::Bug,
        Kind::RateLimited { retry_after: Some(Millis(u64::MAX)) },
        Kind::RateLimited { retry_after: None },
    ]);
    Fault::new(kind, "it broke")
}

/// Rules that tell a person of everything that agents say.
fn every_word_told() -> Reactions {
    let mut reactions = Reactions::default();
    for key in [ReactionKey::AgentNotification, ReactionKey::AgentBell] {
        reactions.set(key, Rule { action: Action::Notify, ..reactions.rule(key) });
    }
    reactions
}

fn configured(dice: &mut Dice) -> Event {
    let id = dice.pick(&["app", "app", "web", "../x"]);
    let settings = Settings {
        check: dice.pick(&[None, Some("make test".to_owned())]),
        parallel: dice.number(3),
        batch_limit: dice.number(4),
        auto_cleanup_on_merge: dice.below(2) == 0,
        freeze_idle_after: dice.pick(&[None, Some(Millis::secs(30))]),
        reactions: dice.pick(&[Reactions::default(), every_word_told()]),
        ..Settings::default()
    };
    let prefix = dice.pick(&[id, id, "app"]).to_owned();
    Event::ProjectConfigured {
        project: ProjectId::new(id),
        path: "/p".into(),
        data: "/d".into(),
        prefix,
        settings: Box::new(settings),
    }
}

fn dialog(dice: &mut Dice) -> Option<Box<Dialog>> {
    let choice = |label: &str| Choice { label: label.into(), key: None, selected: false };
    let dialog = Dialog {
        kind: dice.pick(&[InputKind::Permission, InputKind::Login]),
        text: dice.pick(&["May I?", "May I delete it?"]).into(),
        options: dice.pick(&[vec![choice("Yes"), choice("No")], Vec::new()]),
        takes_text: dice.below(2) == 0,
        safe: dice.pick(&[None, Some("Yes".to_owned())]),
        url: None,
        code: None,
    };
    (dice.below(3) > 0).then(|| Box::new(dialog))
}

fn run(dice: &mut Dice) -> NewRun {
    NewRun {
        project: project(dice),
        check: dice.pick(&[None, Some("make test".to_owned()), Some("cargo test".to_owned())]),
        target: dice.pick(&["main", "main", "other"]).to_owned(),
        base: commit(dice),
        agent: None,
        chosen: None,
        model: None,
        agent_args: Vec::new(),
        env: BTreeMap::new(),
        parallel: dice.pick(&[None, Some(0), Some(1)]),
        max_attempts: dice.pick(&[None, Some(0), Some(2)]),
        dry_run: dice.below(6) == 0,
        keep: dice.below(3) == 0,
    }
}

fn observed(facts: &Facts, dice: &mut Dice) -> Event {
    let session = session(facts, dice);
    let current = facts.sessions.get(&session).and_then(|s| s.launch.clone());
    let launch = match current {
        Some(current) if dice.below(8) > 0 => current,
        Some(_) | None => launch(facts, dice),
    };
    let working = Activity::Working { on: None };
    let activity = dice.pick(&[
        working.clone(),
        working,
        Activity::Idle,
        Activity::Idle,
        Activity::Ready,
        Activity::Starting,
        Activity::NeedsInput { what: InputKind::Permission },
        Activity::NeedsInput { what: InputKind::Login },
        Activity::Retrying,
        Activity::RateLimited { until: None },
        Activity::Error { kind: "api".into() },
        Activity::Interrupted,
        Activity::Exited { code: None },
        Activity::Unknown,
    ]);
    let source = dice.pick(&[
        Source::Osc,
        Source::Osc,
        Source::Hook,
        Source::Screen,
        Source::Title,
        Source::Structured,
        Source::Process,
    ]);
    let offset = dice.pick(&[None, Some(0), Some(50), Some(u64::MAX)]);
    let at = Time(dice.pick(&[0, 1_000_000, 1_400_000, u64::MAX]));
    let why = dice.pick(&["a", "b"]).to_owned();
    Event::Observed { session, launch, observation: Observation { activity, source, at, offset, why } }
}

/// An outcome of the right kind for an effect, with content that may be nonsense.
fn fitting(facts: &Facts, effect: &Effect, dice: &mut Dice) -> Outcome {
    match effect {
        Effect::EnsureWorkspace { session, .. } => Outcome::WorkspaceReady {
            path: format!("/trees/{session}"),
            base: commit(dice),
            branch: format!("b/{session}"),
            put_back: None,
        },
        Effect::EnsureHost { .. } => {
            Outcome::HostStarted { conversation: dice.pick(&[Conversation::First, Conversation::Anew]) }
        }
        Effect::PastePrompt { .. } => dice.pick(&[Outcome::Pasted, Outcome::Pasted, held()]),
        Effect::SubmitPrompt { .. } => {
            let submitted = Outcome::Submitted { offset: 40 };
            dice.pick(&[submitted.clone(), submitted, held()])
        }
        Effect::AnswerQuestion { .. } => Outcome::Answered,
        Effect::EnsureStopped { .. } => Outcome::Stopped { code: Some(0) },
        Effect::EnsureFrozen { .. } => dice.pick(&[Outcome::Frozen, Outcome::Held { why: "somebody looks".into() }]),
        Effect::EnsureThawed { .. } => Outcome::Thawed,
        Effect::RemoveWorkspace { .. } => {
            Outcome::WorkspaceRemoved { rescue: Some("refs/ao/rescue/x".into()), ignored: None }
        }
        Effect::ArchiveSession { .. } => Outcome::Archived { before: 10, after: 1 },
        Effect::InspectWorkspace { .. } => Outcome::Inspected {
            found: match dice.below(8) {
                0 => Inspection::Missing,
                1 => Inspection::Unchanged,
                2 => Inspection::Unmerged { files: vec!["a".into()] },
                _ => Inspection::Changed { head: commit(dice), other_branch: None },
            },
        },
        Effect::RunCheck { .. } => {
            let mut tree = Tree::default();
            for name in ["one", "two", "three"] {
                if dice.below(3) == 0 {
                    tree.put(name, &format!("{}:{name}", dice.pick(&["broken", "broken", "nocompile"])));
                }
            }
            Outcome::Checked {
                report: tree.check(None),
                log: "log".into(),
                log_file: "/l".into(),
                moved: dice.below(5) == 0,
            }
        }
        Effect::EnsurePullRequest { .. } => Outcome::PullRequestOpen,
        Effect::BuildCandidate { heads, .. } => {
            let mut of = |n: usize| -> Vec<PrId> {
                let mut some: Vec<PrId> = heads.iter().filter(|_| dice.below(n) == 0).map(|h| h.pr.clone()).collect();
                if dice.below(10) == 0 {
                    some.push(pull_request(facts, dice));
                }
                some
            };
            let (built, conflicts, later, contained) = (of(2), of(4), of(4), of(6));
            Outcome::CandidateBuilt {
                old: commit(dice),
                tip: commit(dice),
                built: built.into_iter().map(|pr| (pr, commit(dice))).collect(),
                conflicts: conflicts.into_iter().map(|pr| (pr, vec!["f".to_owned()])).collect(),
                later,
                contained,
            }
        }
        Effect::Land { .. } => dice.pick(&[
            Outcome::Landed,
            Outcome::Landed,
            Outcome::SwapLost { actual: CommitId::new("c9") },
            Outcome::LandBlocked { why: "dirty".into() },
        ]),
        Effect::ReadTarget { .. } => Outcome::Target { commit: commit(dice) },
        Effect::RemoveScratch { .. } => Outcome::ScratchRemoved,
        Effect::Notify { .. } => Outcome::Notified,
    }
}

fn held() -> Outcome {
    Outcome::Held { why: "composer_busy".into() }
}

/// One more thing goes wrong in a world that is otherwise in order: a process dies, an effect fails, a person types,
/// somebody else pushes, the daemon or the machine restarts.
pub fn mishap(world: &mut World, dice: &mut Dice) {
    let live: Vec<SessionId> = world
        .facts
        .sessions
        .values()
        .filter(|s| matches!(s.phase, Phase::Live) && s.launch.as_ref().is_some_and(|l| world.has_host(l)))
        .map(|s| s.id.clone())
        .collect();
    if live.is_empty() {
        return;
    }
    let victim = dice.pick(&live);
    match dice.below(12) {
        0 => world.host_dies(&victim),
        1 => world.exits(&victim, dice.pick(&[0, 1])),
        2 => world.host(&victim).person ^= true,
        3 => world.host(&victim).swallows += dice.number(3),
        4 => world.host(&victim).composer.clear(),
        5 => world.repo.dirty ^= true,
        6 => {
            let n = dice.below(3);
            world.repo.push(|tree| tree.put(&format!("pushed{n}"), "ok:pushed"));
        }
        7 => world.restart_daemon(),
        8 => world.reboot(),
        9 => {
            let what =
                dice.pick(&["host:", "paste:", "submit:", "inspect:", "check:", "build:", "land:", "pr:", "stop:"]);
            world.fail_with(what, Fault::unavailable("a passing trouble"));
        }
        10 => {
            let what = dice.pick(&["land:", "notify:", "inspect:", "build:", "stop:"]);
            world.ignore(what);
            for _ in 0..dice.below(30) {
                world.step();
            }
            // What nobody answered is asked again by the next daemon.
            world.scripted.clear();
            world.restart_daemon();
        }
        _ => world.pass(dice.pick(&[Millis::secs(1), Millis::secs(10), Millis::mins(1)])),
    }
}
