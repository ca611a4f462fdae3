//! The precedence of statuses, row by row: whenever two rows hold, the upper one decides.

use ao_core::activity::{Activity, InputKind, Known, Source};
use ao_core::facts::Facts;
use ao_core::failure::{Counts, Failure, Kind, Reader, Report};
use ao_core::gate::{self, Verdict};
use ao_core::id::{CommitId, LaunchId, PrId, ProjectId, SessionId};
use ao_core::kind::Fault;
use ao_core::merge_queue::{Baseline, Blocked, MergeQueue};
use ao_core::pull_request::{Checks, Mergeability, PrState, PullRequest};
use ao_core::question::Asking;
use ao_core::reaction::ReactionKey;
use ao_core::session::{
    Attention, Conversation, Ending, Lost, Phase, Process, Remains, Role, Session, Turn, WorkReview,
};
use ao_core::status::{PRECEDENCE, Status, status};
use ao_core::time::{Millis, Time};
use std::collections::{BTreeMap, BTreeSet};

const NOW: Time = Time(10_000_000);

fn session() -> Session {
    Session {
        id: SessionId::new("app-1"),
        name: "app-work".into(),
        project: ProjectId::new("app"),
        title: "work".into(),
        issue: None,
        role: Role::Worker,
        run: None,
        agent: "scripted".into(),
        runtime: "process".into(),
        workspace: "worktree".into(),
        model: None,
        agent_args: Vec::new(),
        env: BTreeMap::new(),
        branch: "feat/work".into(),
        base: None,
        created: NOW,
        changed: NOW,
        phase: Phase::Live,
        workspace_path: None,
        process: Process::Alive,
        launch: None,
        launches: 1,
        deliveries: 0,
        lost: None,
        known: known(Activity::Idle),
        evidence: BTreeMap::new(),
        seen_offset: 0,
        last_output: NOW,
        turn: None,
        turns: 0,
        outbox: Vec::new(),
        pr: Some(PrId::new("app#1")),
        review: WorkReview::None,
        reviews: 0,
        merge_wanted: false,
        tries: BTreeMap::new(),
        attention: None,
        rescue: None,
        belongings: ao_core::workspace::Belongings::default(),
        reading: ao_core::transcript::Reading::default(),
        freeze: Default::default(),
        terminal: Default::default(),
        conversation: Conversation::First,
        chosen: None,
        pressed: None,
        stalls: 0,
        asking: Asking::default(),
        supervision: None,
        answers: Vec::new(),
    }
}

fn known(activity: Activity) -> Known {
    Known { activity, since: NOW, source: Source::Screen, confidence: 80, why: "seen".into() }
}

fn pull_request(state: PrState) -> PullRequest {
    PullRequest {
        id: PrId::new("app#1"),
        number: 1,
        project: ProjectId::new("app"),
        session: SessionId::new("app-1"),
        title: "work".into(),
        branch: "feat/work".into(),
        head: CommitId::new("c1"),
        target: "main".into(),
        state,
        checks: Checks::Passed,
        merge: Mergeability::Clean,
        mends: Vec::new(),
        check: None,
        opened: NOW,
        updated: NOW,
    }
}

/// What each row needs, on top of a live, idle session without a pull request.
fn hold(rule: &str, session: &mut Session, facts: &mut Facts) {
    let mut put = |pr: PullRequest| facts.pull_requests.insert(pr.id.clone(), pr);
    match rule {
        "ended" => session.phase = Phase::Ended { how: Ending::Done, at: NOW },
        "stopping" => session.phase = Phase::Stopping { why: "ao stop".into(), cleanup: false },
        "spawning" => session.phase = Phase::Launching,
        "lost" => {
            session.lost = Some(Lost { since: NOW, left: Remains::None });
            session.process = Process::ProbeFailed { why: "no answer".into() };
        }
        "process-gone" => session.process = Process::Missing,
        "asks" => session.known = known(Activity::NeedsInput { what: InputKind::Permission }),
        "limited" => session.known = known(Activity::RateLimited { until: None }),
        "attention" => {
            session.attention = Some(Attention { key: ReactionKey::CiFailed, why: "tried it all".into(), since: NOW });
        }
        "turn" => {
            session.turn = Some(Turn {
                n: 1,
                launch: LaunchId::new("app-1.1"),
                began: NOW,
                offset: None,
                delivery: None,
                native: None,
                end: None,
            });
        }
        "review" => session.review = WorkReview::Inspecting { n: 1 },
        "merged" => {
            put(pull_request(PrState::Merged { commit: CommitId::new("c2"), at: NOW }));
        }
        "queue" => {
            put(pull_request(PrState::Open));
            let queue = MergeQueue {
                project: ProjectId::new("app"),
                target: "main".into(),
                waiting: vec![PrId::new("app#1")],
                batch: None,
                limit: 8,
                baseline: Baseline::default(),
                blocked: None,
            };
            facts.queues.insert(ProjectId::new("app"), queue);
        }
        "pr" => {
            put(pull_request(PrState::Open));
        }
        "activity" => session.known = known(Activity::Idle),
        "unknown" => session.known = known(Activity::Unknown),
        other => panic!("a row without an example: {other}"),
    }
}

