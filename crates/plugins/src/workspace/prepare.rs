//! What a new workspace gets besides its commit: excluded paths, copies, links, and the commands of `postCreate`.
//!
//! The same for worktrees and clones. Doing it again changes nothing; what is already there is never overwritten.

use super::copies;
use super::snapshot::Site;
use crate::disk;
use crate::disk::failed;
use crate::exec::{Environment, Script, end_marked, place_mark, run_script};
use crate::git::{Git, plain_common};
use ao_slots::workspace::WorkspacePlan;
use ao_slots::{Answer, Fault};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The directory of a workspace that is ours: prompts too long to type lie there.
const OURS: &str = "/.ao/";

/// The list, in the main checkout, of ignored files that every workspace gets a copy of; patterns as in `.gitignore`.
const INCLUDE: &str = ".worktreeinclude";

/// Copying large files on a slow disk.
const LARGE: Duration = Duration::from_secs(15 * 60);

/// Most bytes of a command's output in a message: the end, where failures stand.
const OUTPUT: usize = 4 * 1024;

/// Most bytes of a command's output that are kept: an installation prints a few hundred kilobytes.
const LOG: usize = 4 * 1024 * 1024;

/// Refuses a plan that could never be carried out, before anything is made.
pub(super) fn check(plan: &WorkspacePlan) -> Answer<()> {
    ao_core::id::checked_branch(&plan.branch).map_err(|error| Fault::invalid(error.to_string()))?;
    if !plan.path.is_absolute() || !plan.repository.is_absolute() {
        return Err(Fault::invalid(format!("{} is not an absolute path", plan.path.display())));
    }
    for path in plan.symlinks.iter().chain(&plan.env_files).chain(plan.dependencies.keys()) {
        disk::inside(&plan.repository, Path::new(path))?;
    }
    Ok(())
}

/// Prepares the workspace in `place`, whose shared git directory is `common`.
pub(super) async fn prepare(plan: &WorkspacePlan, place: &Path, common: &Path, env: &Environment) -> Answer<()> {
    exclude(plan, common)?;
    copy_included(plan, place, common, env).await?;
    for file in &plan.env_files {
        copy_one(&plan.repository, place, Path::new(file))?;
    }
    for link in &plan.symlinks {
        copies::link_one(&plan.repository, place, Path::new(link))?;
    }
    for (path, how) in &plan.dependencies {
        copies::bring(&plan.repository, place, Path::new(path), *how).await?;
    }
    if !plan.post_create.is_empty() {
        // A daemon that was killed may have left one of them running.
        end_marked(place_mark(place)).await;
    }
    for (n, command) in plan.post_create.iter().enumerate() {
        run_one(plan, place, n + 1, command, env).await?;
    }
    Ok(())
}

/// Puts the content of large files (Git LFS) that this machine has in the place of their pointers. What it does not have
/// stays a pointer: nothing is fetched, as that asks for passwords and takes as long as it likes.
pub(super) async fn large_files(site: &Site, common: &Path) -> Answer<()> {
    if !common.join("lfs/objects").is_dir() || !site.files.join(".gitattributes").is_file() {
        return Ok(());
    }
    let said = site.git.call(["lfs", "checkout"]).limit(LARGE).ask().await?;
    if said.code != 0 {
        tracing::warn!(path = %site.files.display(), why = said.words(), "large files stay pointers");
    }
    Ok(())
}

/// Tells git, in the repository's own list, not to look at what we put into workspaces.
fn exclude(plan: &WorkspacePlan, common: &Path) -> Answer<()> {
    let mut lines: Vec<Vec<u8>> = vec![OURS.as_bytes().to_vec()];
    // Without the slash at the end: a link to a directory is no directory for git.
    let brought = plan.symlinks.iter().chain(&plan.env_files).chain(plan.dependencies.keys());
    lines.extend(brought.map(|path| pattern(Path::new(path))));
    let file = common.join("info/exclude");
    add_lines(&file, &lines).map_err(|error| failed(&file, &error))?;
    // Workspaces inside the repository: their directory, once for all of them, where the main checkout looks.
    if let Some(inside) = plan.path.parent().and_then(|parent| parent.strip_prefix(&plan.repository).ok())
        && !inside.as_os_str().is_empty()
        && !plan.path.starts_with(common)
    {
        let mut line = pattern(inside);
        line.push(b'/');
        let file = plain_common(&plan.repository).unwrap_or_else(|| common.to_owned()).join("info/exclude");
        add_lines(&file, &[line]).map_err(|error| failed(&file, &error))?;
    }
    Ok(())
}

/// A pattern that matches exactly this path from the top.
fn pattern(relative: &Path) -> Vec<u8> {
    let mut line = Vec::new();
    for part in relative.iter().filter(|part| *part != ".") {
        line.push(b'/');
        for &byte in part.as_bytes() {
            if matches!(byte, b'*' | b'?' | b'[' | b'\\' | b' ') {
                line.push(b'\\');
            }
            line.push(byte);
        }
    }
    line
}

