//! What of this machine a container sees: the workspace, the repository's git directory, and what the agent needs of `ao`.
//!
//! Of the data root that is its own hooks' places and the `ao` binary: no journal, no secret of another session.

use super::files::Files;
use ao_core::kind::Fault;
use ao_slots::Answer;
use ao_slots::runtime::LaunchPlan;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Component, Path, PathBuf};

/// Where the pipe that the agent's start waits for lies inside.
pub(super) const GATE_DIR: &str = "/run/ao";

/// One directory or file of this machine inside a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bind {
    /// Where it lies here.
    pub source: PathBuf,
    /// Where it lies inside.
    pub target: PathBuf,
    /// It cannot be changed from inside.
    pub read_only: bool,
}

impl Bind {
    fn same(path: &Path) -> Self {
        Self { source: path.to_owned(), target: path.to_owned(), read_only: false }
    }

    fn at(source: PathBuf, target: PathBuf) -> Self {
        Self { source, target, read_only: false }
    }

    fn read_only(self) -> Self {
        Self { read_only: true, ..self }
    }
}

/// The data root that the agent is told.
pub(super) fn data_root(plan: &LaunchPlan) -> Option<PathBuf> {
    plan.env.get("AO_HOME").map(PathBuf::from).filter(|root| root.is_absolute())
}

/// Everything that a launch's container sees, outer directories first. `ao` is the binary that hooks call.
///
/// # Errors
/// `invalid` for what is not there, naming it.
pub(super) fn of(plan: &LaunchPlan, files: &Files, ao: &Path) -> Answer<Vec<Bind>> {
    let mut binds = configured(plan)?;
    let mut add = |bind: Bind| {
        let covered = binds.iter().any(|known: &Bind| {
            let same_place = known.source == known.target && bind.source == bind.target;
            known.target == bind.target
                || (same_place && known.read_only == bind.read_only && bind.target.starts_with(&known.target))
        });
        if !covered {
            binds.push(bind);
        }
    };
    add(Bind::same(&plan.cwd));
    for dir in std::iter::once(&plan.cwd).chain(&plan.reach) {
        match git_dir(dir) {
            Some(git) => {
                borrowed(&git).iter().for_each(|objects| add(Bind::same(objects).read_only()));
                add(Bind::same(&git));
            }
            None if dir.exists() => add(Bind::same(dir)),
            None => {}
        }
    }
    if let Some(root) = data_root(plan) {
        add(Bind::at(files.spool(), root.join("spool")));
        add(Bind::at(files.run(), root.join("run")));
        if root.join("bin").is_dir() {
            add(Bind::same(&root.join("bin")).read_only());
        }
    }
    add(Bind::same(ao).read_only());
    add(Bind::at(files.gate(), PathBuf::from(GATE_DIR)));
    if let Some(home) = home(plan) {
        let own = own_home(&plan.dir);
        let points: Vec<Bind> = binds.iter().filter(|bind| bind.target.starts_with(&home)).cloned().collect();
        make_points(&own, &home, &points)
            .map_err(|e| Fault::unavailable(format!("{} cannot be prepared: {e}", own.display())))?;
        if binds.iter().all(|bind| bind.target != home) {
            binds.push(Bind::at(own, home));
        }
    }
    if let Some(bind) = binds.iter().find(|bind| !bind.source.exists()) {
        return Err(Fault::invalid(format!(
            "{} is to be mounted in the container and is not there",
            bind.source.display()
        )));
    }
    binds.sort_by_key(|bind| bind.target.components().count());
    Ok(binds)
}

/// What the configuration adds; it wins over what would lie at the same place.
fn configured(plan: &LaunchPlan) -> Answer<Vec<Bind>> {
    let mounts = plan.container.iter().flat_map(|container| &container.mounts);
    mounts
        .map(|mount| {
            let (paths, read_only) = match mount.strip_suffix(":ro") {
                Some(paths) => (paths, true),
                None => (mount.as_str(), false),
            };
            let (source, target) = paths
                .split_once(':')
                .filter(|(source, target)| source.starts_with('/') && target.starts_with('/'))
                .ok_or_else(|| {
                    Fault::invalid(format!("docker.mounts has {mount:?}: it is SOURCE:TARGET or SOURCE:TARGET:ro"))
                })?;
            Ok(Bind { source: source.into(), target: target.into(), read_only })
        })
        .collect()
}

/// The user's home as the agent is told; the session has one of its own at that place.
fn home(plan: &LaunchPlan) -> Option<PathBuf> {
    let home = PathBuf::from(plan.env.get("HOME")?);
    let used = |dir: &PathBuf| home.starts_with(dir);
    let fit = home.is_absolute() && home.components().count() > 1 && !used(&plan.cwd) && !plan.reach.iter().any(used);
    fit.then_some(home)
}

/// It lies beside the launches of the session, so that a next launch finds what this one kept.
pub(super) fn own_home(launch_dir: &Path) -> PathBuf {
    launch_dir.parent().unwrap_or(launch_dir).join("home")
}

/// Makes the home and, in it, the places where something is mounted: the engine would make them as another user's.
fn make_points(own: &Path, home: &Path, binds: &[Bind]) -> io::Result<()> {
    let make = |dir: &Path| fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    make(own)?;
    for bind in binds {
        let Ok(inner) = bind.target.strip_prefix(home) else { continue };
        if !inner.components().all(|part| matches!(part, Component::Normal(_))) {
            continue;
        }
        let point = own.join(inner);
        if bind.source.is_dir() {
            make(&point)?;
        } else if let (Some(parent), false) = (point.parent(), point.exists()) {
            make(parent)?;
            fs::File::create(&point)?;
        }
    }
    Ok(())
}