#[test]
fn of_two_rows_that_hold_the_upper_one_decides() {
    // Both speak of the same one fact, so they never hold together.
    let exclusive: [BTreeSet<&str>; 4] = [
        BTreeSet::from(["lost", "process-gone"]),
        BTreeSet::from(["ended", "stopping", "spawning"]),
        BTreeSet::from(["asks", "limited", "activity", "unknown"]),
        BTreeSet::from(["merged", "queue", "pr"]),
    ];
    for (i, (upper, _)) in PRECEDENCE.iter().enumerate() {
        for (lower, _) in PRECEDENCE.iter().skip(i) {
            if upper != lower && exclusive.iter().any(|set| set.contains(upper) && set.contains(lower)) {
                continue;
            }
            let (mut session, mut facts) = (session(), Facts::default());
            hold(lower, &mut session, &mut facts);
            hold(upper, &mut session, &mut facts);
            let verdict = status(&facts, &session, NOW);
            assert_eq!(verdict.rule, *upper, "{upper} over {lower}: {verdict:?}");
            assert!(!verdict.why.is_empty());
        }
    }
}

fn row(change: impl FnOnce(&mut Session, &mut Facts)) -> Status {
    let (mut session, mut facts) = (session(), Facts::default());
    change(&mut session, &mut facts);
    status(&facts, &session, NOW).status
}

fn activity(activity: Activity) -> Status {
    row(|s, _| s.known = known(activity))
}

#[test]
fn an_end_says_how() {
    let fault = || Fault::unavailable("it broke");
    let ended = |how: Ending| row(|s, _| s.phase = Phase::Ended { how, at: NOW });
    assert_eq!(ended(Ending::Merged), Status::Merged);
    assert_eq!(ended(Ending::Done), Status::Done);
    assert_eq!(ended(Ending::Killed { why: "ao stop".into() }), Status::Killed);
    assert_eq!(ended(Ending::SpawnFailed { fault: fault() }), Status::SpawnFailed);
    assert_eq!(ended(Ending::Errored { fault: fault() }), Status::Errored);
    let lost = row(|s, _| {
        s.process = Process::Missing;
        s.phase = Phase::Ended { how: Ending::Errored { fault: fault() }, at: NOW };
    });
    assert_eq!(lost, Status::Terminated);
}

#[test]
fn activities_have_their_status() {
    for (seen, wanted) in [
        (Activity::Idle, Status::Idle),
        (Activity::Ready, Status::Idle),
        (Activity::Interrupted, Status::Idle),
        (Activity::Starting, Status::Spawning),
        (Activity::Working { on: None }, Status::Working),
        (Activity::Retrying, Status::Working),
        (Activity::RateLimited { until: None }, Status::RateLimited),
        (Activity::Error { kind: "api".into() }, Status::Errored),
        (Activity::NeedsInput { what: InputKind::Login }, Status::AuthRequired),
        (Activity::NeedsInput { what: InputKind::Question }, Status::NeedsInput),
        (Activity::Unknown, Status::Detecting),
        (Activity::Exited { code: None }, Status::Detecting),
    ] {
        assert_eq!(activity(seen.clone()), wanted, "{seen:?}");
    }
}

#[test]
fn what_nobody_ever_recognised_is_stuck_after_a_while_and_never_idle() {
    let since = |age: Millis| row(|s, _| s.known = Known { confidence: 0, ..Known::nothing(Time(NOW.0 - age.0)) });
    assert_eq!(since(Millis::mins(5)), Status::Detecting);
    assert_eq!(since(Millis(Millis::mins(5).0 + 1)), Status::Stuck);
}

#[test]
fn an_open_pull_request_says_where_it_stands() {
    let open = |change: fn(&mut PullRequest)| {
        row(|_, facts| {
            let mut pr = pull_request(PrState::Open);
            change(&mut pr);
            facts.pull_requests.insert(pr.id.clone(), pr);
        })
    };
    let files = || vec!["a".to_owned()];
    assert_eq!(open(|_| {}), Status::PrOpen);
    assert_eq!(open(|pr| pr.checks = Checks::Pending), Status::CiPending);
    assert_eq!(open(|pr| pr.checks = Checks::Failed { failures: Vec::new() }), Status::CiFailed);
    let conflicted = row(|_, facts| {
        let mut pr = pull_request(PrState::Open);
        pr.merge = Mergeability::Conflicted { files: files(), onto: CommitId::new("c2") };
        pr.checks = Checks::Failed { failures: Vec::new() };
        facts.pull_requests.insert(pr.id.clone(), pr);
    });
    assert_eq!(conflicted, Status::MergeConflict);
}

