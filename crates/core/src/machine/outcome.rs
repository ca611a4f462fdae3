//! Ends of effects: what an outcome changes, and what a failure means.

use super::draft::Draft;
use super::{answering, archive, ending, freeze, prompting, queue, react, review, run, session};
use crate::effect::{CheckPurpose, Effect, Outcome};
use crate::event::Answer;
use crate::failure::Report;
use crate::id::{EffectKey, ProjectId};
use crate::kind::{Fault, Kind};
use crate::reaction::ReactionKey;
use crate::session::{Ending, Phase};
use crate::time::Millis;

/// A failed effect is tried this often before it is given up.
const MAX_FAILURES: u32 = 5;

/// The first pause after a failure; it doubles each time.
const FIRST_PAUSE: Millis = Millis(500);

/// An effect ended well. One that is not pending any more is old news.
pub(super) fn done(d: &mut Draft<'_>, key: &EffectKey, outcome: &Outcome) -> Answer {
    let Some(pending) = d.pending_effect(key) else { return Answer::Noted };
    if !fits(&pending.effect, outcome) {
        // A defect of the performer; what it did is not known.
        let fault = Fault::new(Kind::Bug, format!("effect {key} ended with an outcome of another kind"));
        return failed(d, key, &fault);
    }
    d.settle(key);
    match &pending.effect {
        Effect::EnsureWorkspace { session, .. } => session::workspace_ready(d, session, outcome),
        Effect::EnsureHost { session, launch, .. } => {
            if let Outcome::HostStarted { conversation } = outcome {
                session::host_started(d, session, launch, *conversation);
            }
        }
        Effect::PastePrompt { delivery, session, launch, .. } => {
            if let Outcome::Held { why } = outcome {
                prompting::held(d, delivery, why);
            } else if matches!(outcome, Outcome::Unseen) {
                prompting::unseen(d, session, delivery, launch);
            } else {
                prompting::pasted(d, session, delivery, launch);
            }
        }
        Effect::SubmitPrompt { delivery, session, launch, n, .. } => {
            if let Outcome::Held { why } = outcome {
                prompting::held(d, delivery, why);
            } else if let Outcome::Submitted { offset } = outcome {
                prompting::submitted(d, session, delivery, launch, *n, *offset);
            }
        }
        Effect::AnswerQuestion { session, n, attempt, .. } => answering::pressed(d, session, *n, *attempt, outcome),
        Effect::EnsureStopped { session, launch } => {
            if let Outcome::Stopped { code } = outcome {
                ending::stopped(d, session, launch, *code);
            }
        }
        Effect::EnsureFrozen { session, .. } => freeze::frozen(d, session, outcome),
        Effect::EnsureThawed { session, .. } => freeze::thawed(d, session),
        Effect::RemoveWorkspace { session } => {
            if let Outcome::WorkspaceRemoved { rescue, ignored } = outcome {
                ending::workspace_removed(d, session, rescue.as_ref(), ignored.as_ref());
            }
        }
        Effect::ArchiveSession { session } => archive::done(d, session),
        Effect::InspectWorkspace { session, n } => {
            if let Outcome::Inspected { found } = outcome {
                review::inspected(d, session, *n, found);
            }
        }
        Effect::RunCheck { purpose, project, .. } => {
            if let Outcome::Checked { report, log, moved, .. } = outcome {
                checked(d, purpose, project, report, log, *moved);
            }
        }
        Effect::EnsurePullRequest { pr, head, .. } => {
            if d.pull_requests.get(pr).is_some_and(|p| p.head == *head) {
                queue::enter(d, pr);
            }
        }
        Effect::BuildCandidate { batch, project, .. } => queue::built(d, project, batch, outcome),
        Effect::Land { batch, project, .. } => queue::landing(d, project, batch, outcome),
        Effect::ReadTarget { run, round, .. } => {
            if let Outcome::Target { commit } = outcome {
                run::target_read(d, run, *round, commit);
            }
        }
        Effect::RemoveScratch { .. } | Effect::Notify { .. } => {}
    }
    Answer::Noted
}

