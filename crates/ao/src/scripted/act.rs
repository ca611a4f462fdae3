//! Does what a step says in the worktree: edits files, runs git by argv. It answers in words and never fails as a whole.

use super::script::{Change, Edit, Step};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One command of git may take this long: a merge of a large repository takes seconds.
const GIT_LIMIT: Duration = Duration::from_secs(120);

/// Who commits: fresh machines have no git identity.
const IDENTITY: [&str; 8] = [
    "-c",
    "user.name=ao scripted agent",
    "-c",
    "user.email=scripted-agent@ao.invalid",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "core.editor=true",
];

/// Lines of a command's output that are shown.
const SHOWN: usize = 6;

/// One thing that was done, in words.
#[derive(Debug, PartialEq, Eq)]
pub enum Done {
    /// It went well.
    Well(String),
    /// It did not.
    Badly(String),
}

/// Does everything a step says, in the order of the script's description.
pub fn perform(step: &Step, worktree: &Path) -> Vec<Done> {
    let mut done = Vec::new();
    for edit in &step.edits {
        done.push(apply(edit, worktree));
    }
    for args in &step.git {
        done.extend(git(args, worktree));
    }
    for edit in &step.resolve {
        done.push(apply(edit, worktree));
    }
    let merging = !step.resolve.is_empty();
    if step.commit.is_some() || merging {
        done.extend(git(&["add".to_owned(), "-A".to_owned()], worktree));
        let commit = match &step.commit {
            Some(message) => vec!["commit".to_owned(), "-m".to_owned(), message.clone()],
            None => vec!["commit".to_owned(), "--no-edit".to_owned()],
        };
        done.extend(git(&commit, worktree));
    }
    done
}

fn apply(edit: &Edit, worktree: &Path) -> Done {
    let file = edit.file.display();
    // Rebuilt from its components: the system refuses to remove a directory called `x/.`.
    let path: PathBuf = worktree.join(&edit.file).components().collect();
    match change(&edit.change, &path) {
        Ok(verb) => Done::Well(format!("{verb} {file}")),
        Err(why) => Done::Badly(format!("could not change {file}: {why}")),
    }
}

fn change(change: &Change, path: &Path) -> Result<&'static str, String> {
    let read = || fs::read_to_string(path).map_err(|e| e.to_string());
    let write = |text: String| {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| e.to_string())?;
        }
        fs::write(path, text).map_err(|e| e.to_string())
    };
    match change {
        Change::Replace { find, replace } => {
            let text = read()?;
            if !text.contains(find.as_str()) {
                return Err(format!("it does not contain {find:?}"));
            }
            write(text.replacen(find.as_str(), replace, 1))?;
            Ok("edited")
        }
        Change::Span { from, to, replace } => {
            let text = read()?;
            let begin = text.find(from.as_str()).ok_or_else(|| format!("it does not contain {from:?}"))?;
            let after = begin + from.len();
            let end =
                text[after..].find(to.as_str()).ok_or_else(|| format!("it does not contain {to:?} after that"))?;
            write(format!("{}{replace}{}", &text[..begin], &text[after + end + to.len()..]))?;
            Ok("rewrote a part of")
        }
        Change::Hunks(texts) => {
            write(resolve_hunks(&read()?, texts)?)?;
            Ok("resolved")
        }
        Change::Write(text) => {
            write(text.clone())?;
            Ok("wrote")
        }
        Change::Delete => {
            let gone = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            gone.map_err(|e| e.to_string())?;
            Ok("deleted")
        }
    }
}

/// Replaces each stretch from `<<<<<<< ` to `>>>>>>> ` by the text for it.
fn resolve_hunks(text: &str, texts: &[String]) -> Result<String, String> {
    let mut out = String::new();
    let mut inside = false;
    let mut found = 0;
    for line in text.split_inclusive('\n') {
        if !inside && line.starts_with("<<<<<<< ") {
            inside = true;
            out.push_str(texts.get(found).map_or("", String::as_str));
            found += 1;
        } else if inside && line.starts_with(">>>>>>> ") {
            inside = false;
        } else if !inside {
            out.push_str(line);
        }
    }
    if found == texts.len() && !inside {
        Ok(out)
    } else {
        Err(format!("it holds {found} conflicts, the script resolves {}", texts.len()))
    }
}

/// Runs git and shows what it said.
fn git(args: &[String], worktree: &Path) -> Vec<Done> {
    let shown = format!("$ git {}", args.join(" "));
    match run(args, worktree) {
        Ok((ok, output)) => {
            let lines: Vec<&str> = output.lines().filter(|line| !line.trim().is_empty()).collect();
            let tail = &lines[lines.len().saturating_sub(SHOWN)..];
            let said = tail.iter().map(|line| format!("\n  {line}")).collect::<String>();
            vec![if ok { Done::Well(shown + &said) } else { Done::Badly(shown + &said) }]
        }
        Err(why) => vec![Done::Badly(format!("{shown}\n  {why}"))],
    }
}

fn run(args: &[String], worktree: &Path) -> io::Result<(bool, String)> {
    let (mut output, writer) = io::pipe()?;
    let mut child = Command::new("git")
        .args(IDENTITY)
        .args(args)
        .current_dir(worktree)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()?;
    // The command kept its own copies of the pipe's end, so the reader ends when git and what it started have ended.
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = output.read_to_end(&mut text);
        read.map(|_| String::from_utf8_lossy(&text).into_owned())
    });
    let until = Instant::now() + GIT_LIMIT;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= until {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::other(format!("git was stopped after {} s", GIT_LIMIT.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let text = reader.join().map_err(|_| io::Error::other("the output of git could not be read"))??;
    Ok((status.success(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(before: &str, change: Change) -> Result<String, Done> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("f"), before).unwrap();
        match apply(&Edit { file: PathBuf::from("f"), change }, dir.path()) {
            Done::Well(_) => Ok(fs::read_to_string(dir.path().join("f")).unwrap_or_default()),
            badly @ Done::Badly(_) => Err(badly),
        }
    }

    #[test]
    fn each_kind_of_edit_does_what_it_says() {
        let text = |s: &str| s.to_owned();
        let replace = Change::Replace { find: text("b"), replace: text("B") };
        assert_eq!(edited("abcb", replace), Ok(text("aBcb")));
        let span = Change::Span { from: text("fn a("), to: text("}\n"), replace: text("fn a() {}\n") };
        assert_eq!(edited("x\nfn a() {\n<<<<<<< h\n1\n=======\n2\n}\ny", span), Ok(text("x\nfn a() {}\ny")));
        let conflicted = "1\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n2\n<<<<<<< HEAD\n=======\nc\n>>>>>>> main\n";
        let hunks = Change::Hunks(vec![text("ab\n"), text("c\n")]);
        assert_eq!(edited(conflicted, hunks), Ok(text("1\nab\n2\nc\n")));
        assert_eq!(edited("x", Change::Write(text("y"))), Ok(text("y")));
        assert_eq!(edited("x", Change::Delete), Ok(String::new()));
    }

    #[test]
    fn an_edit_that_does_not_fit_says_so_and_changes_nothing() {
        let replace = Change::Replace { find: "zzz".to_owned(), replace: String::new() };
        assert_eq!(
            edited("abc", replace),
            Err(Done::Badly("could not change f: it does not contain \"zzz\"".to_owned()))
        );
        let hunks = Change::Hunks(vec!["a".to_owned()]);
        assert_eq!(
            edited("abc", hunks),
            Err(Done::Badly("could not change f: it holds 0 conflicts, the script resolves 1".to_owned()))
        );
    }
}