#[test]
fn a_blocked_queue_says_why() {
    let (mut session, mut facts) = (session(), Facts::default());
    hold("queue", &mut session, &mut facts);
    let queue = facts.queues.get_mut(&ProjectId::new("app")).expect("it was just made");
    queue.blocked = Some(Blocked { why: "checkout dirty".into(), since: NOW, again: NOW });
    let verdict = status(&facts, &session, NOW);
    assert_eq!(verdict.status, Status::InMergeQueue);
    assert!(verdict.why.contains("checkout dirty"));
}

#[test]
fn names_are_unique_and_what_json_says() {
    let names: BTreeSet<&str> = Status::ALL.iter().map(|s| s.name()).collect();
    assert_eq!(names.len(), Status::ALL.len());
    for one in Status::ALL {
        assert_eq!(serde_json::to_string(&one).expect("a status can be written"), format!("\"{}\"", one.name()));
        assert!(!one.meaning().is_empty());
        assert!(["idle", "working", "waiting", "error"].contains(&one.coarse()));
    }
}

fn report(failures: &[(&str, Kind)]) -> Report {
    let failures: Vec<Failure> = failures
        .iter()
        .map(|(id, kind)| Failure {
            id: (*id).to_owned(),
            reader: Reader::Cargo,
            name: (*id).to_owned(),
            kind: *kind,
            file: None,
            line: None,
            column: None,
            message: String::new(),
            rerun: None,
            suite: None,
            cause: None,
        })
        .collect();
    let partial = failures.iter().any(|f| f.kind == Kind::Compile);
    Report {
        passed: failures.is_empty(),
        failures,
        partial,
        reader: Reader::Cargo,
        counts: Counts::default(),
        note: None,
    }
}

#[test]
fn the_gate_asks_that_the_mended_is_gone_and_nothing_was_added() {
    use Kind::{Compile, Exit, Test};
    type Row<'a> =
        (&'a [(&'a str, Kind)], &'a [(&'a str, Kind)], &'a [&'a str], Option<(&'a [&'a str], &'a [&'a str])>);
    // what the target fails · what the candidate fails · what it is to mend · (unmended, new), or none when it may land
    let rows: &[Row<'_>] = &[
        (&[], &[], &[], None),
        (&[("a", Test)], &[], &["a"], None),
        (&[("a", Test), ("b", Test)], &[("b", Test)], &["a"], None),
        (&[("a", Test), ("b", Test)], &[("a", Test), ("b", Test)], &["a"], Some((&["a"], &[]))),
        (&[("a", Test)], &[("x", Test)], &["a"], Some((&[], &["x"]))),
        (&[("a", Test)], &[("a", Test), ("x", Test)], &["a"], Some((&["a"], &["x"]))),
        // A person's session mends nothing in particular.
        (&[("a", Test)], &[("a", Test)], &[], None),
        (&[("a", Test)], &[("a", Test), ("x", Test)], &[], Some((&[], &["x"]))),
        // What a compile error hid is not new once it is gone, other compile errors are.
        (&[("c", Compile)], &[("a", Test), ("b", Test)], &["c"], None),
        (&[("c", Compile)], &[("d", Compile)], &["c"], Some((&[], &["d"]))),
        (&[("c", Compile)], &[("c", Compile), ("a", Test)], &["c"], Some((&["c"], &["a"]))),
        (&[("c", Compile)], &[("a", Test)], &[], Some((&[], &["a"]))),
        (&[("e", Exit)], &[("a", Test)], &["e"], None),
    ];
    let names = |failures: Vec<Failure>| failures.into_iter().map(|f| f.id).collect::<Vec<_>>();
    for (target, candidate, mends, wanted) in rows {
        let baseline = gate::baseline(&CommitId::new("c0"), &report(target));
        let mends: BTreeSet<String> = mends.iter().map(|m| (*m).to_owned()).collect();
        let said = match gate::judge(&report(candidate), &baseline, &mends) {
            Verdict::Pass => None,
            Verdict::Fail { unmended, new } => Some((names(unmended), names(new))),
        };
        let wanted = wanted.map(|(unmended, new)| {
            let own = |ids: &[&str]| ids.iter().map(|i| (*i).to_owned()).collect::<Vec<_>>();
            (own(unmended), own(new))
        });
        assert_eq!(said, wanted, "target {target:?}, candidate {candidate:?}, mends {mends:?}");
    }
}

#[test]
fn a_check_that_failed_without_naming_anything_never_passes_the_gate() {
    let mute = Report { passed: false, ..report(&[]) };
    let verdict = gate::judge(&mute, &gate::baseline(&CommitId::new("c0"), &mute), &BTreeSet::new());
    assert!(matches!(verdict, Verdict::Fail { .. }));
}