/// The directory in which git keeps what all worktrees of a checkout share; none when it is no checkout.
fn git_dir(checkout: &Path) -> Option<PathBuf> {
    let dot = checkout.join(".git");
    if dot.is_dir() {
        return Some(dot);
    }
    let text = fs::read_to_string(&dot).ok()?;
    let own = joined(checkout, text.trim().strip_prefix("gitdir: ")?);
    let common = match fs::read_to_string(own.join("commondir")) {
        Ok(common) => joined(&own, common.trim()),
        Err(_) => own,
    };
    common.is_dir().then_some(common)
}

/// Directories of objects that this one borrows from another repository.
fn borrowed(git: &Path) -> Vec<PathBuf> {
    let objects = git.join("objects");
    let list = fs::read_to_string(objects.join("info").join("alternates")).unwrap_or_default();
    list.lines().filter(|line| !line.is_empty()).map(|line| joined(&objects, line)).filter(|dir| dir.is_dir()).collect()
}

/// A path that may be relative, without `..`, which the inside may not have the same way.
fn joined(base: &Path, path: impl AsRef<OsStr>) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in base.join(Path::new(path.as_ref())).components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            Component::CurDir => {}
            other => whole.push(other),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use ao_core::id::{LaunchId, SessionId};
    use ao_core::limits::{Container, Limits};

    /// A worktree of a repository, and a data root with another session's secrets.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            let place = Self(tempfile::tempdir().expect("a directory"));
            for dir in
                ["repo/.git/worktrees/w", "data/p/worktrees/w", "data/p/sessions/w.d/agent", "data/bin", "data/secrets"]
            {
                fs::create_dir_all(place.at(dir)).expect("made");
            }
            let git = place.at("repo/.git/worktrees/w");
            fs::write(place.at("data/p/worktrees/w/.git"), format!("gitdir: {}\n", git.display())).expect("written");
            fs::write(git.join("commondir"), "../..\n").expect("written");
            fs::write(place.at("ao"), "").expect("written");
            place
        }

        fn at(&self, path: &str) -> PathBuf {
            self.0.path().join(path)
        }

        fn plan(&self, mounts: &[String]) -> LaunchPlan {
            let text = |path: &str| self.at(path).display().to_string();
            LaunchPlan {
                session: SessionId::new("w"),
                launch: LaunchId::new("w.1"),
                label: "ao-1-w".to_owned(),
                dir: self.at("data/p/sessions/w.d/1"),
                socket: self.at("s"),
                argv: vec!["sh".to_owned()],
                cwd: self.at("data/p/worktrees/w"),
                env: [("AO_HOME".to_owned(), text("data")), ("HOME".to_owned(), text("home"))].into(),
                cols: 80,
                rows: 24,
                limits: Limits::default(),
                container: Some(Container { mounts: mounts.to_vec(), ..Container::default() }),
                reach: vec![self.at("repo"), self.at("data/p/sessions/w.d/agent")],
            }
        }

        fn binds(&self, mounts: &[String]) -> Answer<Vec<Bind>> {
            let plan = self.plan(mounts);
            let files = Files::new(&plan.dir);
            fs::create_dir_all(&plan.dir).expect("made");
            files.make().expect("made");
            of(&plan, &files, &self.at("ao"))
        }
    }

    #[test]
    fn a_container_sees_its_workspace_its_git_directory_and_nothing_of_other_sessions() {
        let place = Place::new();
        let binds = place.binds(&[]).expect("all is there");
        let target = |path: PathBuf| binds.iter().find(|bind| bind.target == path);
        assert!(target(place.at("data/p/worktrees/w")).is_some_and(|bind| !bind.read_only));
        assert!(target(place.at("repo/.git")).is_some(), "{binds:?}");
        assert!(target(place.at("repo")).is_none(), "the checkout of the user is not the session's");
        assert!(target(place.at("ao")).is_some_and(|bind| bind.read_only));
        let spool = target(place.at("data/spool")).expect("hooks have a place");
        assert!(spool.source.starts_with(place.at("data/p/sessions/w.d/1")), "it is the launch's own");
        let root = place.at("data");
        let shows = |bind: &&Bind| bind.source == root || place.at("data/secrets").starts_with(&bind.source);
        assert_eq!(binds.iter().find(shows), None);
        let home = target(place.at("home")).expect("a home");
        assert_eq!(home.source, place.at("data/p/sessions/w.d/home"));
    }

    #[test]
    fn what_is_mounted_in_the_home_finds_its_place_made_by_us() {
        let place = Place::new();
        fs::create_dir_all(place.at("home/.claude")).expect("made");
        let login = place.at("home/.claude").display().to_string();
        let binds = place.binds(&[format!("{login}:{login}:ro")]).expect("all is there");
        let bind = binds.iter().find(|bind| bind.target == Path::new(&login)).expect("the login");
        assert!(bind.read_only);
        assert!(place.at("data/p/sessions/w.d/home/.claude").is_dir());
        let order: Vec<usize> = binds.iter().map(|bind| bind.target.components().count()).collect();
        assert!(order.is_sorted(), "outer directories come first");
    }

    #[test]
    fn what_is_not_there_is_named_and_not_made() {
        let place = Place::new();
        let missing = place.at("no-such-cache");
        let fault = place.binds(&[format!("{}:/cache", missing.display())]).expect_err("it is not there");
        assert!(fault.message.contains("no-such-cache"), "{fault}");
        assert!(!missing.exists());
    }
}
