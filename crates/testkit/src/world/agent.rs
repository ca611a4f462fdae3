//! Agents of the virtual world: a composer, a memory of typed stages, and a behaviour that answers each prompt.
//! They know nothing of the machine: what they do becomes events elsewhere.

use super::repo::Tree;
use ao_core::activity::InputKind;
use ao_core::id::{CommitId, LaunchId, SessionId};
use std::collections::BTreeMap;

/// What an agent does with one prompt.
pub type Behaviour = Box<dyn FnMut(&mut Job<'_>) -> Reply>;

/// One prompt and what the agent can reach while it works on it.
pub struct Job<'a> {
    /// The prompt as it was typed.
    pub prompt: &'a str,
    /// How many prompts this session's agents were given, this one included.
    pub nth: usize,
    /// The workspace.
    pub workspace: &'a mut Workspace,
    /// The target's commit and files, for a merge.
    pub target: (&'a CommitId, &'a Tree),
    /// The files that the workspace's changes are counted from.
    pub base: &'a Tree,
}

/// How a turn goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It works and is idle again.
    Done,
    /// It works and stays silent for ever.
    Hangs,
    /// It asks a person in the middle of the turn.
    Asks(InputKind),
    /// Its process ends in the middle of the turn.
    Exits(i32),
    /// It is idle again, and then its process ends.
    DoneThenExits(i32),
    /// A person interrupts it.
    Interrupted,
}

/// How an agent starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// It takes prompts soon.
    Ready,
    /// It ends at once.
    Exits(i32),
    /// It asks something first.
    Asks(InputKind),
    /// It shows nothing that anybody recognises.
    Silent,
}

/// One workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Its files.
    pub tree: Tree,
    /// What its changes are counted from: where it started, or the last commit merged into it.
    pub base: CommitId,
    /// The files it was made with.
    pub first: Tree,
    /// Somebody deleted it.
    pub gone: bool,
    /// A merge was left half done in these files.
    pub unmerged: Vec<String>,
}

/// A host with its agent.
#[derive(Clone, Debug)]
pub struct Host {
    /// Whose.
    pub session: SessionId,
    /// Which launch.
    pub launch: LaunchId,
    /// What is in the composer.
    pub composer: String,
    /// Stages that were typed, each with the output's offset at that moment: nothing is typed twice.
    pub typed: BTreeMap<String, u64>,
    /// Bytes of output so far.
    pub offset: u64,
    /// Its exit code and when it is known, once it is over.
    pub exit: Option<Option<i32>>,
    /// Presses of Enter that it will ignore.
    pub swallows: u32,
    /// Its composer does not show what is pasted.
    pub hides: bool,
    /// A person is typing: no stage is accepted.
    pub person: bool,
    /// What its last mark said: idle, working, or that it asks.
    pub shows: Shows,
    /// It is halted.
    pub frozen: bool,
    /// A person looks at it: it is not halted.
    pub viewed: bool,
}

/// What an agent's last mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Nothing yet.
    Nothing,
    /// Ready for the first prompt.
    Ready,
    /// In a turn.
    Working,
    /// Idle.
    Idle,
    /// Interrupted.
    Interrupted,
    /// Asks a person.
    Asks(InputKind),
}

impl Host {
    /// A fresh one.
    #[must_use]
    pub fn new(session: &SessionId, launch: &LaunchId) -> Self {
        Self {
            session: session.clone(),
            launch: launch.clone(),
            composer: String::new(),
            typed: BTreeMap::new(),
            offset: 0,
            frozen: false,
            viewed: false,
            exit: None,
            swallows: 0,
            hides: false,
            person: false,
            shows: Shows::Nothing,
        }
    }
}

impl Job<'_> {
    /// Merges the target into the workspace and resolves every conflict.
    pub fn merge_target(&mut self) {
        let (commit, tree) = self.target;
        self.workspace.tree.resolve(self.base, tree);
        self.workspace.base = commit.clone();
        self.workspace.unmerged.clear();
    }

    /// Mends everything that the prompt names.
    pub fn mend_what_is_named(&mut self) {
        for name in self.workspace.tree.wounds() {
            if self.prompt.contains(&format!("{name} is broken")) {
                self.workspace.tree.mend(&name);
            }
        }
    }
}

/// Does what it is told: merges when told of a conflict, mends what is named.
#[must_use]
pub fn diligent() -> Behaviour {
    Box::new(|job| {
        if job.prompt.contains("git merge") {
            job.merge_target();
        }
        job.mend_what_is_named();
        Reply::Done
    })
}
