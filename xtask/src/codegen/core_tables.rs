//! Tables that are made from core: statuses, their precedence, effects, default reactions.

use anyhow::Result;
use ao_core::config::reactions::{actions, fields};
use ao_core::effect::{Effect, Recovery};
use ao_core::id::{BatchId, CommitId, DeliveryId, LaunchId, PrId, ProjectId, RunId, SessionId};
use ao_core::project::MergeStrategy;
use ao_core::reaction::{ReactionKey, default_rule};
use ao_core::status::{PRECEDENCE, Status};
use ao_core::time::Millis;
use std::fmt::Write as _;
use std::path::Path;

/// Every status with its meaning.
pub(super) fn statuses(_root: &Path) -> Result<String> {
    let mut table = String::from("| status | meaning | in four words |\n|---|---|---|\n");
    for status in Status::ALL {
        writeln!(table, "| `{}` | {} | {} |", status.name(), status.meaning(), status.coarse())?;
    }
    Ok(table)
}

/// The precedence table.
pub(super) fn precedence(_root: &Path) -> Result<String> {
    let mut table = String::from("| | row | what it says |\n|---|---|---|\n");
    for (n, (row, says)) in PRECEDENCE.iter().enumerate() {
        writeln!(table, "| {} | `{row}` | {says} |", n + 1)?;
    }
    Ok(table)
}

/// Every effect with an example of its key and its class.
pub(super) fn effects(_root: &Path) -> Result<String> {
    let mut table = String::from("| effect | a key | class |\n|---|---|---|\n");
    for effect in examples() {
        let name = serde_json::to_value(&effect)?;
        let name = name.get("effect").and_then(|n| n.as_str()).unwrap_or_default().to_owned();
        writeln!(table, "| `{name}` | `{}` | {} |", effect.key(), class(effect.recovery()))?;
    }
    Ok(table)
}

const fn class(recovery: Recovery) -> &'static str {
    match recovery {
        Recovery::Converge => "converge",
        Recovery::Keyed => "keyed",
        Recovery::Probe => "probe",
        Recovery::Once => "once",
    }
}

/// One of each effect. A new variant does not compile until `next` knows it.
fn examples() -> Vec<Effect> {
    let mut all = Vec::new();
    let mut effect = Some(first());
    while let Some(this) = effect {
        effect = next(&this);
        all.push(this);
    }
    all
}

fn first() -> Effect {
    Effect::EnsureWorkspace { session: session(), base: None }
}

fn session() -> SessionId {
    SessionId::new("app-1")
}

fn next(effect: &Effect) -> Option<Effect> {
    use ao_core::activity::InputKind;
    use ao_core::effect::{CheckPlace, CheckPurpose, Priority};
    use ao_core::question::{Dialog, Reply};
    let (session, launch, delivery) = (session(), LaunchId::new("app-1.1"), DeliveryId::new("app-1.d1"));
    let (project, batch, commit) = (ProjectId::new("app"), BatchId::new("app-batch-1"), CommitId::new("0123abcd"));
    let target = "main".to_owned();
    Some(match effect {
        Effect::EnsureWorkspace { .. } => Effect::EnsureHost { session, launch, resume: false },
        Effect::EnsureHost { .. } => Effect::PastePrompt { delivery, session, launch, text: String::new(), file: None },
        Effect::PastePrompt { .. } => Effect::SubmitPrompt { delivery, session, launch, n: 1, text: String::new() },
        Effect::SubmitPrompt { .. } => {
            let dialog = Dialog {
                kind: InputKind::Permission,
                text: String::new(),
                options: Vec::new(),
                takes_text: false,
                safe: None,
                url: None,
                code: None,
            };
            let reply = Reply::Option(String::new());
            Effect::AnswerQuestion { session, launch, n: 1, attempt: 1, dialog: Box::new(dialog), reply }
        }
        Effect::AnswerQuestion { .. } => Effect::EnsureStopped { session, launch },
        Effect::EnsureStopped { .. } => Effect::EnsureFrozen { session, launch, n: 1 },
        Effect::EnsureFrozen { .. } => Effect::EnsureThawed { session, launch, n: 2 },
        Effect::EnsureThawed { .. } => Effect::InspectWorkspace { session, n: 1 },
        Effect::InspectWorkspace { .. } => Effect::RunCheck {
            purpose: CheckPurpose::All { session, n: 1 },
            project,
            place: CheckPlace::Workspace { path: String::new() },
            command: String::new(),
            limit: Millis(0),
        },
        Effect::RunCheck { .. } => Effect::EnsurePullRequest {
            pr: PrId::new("app#1"),
            project,
            head: commit,
            title: String::new(),
            branch: String::new(),
            target,
        },
        Effect::EnsurePullRequest { .. } => {
            Effect::BuildCandidate { batch, project, target, heads: Vec::new(), strategy: MergeStrategy::Squash }
        }
        Effect::BuildCandidate { .. } => Effect::Land { batch, project, target, old: commit.clone(), new: commit },
        Effect::Land { .. } => Effect::ReadTarget { run: RunId::new("app-fix-1"), round: 1, project, target },
        Effect::ReadTarget { .. } => Effect::RemoveWorkspace { session },
        Effect::RemoveWorkspace { .. } => Effect::ArchiveSession { session },
        Effect::ArchiveSession { .. } => Effect::RemoveScratch { project, n: 1 },
        Effect::RemoveScratch { .. } => Effect::Notify {
            id: "needs-input:app-1".to_owned(),
            project,
            session: None,
            priority: Priority::Info,
            title: String::new(),
            body: String::new(),
        },
        Effect::Notify { .. } => return None,
    })
}

/// The rules in force when the configuration says nothing.
pub(super) fn reactions(_root: &Path) -> Result<String> {
    let mut table = String::from(
        "| key | action | retries | threshold | actions there are | fields there are |\n|---|---|---|---|---|---|\n",
    );
    for key in ReactionKey::ALL {
        let rule = default_rule(key);
        let action = rule.action.name();
        let threshold = rule.threshold.map_or_else(|| "–".to_owned(), |t| format!("{}m", t.0 / 60_000));
        let may: Vec<String> = actions(key).iter().map(|a| format!("`{}`", a.name())).collect();
        let takes: Vec<String> = fields(key).iter().map(|f| format!("`{}`", f.name())).collect();
        let (key, retries, may, takes) = (key.name(), rule.retries, may.join(", "), takes.join(", "));
        writeln!(table, "| `{key}` | `{action}` | {retries} | {threshold} | {may} | {takes} |")?;
    }
    Ok(table)
}