fn checked(d: &mut Draft<'_>, purpose: &CheckPurpose, project: &ProjectId, report: &Report, log: &str, moved: bool) {
    match purpose {
        CheckPurpose::Read { run, round } => run::read_done(d, run, *round, report),
        CheckPurpose::Own { session, n } | CheckPurpose::All { session, n } => {
            review::checked(d, session, *n, report, log, moved);
        }
        CheckPurpose::Candidate { batch } => queue::gated(d, project, batch, report, log),
        CheckPurpose::Target { batch } => queue::compared(d, project, batch, report),
    }
}

/// Whether an effect can end this way.
fn fits(effect: &Effect, outcome: &Outcome) -> bool {
    match effect {
        Effect::EnsureWorkspace { .. } => matches!(outcome, Outcome::WorkspaceReady { .. }),
        Effect::EnsureHost { .. } => matches!(outcome, Outcome::HostStarted { .. }),
        Effect::PastePrompt { .. } => matches!(outcome, Outcome::Pasted | Outcome::Unseen | Outcome::Held { .. }),
        Effect::SubmitPrompt { .. } => matches!(outcome, Outcome::Submitted { .. } | Outcome::Held { .. }),
        Effect::AnswerQuestion { .. } => matches!(outcome, Outcome::Answered | Outcome::Held { .. }),
        Effect::EnsureStopped { .. } => matches!(outcome, Outcome::Stopped { .. }),
        Effect::EnsureFrozen { .. } => matches!(outcome, Outcome::Frozen | Outcome::Held { .. }),
        Effect::EnsureThawed { .. } => matches!(outcome, Outcome::Thawed),
        Effect::RemoveWorkspace { .. } => matches!(outcome, Outcome::WorkspaceRemoved { .. }),
        Effect::ArchiveSession { .. } => matches!(outcome, Outcome::Archived { .. }),
        Effect::InspectWorkspace { .. } => matches!(outcome, Outcome::Inspected { .. }),
        Effect::RunCheck { .. } => matches!(outcome, Outcome::Checked { .. }),
        Effect::EnsurePullRequest { .. } => matches!(outcome, Outcome::PullRequestOpen),
        Effect::BuildCandidate { .. } => matches!(outcome, Outcome::CandidateBuilt { .. }),
        Effect::Land { .. } => {
            matches!(outcome, Outcome::Landed | Outcome::SwapLost { .. } | Outcome::LandBlocked { .. })
        }
        Effect::ReadTarget { .. } => matches!(outcome, Outcome::Target { .. }),
        Effect::RemoveScratch { .. } => matches!(outcome, Outcome::ScratchRemoved),
        Effect::Notify { .. } => matches!(outcome, Outcome::Notified),
    }
}

/// An effect failed: it is tried again after a pause, or given up with its consequence.
pub(super) fn failed(d: &mut Draft<'_>, key: &EffectKey, fault: &Fault) -> Answer {
    let now = d.now;
    let Some(mut pending) = d.pending_effect(key) else { return Answer::Noted };
    pending.failures += 1;
    let pause = match fault.kind {
        Kind::RateLimited { retry_after: Some(pause) } => pause,
        Kind::RateLimited { retry_after: None }
        | Kind::NotFound
        | Kind::Conflict
        | Kind::Unavailable
        | Kind::Denied
        | Kind::Unsupported
        | Kind::Invalid
        | Kind::StorageFailed
        | Kind::Bug => Millis(FIRST_PAUSE.0 << pending.failures.min(6)),
    };
    // A stop is never given up: something of the user's may still be running. Nor is a wake-up: prompts wait for it.
    let stubborn = matches!(pending.effect, Effect::EnsureStopped { .. } | Effect::EnsureThawed { .. });
    if stubborn || (wanted(d, &pending.effect) && fault.kind.may_pass() && pending.failures < MAX_FAILURES) {
        pending.fault = Some(fault.clone());
        pending.uncertain = false;
        pending.again = Some(now.after(pause));
        d.pending.put(key.clone(), pending);
        return Answer::Noted;
    }
    d.settle(key);
    give_up(d, &pending.effect, fault);
    Answer::Noted
}

