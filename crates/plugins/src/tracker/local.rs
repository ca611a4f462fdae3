//! A directory of Markdown files, one issue each. It only reads: closing an issue is an edit like any other.

use ao_core::id::checked_name;
use ao_slots::tracker::{Issue, Tracker};
use ao_slots::{Answer, Fault, Kind};
use async_trait::async_trait;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Where issues lie unless the configuration says otherwise, relative to the repository.
pub const DIRECTORY: &str = "issues";

/// Longest issue that is read, in bytes: far more than anybody writes by hand.
const LONGEST: u64 = 1 << 20;

/// Issues as files. `issues/12.md` is issue `12`. The file may begin with lines between `---` and `---`: `status: open` or
/// `closed` (also `done`; anything else counts as open), `title: …` and `branch: …`. Without a title there the first heading
/// is the title, and without that the file's name.
#[derive(Clone, Debug)]
pub struct Local {
    directory: PathBuf,
}

impl Default for Local {
    fn default() -> Self {
        Self { directory: PathBuf::from(DIRECTORY) }
    }
}

impl Local {
    /// Issues in `directory`, relative to the repository.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }
}

#[async_trait]
impl Tracker for Local {
    async fn open_issues(&self, repository: &Path) -> Answer<Vec<Issue>> {
        let directory = repository.join(&self.directory);
        let mut issues = blocking(move || all(&directory)).await?;
        issues.retain(|issue| issue.open);
        Ok(issues)
    }

    async fn issue(&self, repository: &Path, id: &str) -> Answer<Issue> {
        let id = id.strip_prefix('#').unwrap_or(id).to_owned();
        checked_name("issue id", &id).map_err(|e| Fault::invalid(e.to_string()))?;
        let directory = repository.join(&self.directory);
        blocking(move || match read(&directory.join(format!("{id}.md"))) {
            Ok(text) => Ok(parse(&id, &text)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(Fault::not_found(format!("there is no issue {id} in {}", directory.display())))
            }
            Err(error) => Err(unreadable(&directory.join(format!("{id}.md")), &error)),
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Answer<T> + Send + 'static) -> Answer<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Fault::new(Kind::Bug, format!("the tracker's task failed: {error}"))))
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    Fault::unavailable(format!("{} cannot be read: {error}", path.display()))
}

/// Every issue, by number and then by name. Files whose names are no ids are passed over.
fn all(directory: &Path) -> Answer<Vec<Issue>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(directory, &error)),
    };
    let mut issues = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| unreadable(directory, &e))?.path();
        let id = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(".md"));
        let Some(id) = id.filter(|id| checked_name("issue id", id).is_ok()) else { continue };
        let text = read(&path).map_err(|e| unreadable(&path, &e))?;
        issues.push(parse(id, &text));
    }
    issues.sort_by_cached_key(|issue| (number(&issue.id), issue.id.clone()));
    Ok(issues)
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The number that an id begins with; names without one come last.
fn number(id: &str) -> u64 {
    let digits: String = id.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(u64::MAX)
}

fn parse(id: &str, text: &str) -> Issue {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let (head, body) = split(&text);
    let value = |key: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        let found = lines.into_iter().find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim());
        found.map(|value| value.trim_matches('"').to_owned()).filter(|value| !value.is_empty())
    };
    let heading = || {
        body.lines().find_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')))
    };
    let title =
        value("title").or_else(|| heading().map(|text| text.trim().to_owned())).unwrap_or_else(|| id.to_owned());
    let closed = value("status").is_some_and(|status| matches!(status.as_str(), "closed" | "done"));
    Issue { id: id.to_owned(), title, body: body.trim().to_owned(), open: !closed, branch: value("branch") }
}

/// The lines between `---` and `---` at the beginning, and the rest.
fn split(text: &str) -> (&str, &str) {
    let whole = ("", text);
    let Some(rest) = text.strip_prefix("---\n") else { return whole };
    match rest.split_once("\n---\n") {
        Some(parts) => parts,
        None => rest.strip_suffix("\n---").map_or(whole, |head| (head, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("issues")).unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join("issues").join(name), text).unwrap();
        }
        dir
    }

    #[tokio::test]
    async fn open_issues_come_in_the_order_of_their_numbers() {
        let dir = repository(&[
            ("10.md", "# Ten\ntext"),
            ("9-login.md", "---\nstatus: open\nbranch: feat/login\n---\n\n## Login fails\n\nAlways.\n"),
            ("2.md", "---\nstatus: closed\n---\n# Old"),
            ("3.md", "---\r\nstatus: done\r\n---\r\n# Done"),
            ("readme.txt", "no issue"),
            ("a b.md", "no id"),
        ]);
        let issues = Local::default().open_issues(dir.path()).await.unwrap();
        let ids: Vec<&str> = issues.iter().map(|i| i.id.as_str()).collect();
        assert_eq!(ids, ["9-login", "10"]);
        assert_eq!(issues[0].title, "Login fails");
        assert_eq!(issues[0].branch.as_deref(), Some("feat/login"));
        assert_eq!(issues[0].body, "## Login fails\n\nAlways.");
    }

    #[tokio::test]
    async fn one_issue_is_found_by_its_id_closed_or_not() {
        let dir =
            repository(&[("2.md", "---\ntitle: \"The title\"\nstatus: closed\n---\n# Heading"), ("3.md", "only text")]);
        let issue = Local::default().issue(dir.path(), "#2").await.unwrap();
        assert_eq!((issue.title.as_str(), issue.open), ("The title", false));
        assert_eq!(Local::default().issue(dir.path(), "3").await.unwrap().title, "3");
        assert_eq!(Local::default().issue(dir.path(), "4").await.unwrap_err().kind, Kind::NotFound);
        assert_eq!(Local::default().issue(dir.path(), "../issues/2").await.unwrap_err().kind, Kind::Invalid);
    }

    #[tokio::test]
    async fn a_repository_without_issues_has_none() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Local::new("todo").open_issues(dir.path()).await.unwrap(), []);
    }
}
