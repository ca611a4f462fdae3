//! A repository in a few lines: trees of named files, symbolic commits, three-way merges, and a check that reads the files.
//! It is no model of git; it has just enough of one to tell stories about collisions, gates and lost swaps.

use ao_core::failure::{Counts, Failure, Kind, Reader, Report};
use ao_core::id::CommitId;
use ao_core::screen::sha256_hex;
use std::collections::BTreeMap;

/// Files by path. A line `broken:NAME` fails the test NAME, `nocompile:NAME` hides every test, `clash:NAME` in two files
/// fails NAME, `ok:NAME` is mended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<String, String>);

/// One commit: its tree and the commit that its changes are counted from.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Commit {
    tree: Tree,
    base: CommitId,
}

/// Commits and the one branch that everything lands on.
#[derive(Clone, Debug)]
pub struct Repo {
    commits: BTreeMap<CommitId, Commit>,
    tip: CommitId,
    /// Every value that the target took, the first one included.
    pub history: Vec<CommitId>,
    /// The target is checked out and dirty: nothing may land.
    pub dirty: bool,
}

/// What became of one head on top of others.
pub enum Merged {
    /// It merges; the result.
    Clean(CommitId),
    /// It changes nothing.
    Contained,
    /// It does not merge; the paths.
    Conflict(Vec<String>),
}

impl Tree {
    /// Changes one file.
    pub fn put(&mut self, path: &str, text: &str) {
        self.0.insert(path.to_owned(), text.to_owned());
    }

    /// Mends everything called `name`.
    pub fn mend(&mut self, name: &str) {
        for text in self.0.values_mut() {
            let lines: Vec<String> = text
                .lines()
                .map(|l| if marked(l).is_some_and(|(_, n)| n == name) { format!("ok:{name}") } else { l.to_owned() })
                .collect();
            *text = lines.join("\n");
        }
    }

    /// Names of everything that is not mended.
    #[must_use]
    pub fn wounds(&self) -> Vec<String> {
        let lines = self.0.values().flat_map(|t| t.lines());
        lines.filter_map(marked).filter(|(mark, _)| *mark != "ok").map(|(_, name)| name.to_owned()).collect()
    }

    /// Takes over what `theirs` changed since `base`; where both changed a file, mended lines win.
    pub fn resolve(&mut self, base: &Self, theirs: &Self) {
        for (path, text) in &theirs.0 {
            if base.0.get(path) == Some(text) {
                continue;
            }
            let ours = self.0.get(path).cloned().unwrap_or_default();
            let mended: Vec<String> = ours
                .lines()
                .zip(text.lines())
                .map(|(a, b)| if a.starts_with("ok:") { a.to_owned() } else { b.to_owned() })
                .collect();
            self.0.insert(path.clone(), mended.join("\n"));
        }
    }

    /// Runs the check; `only` restricts it to tests of these names.
    #[must_use]
    pub fn check(&self, only: Option<&[&str]>) -> Report {
        let mut failures = Vec::new();
        for (path, text) in &self.0 {
            for line in text.lines() {
                match marked(line) {
                    Some(("broken", name)) => failures.push(failure(path, name, Kind::Test)),
                    Some(("nocompile", name)) => failures.push(failure(path, name, Kind::Compile)),
                    Some(("clash", name)) if self.0.values().filter(|t| t.contains(line)).count() > 1 => {
                        failures.push(failure(path, name, Kind::Test));
                    }
                    Some(_) | None => {}
                }
            }
        }
        failures.dedup_by(|a, b| a.id == b.id);
        if failures.iter().any(|f| f.kind == Kind::Compile) {
            failures.retain(|f| f.kind == Kind::Compile);
        } else if let Some(only) = only {
            failures.retain(|f| only.contains(&f.name.as_str()));
        }
        let failed = u32::try_from(failures.len()).expect("a handful");
        Report {
            passed: failures.is_empty(),
            partial: failures.iter().any(|f| f.kind == Kind::Compile),
            failures,
            reader: Reader::Cargo,
            // Some test always passes in this world: only a runner that finds none counts nothing.
            counts: Counts { passed: 1, failed, ignored: 0 },
            note: None,
        }
    }