/// Whether an effect that failed is worth another try: a session that is being stopped needs neither workspace nor host, and
/// one that could not be halted is left to its next rest.
fn wanted(d: &Draft<'_>, effect: &Effect) -> bool {
    if let Effect::EnsureFrozen { .. } = effect {
        return false;
    }
    let (Effect::EnsureWorkspace { session, .. } | Effect::EnsureHost { session, .. }) = effect else { return true };
    d.sessions.get(session).is_some_and(|s| matches!(s.phase, Phase::Preparing | Phase::Launching))
}

fn give_up(d: &mut Draft<'_>, effect: &Effect, fault: &Fault) {
    match effect {
        Effect::EnsureWorkspace { session: id, .. } | Effect::EnsureHost { session: id, .. } => {
            let Some(session) = d.sessions.get(id) else { return };
            match session.phase {
                Phase::Preparing | Phase::Launching => {
                    ending::end(d, id, Ending::SpawnFailed { fault: fault.clone() });
                }
                Phase::Stopping { .. } => {
                    if matches!(effect, Effect::EnsureWorkspace { .. }) {
                        ending::over(d, id);
                    } else {
                        // What was half started is ended as well.
                        ending::end_processes(d, id);
                    }
                }
                Phase::Queued { .. } | Phase::Live | Phase::Ended { .. } => {}
            }
        }
        Effect::PastePrompt { delivery, .. } | Effect::SubmitPrompt { delivery, .. } => {
            prompting::held(d, delivery, &fault.message);
        }
        Effect::AnswerQuestion { session, n, attempt, .. } => {
            answering::pressed(d, session, *n, *attempt, &Outcome::Held { why: fault.message.clone() });
        }
        Effect::EnsureStopped { .. } | Effect::EnsureThawed { .. } => {}
        Effect::EnsureFrozen { session: id, .. } => freeze::not_frozen(d, id, fault),
        Effect::RemoveWorkspace { session: id } => {
            let Some(s) = d.sessions.get(id) else { return };
            let (project, name) = (s.project.clone(), s.name.clone());
            archive::refused(d, id, &fault.message);
            d.notify(
                format!("remove:{id}:{}", d.now.0),
                &project,
                Some(id),
                crate::effect::Priority::Action,
                format!("{name}: its workspace was not removed"),
                fault.message.clone(),
            );
        }
        // Large files are no reason to keep it in every list.
        Effect::ArchiveSession { session: id } => archive::done(d, id),
        Effect::InspectWorkspace { session: id, .. } => react::give_up(d, id, ReactionKey::AgentExited, &fault.message),
        Effect::RunCheck { purpose, project, .. } => match purpose {
            CheckPurpose::Read { run, .. } => run::failed(d, run, fault),
            CheckPurpose::Own { session: id, .. } | CheckPurpose::All { session: id, .. } => {
                react::give_up(d, id, ReactionKey::CiFailed, &format!("its check could not be run: {}", fault.message));
            }
            CheckPurpose::Candidate { batch } | CheckPurpose::Target { batch } => {
                queue::failed(d, project, batch, fault);
            }
        },
        Effect::EnsurePullRequest { pr, .. } => {
            if let Some(id) = d.pull_requests.get(pr).map(|p| p.session.clone()) {
                react::give_up(
                    d,
                    &id,
                    ReactionKey::CiFailed,
                    &format!("its pull request could not be opened: {}", fault.message),
                );
            }
        }
        Effect::BuildCandidate { batch, project, .. } | Effect::Land { batch, project, .. } => {
            queue::failed(d, project, batch, fault);
        }
        Effect::ReadTarget { run, .. } => run::failed(d, run, fault),
        // A checkout that stays costs disk and nothing else; the end of the next run tries again.
        Effect::RemoveScratch { .. } => {}
        // Nobody can be told that nobody could be told; the journal has it.
        Effect::Notify { .. } => {}
    }
}

/// Hands effects whose pause is over to the world again.
pub(super) fn retry_due(d: &mut Draft<'_>) {
    let now = d.now;
    let due: Vec<EffectKey> = d
        .pending
        .values()
        .filter(|p| !p.uncertain && p.again.is_some_and(|a| a <= now))
        .map(|p| p.effect.key())
        .collect();
    for key in due {
        if d.is_pending(&key) {
            d.ask_again(&key);
        }
    }
}
