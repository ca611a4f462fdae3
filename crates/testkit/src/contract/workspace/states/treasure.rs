//! What a checkout holds that must not be lost, and what a repository keeps.

use crate::contract::repo::Repo;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What must not be lost.
#[derive(Debug, Default)]
pub(super) struct Treasure {
    /// Commits and blobs, with where they are.
    pub(super) objects: BTreeMap<String, String>,
    /// Every file that is not ignored: its kind and bytes.
    pub(super) files: BTreeMap<PathBuf, Vec<u8>>,
    /// Files that git knows to be as it wrote them: only their line ends may differ.
    pub(super) clean: BTreeSet<PathBuf>,
    /// Lines of the index, those left out that are only intended.
    pub(super) index: BTreeSet<Vec<u8>>,
    /// Files that a sparse checkout leaves out.
    pub(super) left_out: BTreeSet<PathBuf>,
    /// Repositories inside of which somebody else has everything: a remote, or the main repository.
    pub(super) elsewhere: Vec<PathBuf>,
    /// Repositories inside.
    pub(super) inside: Vec<PathBuf>,
    /// Bytes of ignored files.
    pub(super) ignored: u64,
}

fn fields(repo: &Repo, dir: &Path, arguments: &[&str]) -> Vec<Vec<u8>> {
    let ran = repo.try_git(dir, arguments);
    ran.stdout.split(|&b| b == 0).filter(|field| !field.is_empty()).map(<[u8]>::to_vec).collect()
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

/// Kind and bytes of a file.
fn described(file: &Path) -> Vec<u8> {
    let about = fs::symlink_metadata(file).expect("it was listed");
    if about.file_type().is_symlink() {
        let target = fs::read_link(file).expect("it is a link");
        return [b"link ", target.as_os_str().as_bytes()].concat();
    }
    let kind: &[u8] = if about.permissions().mode() & 0o100 == 0 { b"file " } else { b"program " };
    [kind, &fs::read(file).expect("it can be read")].concat()
}

/// Files below `dir` without those of git, and directories with a repository of their own.
fn walk(dir: &Path, files: &mut Vec<PathBuf>, repositories: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("it is there").flatten() {
        let kind = entry.file_type().expect("nobody deletes here");
        if entry.file_name() == ".git" {
            repositories.push(dir.to_owned());
        } else if kind.is_dir() {
            walk(&entry.path(), files, repositories);
        } else {
            files.push(entry.path());
        }
    }
}

/// Looks at everything in a checkout.
pub(super) fn treasure(repo: &Repo, dir: &Path, refs_too: bool) -> Treasure {
    let mut treasure = Treasure::default();
    let (mut files, mut repositories) = (Vec::new(), Vec::new());
    walk(dir, &mut files, &mut repositories);
    let ignored: BTreeSet<PathBuf> =
        fields(repo, dir, &["ls-files", "-z", "--others", "--ignored", "--exclude-standard"])
            .iter()
            .map(|name| dir.join(path(name)))
            .collect();
    treasure.ignored = ignored.iter().map(|file| fs::symlink_metadata(file).map_or(0, |about| about.len())).sum();
    let unclean: BTreeSet<PathBuf> =
        [fields(repo, dir, &["diff-files", "-z", "--name-only"]), fields(repo, dir, &["ls-files", "-z", "--others"])]
            .concat()
            .iter()
            .map(|name| path(name))
            .collect();
    for file in files.iter().filter(|file| !ignored.contains(*file)) {
        let name = file.strip_prefix(dir).expect("it is below").to_owned();
        if !unclean.contains(&name) && !unclean.iter().any(|dir| name.starts_with(dir)) {
            treasure.clean.insert(name.clone());
        }
        treasure.files.insert(name, described(file));
    }
    for line in fields(repo, dir, &["ls-files", "-z", "-v"])
        .iter()
        .filter(|line| line.starts_with(b"S ") || line.starts_with(b"s "))
    {
        treasure.left_out.insert(path(line.get(2..).unwrap_or_default()));
    }
    let intended: BTreeSet<Vec<u8>> =
        fields(repo, dir, &["diff-files", "-z", "--name-only", "--diff-filter=A"]).into_iter().collect();
    for line in fields(repo, dir, &["ls-files", "-z", "--stage"]) {
        let tab = line.iter().position(|&b| b == b'\t').expect("a line has one");
        if !intended.contains(line.get(tab + 1..).unwrap_or_default()) {
            treasure.index.insert(line);
        }
    }
    repositories.sort();
    for inner in repositories {
        let own = inner == dir;
        if !own {
            let name = inner.strip_prefix(dir).expect("it is below").to_owned();
            if is_elsewhere(repo, &inner) {
                treasure.elsewhere.push(name.clone());
            }
            treasure.inside.push(name);
        }
        objects(repo, &inner, refs_too || !own, &mut treasure.objects);
    }
    treasure
}

/// Whether nothing in a repository inside would be lost with it.
fn is_elsewhere(repo: &Repo, dir: &Path) -> bool {
    let said = |arguments: &[&str]| String::from_utf8_lossy(&repo.try_git(dir, arguments).stdout).into_owned();
    let is_linked =
        dir.join(".git").is_file() && said(&["rev-parse", "--git-common-dir"]) != said(&["rev-parse", "--git-dir"]);
    let held = if is_linked { "--branches" } else { "--remotes" };
    repo.try_git(dir, &["rev-parse", "--verify", "HEAD"]).status.success()
        && said(&["status", "--porcelain", "--ignored"]).is_empty()
        && said(&["rev-list", "HEAD", "--not", held]).is_empty()
}

/// Commits of reflogs, stashes, branches and of what is not finished; objects of the index.
fn objects(repo: &Repo, dir: &Path, refs_too: bool, found: &mut BTreeMap<String, String>) {
    let top = repo.try_git(dir, &["rev-parse", "--show-toplevel"]);
    if String::from_utf8_lossy(&top.stdout).trim_end() != dir.display().to_string() && dir.to_str().is_some() {
        return;
    }
    let shallow = repo.git_in(dir, &["rev-parse", "--is-shallow-repository"]) == "true";
    // What the remote of a repository inside has is safe there.
    let remote = repo.try_git(dir, &["rev-list", "--objects", "--no-object-names", "--remotes"]).stdout;
    let remote = if dir.join(".git").exists() && refs_too {
        String::from_utf8_lossy(&remote).into_owned()
    } else {
        String::new()
    };
    let remote: BTreeSet<&str> = remote.lines().collect();
    let mut add = |what: &str, text: &[u8]| {
        for id in String::from_utf8_lossy(text).split_ascii_whitespace().filter(|id| !remote.contains(id)) {
            found.entry(id.to_owned()).or_insert_with(|| format!("{what} of {}", dir.display()));
        }
    };
    let lines = fields(repo, dir, &["ls-files", "-z", "--stage"]);
    for line in lines.iter().filter(|line| !line.starts_with(b"160000")) {
        let id = String::from_utf8_lossy(line).split(' ').nth(1).expect("the object is second").to_owned();
        // The empty file stands for what is only intended.
        if !id.starts_with("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391") {
            add("index", id.as_bytes());
        }
    }
    if shallow {
        return;
    }
    add("reflog", &repo.try_git(dir, &["rev-list", "--walk-reflogs", "HEAD", "--"]).stdout);
    add("stash", &repo.try_git(dir, &["rev-list", "--walk-reflogs", "refs/stash", "--"]).stdout);
    add("bisect", &repo.try_git(dir, &["for-each-ref", "--format=%(objectname)", "refs/bisect"]).stdout);
    for name in ["HEAD", "ORIG_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "MERGE_AUTOSTASH"]
    {
        add(name, &repo.try_git(dir, &["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")]).stdout);
    }
    let git_dir = PathBuf::from(repo.git_in(dir, &["rev-parse", "--absolute-git-dir"]));
    for name in ["rebase-merge/orig-head", "rebase-merge/autostash", "rebase-apply/orig-head", "rebase-apply/autostash"]
    {
        add(name, &fs::read(git_dir.join(name)).unwrap_or_default());
    }
    if refs_too {
        let format = "--format=%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)";
        add("branch", &repo.try_git(dir, &["for-each-ref", format, "refs/heads", "refs/tags"]).stdout);
    }
}

/// Everything that the main repository will not clean away.
pub(super) fn held(repo: &Repo, rescue: Option<&str>) -> BTreeSet<String> {
    let mut arguments = vec!["rev-list", "--objects", "--no-object-names", "--branches", "--tags"];
    let stashes = repo.try_git(&repo.path, &["rev-list", "--walk-reflogs", "refs/stash", "--"]);
    let stashes = String::from_utf8_lossy(&stashes.stdout).into_owned();
    arguments.extend(stashes.split_ascii_whitespace());
    arguments.extend(rescue);
    repo.git(&arguments).lines().map(str::to_owned).collect()
}