    fn conflicts(base: &Self, ours: &Self, theirs: &Self) -> Result<Self, Vec<String>> {
        let mut out = ours.clone();
        let mut bad = Vec::new();
        for (path, text) in &theirs.0 {
            let (before, here) = (base.0.get(path), ours.0.get(path));
            if before == Some(text) || here == Some(text) {
                continue;
            }
            if before == here {
                out.0.insert(path.clone(), text.clone());
            } else {
                bad.push(path.clone());
            }
        }
        if bad.is_empty() { Ok(out) } else { Err(bad) }
    }
}

fn marked(line: &str) -> Option<(&str, &str)> {
    line.split_once(':')
}

fn failure(path: &str, name: &str, kind: Kind) -> Failure {
    Failure {
        id: name.to_owned(),
        reader: Reader::Cargo,
        name: name.to_owned(),
        kind,
        file: Some(path.to_owned()),
        line: Some(1),
        column: None,
        message: format!("{name} is broken"),
        rerun: Some(format!("rerun {name}")),
        suite: None,
        cause: None,
    }
}

impl Repo {
    /// A repository whose target holds these files.
    #[must_use]
    pub fn new(tree: Tree) -> Self {
        let tip = name_of(&tree, None);
        let commits = BTreeMap::from([(tip.clone(), Commit { tree, base: tip.clone() })]);
        Self { commits, history: vec![tip.clone()], tip, dirty: false }
    }

    /// The target's commit.
    #[must_use]
    pub const fn tip(&self) -> &CommitId {
        &self.tip
    }

    /// The files of a commit; none for one that nobody made.
    #[must_use]
    pub fn tree(&self, commit: &CommitId) -> Tree {
        self.commits.get(commit).map(|c| c.tree.clone()).unwrap_or_default()
    }

    /// Keeps a tree as a commit whose changes are counted from `base`.
    pub fn commit(&mut self, tree: Tree, base: &CommitId) -> CommitId {
        let id = name_of(&tree, Some(base));
        self.commits.insert(id.clone(), Commit { tree, base: base.clone() });
        id
    }

    /// Somebody else pushes to the target.
    pub fn push(&mut self, change: impl FnOnce(&mut Tree)) -> CommitId {
        let mut tree = self.tree(&self.tip);
        change(&mut tree);
        let old = self.tip.clone();
        self.tip = self.commit(tree, &old);
        self.history.push(self.tip.clone());
        self.tip.clone()
    }

    /// Moves the target if it is still at `old`.
    pub fn swap(&mut self, old: &CommitId, new: &CommitId) -> bool {
        if self.tip == *new {
            return true;
        }
        let fits = self.tip == *old;
        if fits {
            self.tip = new.clone();
            self.history.push(new.clone());
        }
        fits
    }

    /// Puts the changes of `head` on top of `onto`.
    pub fn merge(&mut self, head: &CommitId, onto: &CommitId) -> Merged {
        let base = self.commits.get(head).map_or_else(|| head.clone(), |c| c.base.clone());
        let (base, ours, theirs) = (self.tree(&base), self.tree(onto), self.tree(head));
        match Tree::conflicts(&base, &ours, &theirs) {
            Ok(tree) if tree == ours => Merged::Contained,
            Ok(tree) => Merged::Clean(self.commit(tree, onto)),
            Err(paths) => Merged::Conflict(paths),
        }
    }
}

fn name_of(tree: &Tree, base: Option<&CommitId>) -> CommitId {
    let text = format!("{tree:?} {base:?}");
    CommitId::new(sha256_hex(text.as_bytes()).get(..40).unwrap_or_default())
}