fn add_lines(file: &Path, lines: &[Vec<u8>]) -> io::Result<()> {
    let old = match fs::read(file) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = file.parent() {
                fs::create_dir_all(parent)?;
            }
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    let mut more: Vec<u8> = Vec::new();
    for line in lines {
        if !line.contains(&b'\n') && !old.split(|&byte| byte == b'\n').any(|known| known == line) {
            more.extend_from_slice(line);
            more.push(b'\n');
        }
    }
    if more.is_empty() {
        return Ok(());
    }
    if old.last().is_some_and(|&byte| byte != b'\n') {
        more.insert(0, b'\n');
    }
    // One write at the end: two workspaces made at once both get their lines in.
    OpenOptions::new().append(true).create(true).open(file)?.write_all(&more)
}

/// Copies what the list names and git ignores from the main checkout.
async fn copy_included(plan: &WorkspacePlan, place: &Path, common: &Path, env: &Environment) -> Answer<()> {
    let has_list = plan.repository.join(INCLUDE).is_file();
    if !has_list && plan.include.is_empty() {
        return Ok(());
    }
    let git = Git::at(&plan.repository, env);
    let mut call = git.call(["ls-files", "-z", "--others", "--ignored"]);
    if has_list {
        call = call.arg(format!("--exclude-from={INCLUDE}"));
    }
    call = call.args(plan.include.iter().map(|pattern| format!("--exclude={pattern}")));
    let listed = call.run().await?.stdout;
    if listed.is_empty() {
        return Ok(());
    }
    // Code 1: none of them is ignored.
    let ignored = git.call(["check-ignore", "-z", "--stdin"]).stdin(listed).ask().await?;
    if !matches!(ignored.code, 0 | 1) {
        return Err(ignored.fault());
    }
    let (from, to) = (plan.repository.clone(), place.to_owned());
    let paths: Vec<PathBuf> = ignored.paths().collect();
    let work = move || paths.iter().try_for_each(|path| copy_one(&from, &to, path));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Fault::unavailable("copying was given up")))?;
    // What only the main checkout's own list ignores would be committed from a clone.
    let there = Git::at(place, env).call(["check-ignore", "-z", "--stdin"]).stdin(ignored.stdout.clone()).ask().await?;
    let known: Vec<PathBuf> = there.paths().collect();
    let lines: Vec<Vec<u8>> = ignored.paths().filter(|path| !known.contains(path)).map(|path| pattern(&path)).collect();
    let file = common.join("info/exclude");
    add_lines(&file, &lines).map_err(|error| failed(&file, &error))
}

fn copy_one(from: &Path, to: &Path, relative: &Path) -> Answer<()> {
    let (source, target) = (from.join(relative), disk::inside(to, relative)?);
    if disk::exists(&target) || !disk::exists(&source) {
        return Ok(());
    }
    let copy = || {
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        if source.is_symlink() {
            return std::os::unix::fs::symlink(fs::read_link(&source)?, &target);
        }
        // Whole or not at all: a copy that a kill cut short would never be made again.
        let mut draft = target.clone().into_os_string();
        draft.push(".ao-copy");
        fs::copy(&source, &draft)?;
        fs::rename(&draft, &target)
    };
    copy().map_err(|error| failed(&target, &error))
}

async fn run_one(plan: &WorkspacePlan, place: &Path, n: usize, command: &str, env: &Environment) -> Answer<()> {
    let mut env = env.clone().with("AO_SESSION", plan.session.as_str()).with("AO_REPOSITORY", &plan.repository);
    for (name, value) in &plan.post_create_env {
        env.set(name, value);
    }
    let log = plan.log.as_ref().map(|log| log.with_extension(format!("{n}.log")));
    let script = Script {
        text: command.to_owned(),
        dir: place.to_owned(),
        env,
        limit: plan.post_create_limit,
        keep: LOG,
        log: log.clone(),
    };
    let ran = run_script(&script).await.map_err(|error| Fault::unavailable(error.to_string()))?;
    if ran.code == Some(0) {
        return Ok(());
    }
    let how = match (ran.timed_out, ran.code, ran.signal) {
        (true, _, _) => format!("did not end within {} s", plan.post_create_limit.as_secs()),
        (false, Some(code), _) => format!("failed with code {code}"),
        (false, None, signal) => format!("was ended by signal {}", signal.unwrap_or_default()),
    };
    let said = ran.output.text(OUTPUT);
    let said: String = said.trim().chars().filter(|c| !c.is_control() || *c == '\n').collect();
    let fault = Fault::conflict(format!("`postCreate` {command:?} {how}: {said}"));
    Err(match log {
        Some(log) => fault.hint(format!("all that it printed is in {}", log.display())),
        None => fault.hint("run it by hand, or take it out of `postCreate`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_only_their_own_path() {
        assert_eq!(pattern(Path::new("a/b*c")), b"/a/b\\*c");
        assert_eq!(pattern(Path::new("./node_modules")), b"/node_modules");
    }

    #[test]
    fn lines_are_added_once_and_what_is_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("info/exclude");
        let lines = [b"/.ao/".to_vec(), b"/x".to_vec()];
        add_lines(&file, &lines).unwrap();
        fs::write(&file, "# mine\n/.ao/\nlast without end").unwrap();
        add_lines(&file, &lines).unwrap();
        add_lines(&file, &lines).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "# mine\n/.ao/\nlast without end\n/x\n");
    }
}
