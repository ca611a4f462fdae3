//! What git's words mean for a caller.
//!
//! The words are those of `LC_ALL=C`; what is not known keeps its words and counts as a conflict with the state of things.

use crate::exec::NotRun;
use ao_slots::{Fault, Kind};
use std::io;

/// Most characters of git's words in a message: two lines of a terminal say what is wrong, the rest is advice.
const WORDS: usize = 400;

/// Git could not be run at all.
pub(super) fn not_run(verb: &str, error: &NotRun) -> Fault {
    match error {
        NotRun::NotInstalled { .. } => {
            Fault::new(Kind::Unsupported, error.to_string()).hint("install git 2.38 or newer")
        }
        NotRun::NoDirectory { .. } => Fault::not_found(error.to_string()),
        NotRun::Refused { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            Fault::new(Kind::Denied, format!("`git {verb}`: {error}"))
        }
        NotRun::Refused { .. } | NotRun::Log { .. } => Fault::unavailable(format!("`git {verb}`: {error}")),
    }
}

/// Parts of git's words, what follows from them, and what to do.
const MEANINGS: [(&str, Kind, Option<&str>); 20] = [
    ("not a git repository", Kind::NotFound, Some("run `git init` there, or name another directory")),
    (
        "dubious ownership",
        Kind::Denied,
        Some("the directory belongs to another user: `git config --global --add safe.directory DIR` trusts it"),
    ),
    (".lock': File exists", Kind::Unavailable, Some("another git works there; if none does, remove the lock file")),
    ("cannot lock ref", Kind::Unavailable, None),
    // Another git is making a worktree at this very moment: its files are there before what they say (`builtin/worktree.c`).
    ("/commondir: Success", Kind::Unavailable, None),
    ("No space left on device", Kind::StorageFailed, Some("free some space on the disk")),
    ("Disk quota exceeded", Kind::StorageFailed, Some("free some space on the disk")),
    ("Read-only file system", Kind::StorageFailed, None),
    ("Permission denied", Kind::Denied, None),
    ("insufficient permission", Kind::Denied, None),
    ("unknown revision", Kind::NotFound, None),
    ("bad revision", Kind::NotFound, None),
    ("Needed a single revision", Kind::NotFound, None),
    ("invalid reference", Kind::NotFound, None),
    ("Not a valid object name", Kind::NotFound, None),
    ("not a valid SHA1", Kind::NotFound, None),
    ("trying to write ref", Kind::NotFound, None),
    ("is not a valid branch name", Kind::Invalid, None),
    ("unknown option `write-tree'", Kind::Unsupported, Some("install git 2.38 or newer")),
    ("usage: git merge-tree", Kind::Unsupported, Some("install git 2.38 or newer")),
];

/// Whether a call failed only because another git is making a worktree at this very moment: its files are there before what
/// they say (`builtin/worktree.c`).
pub(super) fn is_passing(stderr: &str) -> bool {
    stderr.contains("failed to read") && stderr.contains("/commondir")
}

/// A failure of `git verb` with these words on standard error.
pub(super) fn of_words(verb: &str, code: i32, stderr: &str) -> Fault {
    let said = words(stderr);
    let message =
        if said.is_empty() { format!("`git {verb}` failed with code {code}") } else { format!("`git {verb}`: {said}") };
    let meaning = MEANINGS.iter().find(|(part, _, _)| stderr.contains(part));
    let Some((_, kind, hint)) = meaning else { return Fault::conflict(message) };
    let fault = Fault::new(*kind, message);
    match hint {
        Some(hint) => fault.hint(*hint),
        None => fault,
    }
}

/// The lines that say what is wrong: `fatal:` and `error:` without these words, else everything but hints.
pub(super) fn words(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is_failure = |line: &&&str| line.starts_with("fatal:") || line.starts_with("error:");
    let mut said: Vec<&str> = Vec::new();
    if lines.iter().any(|line| is_failure(&line)) {
        // What follows an error, such as the files in the way, belongs to it.
        for line in lines.iter().skip_while(|line| !is_failure(line)).filter(|line| !line.starts_with("hint:")) {
            said.push(line.trim_start_matches("fatal: ").trim_start_matches("error: "));
        }
    } else {
        said.extend(lines.iter().filter(|line| !line.starts_with("hint:") && !line.starts_with("warning:")));
    }
    let text: String = without_passwords(&said.join("; ")).chars().filter(|c| !c.is_control()).take(WORDS).collect();
    text.trim_end_matches('.').to_owned()
}

/// Takes user names and passwords out of addresses.
fn without_passwords(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '\'' | '"')).unwrap_or(after.len());
        let (place, tail) = after.split_at(end);
        out.push_str(place.rsplit_once('@').map_or(place, |(_, host)| host));
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_failure_without_advice() {
        let stderr = "Preparing worktree\nhint: try this\nfatal: 'main' is already used by worktree at '/a b'\n";
        assert_eq!(words(stderr), "'main' is already used by worktree at '/a b'");
        let stderr = "error: The following untracked working tree files would be overwritten by merge:\n\tx.txt\nPlease move or remove them before you merge.\nAborting\n";
        assert!(words(stderr).contains("x.txt"), "{}", words(stderr));
    }

    #[test]
    fn passwords_in_addresses_are_not_repeated() {
        let fault = of_words("fetch", 128, "fatal: unable to access 'https://me:s3cret@host/a.git/': no");
        assert!(!fault.message.contains("s3cret"), "{}", fault.message);
        assert!(fault.message.contains("https://host/a.git/"), "{}", fault.message);
    }

    #[test]
    fn known_words_have_their_consequence() {
        for (stderr, kind) in [
            ("fatal: not a git repository (or any of the parent directories): .git", Kind::NotFound),
            ("fatal: detected dubious ownership in repository at '/x'", Kind::Denied),
            ("fatal: Unable to create '/x/.git/index.lock': File exists.", Kind::Unavailable),
            ("error: unable to write: No space left on device", Kind::StorageFailed),
            ("fatal: failed to read .git/worktrees/shop-6/commondir: Success", Kind::Unavailable),
            ("fatal: something new", Kind::Conflict),
        ] {
            assert_eq!(of_words("x", 128, stderr).kind, kind, "{stderr}");
        }
    }
}
