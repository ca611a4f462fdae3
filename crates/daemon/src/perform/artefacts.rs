//! What a check leaves beside its output: JUnit reports that it wrote, and the source files that its output names.
//!
//! It follows no link out of the check's directory, and what cannot be read is left out: the output is there in any case.

use ao_core::failure::Artefact;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

/// How deep below the check's directory reports are looked for: `module/target/surefire-reports/TEST-x.xml` is at 4.
const DEPTH: usize = 5;

/// Most directory entries that are looked at: a repository of any size costs well under a second.
const ENTRIES: usize = 50_000;

/// Most reports.
const REPORTS: usize = 20;

/// Largest report, in bytes.
const REPORT_MAX: u64 = 2 * 1024 * 1024;

/// Most source files.
const SOURCES: usize = 40;

/// Largest source file, in bytes.
const SOURCE_MAX: u64 = 256 * 1024;

/// How far into a file of no telling name the root element of a report must stand, in bytes.
const HEAD: u64 = 512;

/// Directories without reports, or with more files than anybody wants to look at.
const SKIPPED: [&str; 2] = [".git", "node_modules"];

/// The only part of a cargo target directory with reports.
const NEXTEST: &str = "nextest";

/// Extensions of the source files that failures name.
const SOURCE: [&str; 2] = ["rs", "py"];

/// The time at which a check starts, by the clock that stamps files: it is coarser than the one that programs read, and a
/// report written at once would seem older than its check.
pub(super) fn start(beside: &Path) -> SystemTime {
    let mark = beside.with_extension("start");
    let stamped = std::fs::write(&mark, "").and_then(|()| mark.metadata()).and_then(|meta| meta.modified());
    // Left behind it is an empty file beside the logs.
    let _ = std::fs::remove_file(&mark);
    stamped.unwrap_or_else(|_| SystemTime::now())
}

/// Reports newer than `since`, and the sources that `output` names. Blocking.
pub(super) fn collect(dir: &Path, since: SystemTime, output: &str) -> Vec<Artefact> {
    let mut walk = Walk { root: dir, since, left: ENTRIES, found: Vec::new() };
    walk.look(dir, 1);
    let mut found = walk.found;
    found.extend(sources(dir, output));
    found
}

struct Walk<'a> {
    root: &'a Path,
    since: SystemTime,
    left: usize,
    found: Vec<Artefact>,
}

impl Walk<'_> {
    fn look(&mut self, dir: &Path, depth: usize) {
        let Ok(entries) = std::fs::read_dir(dir) else { return };
        let mut entries: Vec<_> = entries.flatten().take(self.left).collect();
        self.left = self.left.saturating_sub(entries.len());
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            // Of the entry itself: links are followed nowhere.
            let (Ok(kind), path) = (entry.file_type(), entry.path()) else { continue };
            if self.found.len() >= REPORTS {
                return;
            }
            if kind.is_dir() {
                if depth < DEPTH && wanted(&path) {
                    self.look(&path, depth + 1);
                }
            } else if kind.is_file() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("xml")) {
                self.found.extend(self.report(&path));
            }
        }
    }

    fn report(&self, path: &Path) -> Option<Artefact> {
        let meta = path.metadata().ok()?;
        if meta.len() > REPORT_MAX || meta.modified().ok()? < self.since || !(is_named(path) || begins(path)) {
            return None;
        }
        Some(Artefact { path: relative(self.root, path)?, text: text(path, REPORT_MAX)? })
    }
}

/// Whether a directory may hold reports.
fn wanted(dir: &Path) -> bool {
    let name = name(dir);
    let in_target = dir.parent().is_some_and(|p| p.file_name().is_some_and(|n| n == "target") && is_cargo(p));
    !SKIPPED.contains(&name.as_str()) && (!in_target || name == NEXTEST)
}

/// Other tools call their directory `target` as well, and put reports there.
fn is_cargo(target: &Path) -> bool {
    target.join("CACHEDIR.TAG").exists() || target.join(".rustc_info.json").exists()
}

fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether a file or its directory is called what tools call reports.
fn is_named(path: &Path) -> bool {
    let (file, dir) = (name(path), path.parent().map(name).unwrap_or_default());
    file.contains("junit") || file.starts_with("TEST-") || file.starts_with("report") || dir.contains("test-results")
}

/// Whether a file is a report by its first element.
fn begins(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).contains("<testsuite")
}

fn text(path: &Path, most: u64) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn relative(root: &Path, path: &Path) -> Option<String> {
    path.strip_prefix(root).ok().map(|p| p.to_string_lossy().into_owned())
}

/// The source files that an output names as `path.rs:12`.
fn sources(dir: &Path, output: &str) -> Vec<Artefact> {
    let Ok(root) = dir.canonicalize() else { return Vec::new() };
    let mut seen = BTreeSet::new();
    let words =
        output.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '\'' | '"' | '`' | ',' | '[' | ']'));
    let named = words.filter_map(source).filter(|path| seen.insert(path.clone()));
    named.filter_map(|path| read_source(dir, &root, &path)).take(SOURCES).collect()
}

/// The path in `path.rs:12:3`.
fn source(word: &str) -> Option<PathBuf> {
    let (path, rest) = word.split_once(':')?;
    let path = Path::new(path);
    let known = path.extension().and_then(|e| e.to_str()).is_some_and(|e| SOURCE.contains(&e));
    let climbs = path.components().any(|c| c == Component::ParentDir);
    (known && !climbs && rest.starts_with(|c: char| c.is_ascii_digit())).then(|| path.to_owned())
}

fn read_source(dir: &Path, root: &Path, path: &Path) -> Option<Artefact> {
    // A link may lead out of the directory: where it ends counts.
    let real = dir.join(path).canonicalize().ok()?;
    let meta = real.metadata().ok()?;
    if !real.starts_with(root) || !meta.is_file() || meta.len() > SOURCE_MAX {
        return None;
    }
    let named = if path.is_absolute() { relative(root, &real)? } else { path.to_string_lossy().into_owned() };
    Some(Artefact { path: named, text: text(&real, SOURCE_MAX)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ao_core::failure::{self, CheckOutput, Reader};
    use std::time::Duration;

    const JUNIT: &str = r#"<?xml version="1.0"?><testsuites><testsuite name="s">
<testcase classname="a" name="one"><failure message="1 is not 2">at a.rs:1</failure></testcase>
<testcase classname="a" name="two"><failure message="3 is not 4">at a.rs:2</failure></testcase>
<testcase classname="a" name="three"/></testsuite></testsuites>"#;

    fn put(dir: &Path, path: &str, text: &str) {
        let file = dir.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn paths(found: &[Artefact]) -> Vec<&str> {
        found.iter().map(|a| a.path.as_str()).collect()
    }

    #[test]
    fn a_report_that_a_check_wrote_is_read_failure_by_failure() {
        let dir = tempfile::tempdir().unwrap();
        let since = start(&dir.path().join("log"));
        put(dir.path(), "out/junit.xml", JUNIT);
        let files = collect(dir.path(), since, "2 of 3 failed");
        let check = CheckOutput {
            command: "make test",
            exit_code: Some(1),
            output: "2 of 3 failed",
            files: &files,
            ..CheckOutput::default()
        };
        let report = failure::read(&check);
        assert_eq!((report.reader, report.failures.len()), (Reader::Junit, 2), "{report:?}");
    }

    #[test]
    fn reports_are_found_by_name_and_by_content_and_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let since = start(&dir.path().join("log"));
        for path in
            ["a/TEST-x.xml", "test-results/any.xml", "odd.xml", "target/nextest/ci/junit.xml", "m/target/r/TEST-y.xml"]
        {
            put(dir.path(), path, JUNIT);
        }
        put(dir.path(), "target/CACHEDIR.TAG", "");
        for path in
            ["target/debug/junit.xml", "node_modules/m/junit.xml", ".git/junit.xml", "1/2/3/4/5/junit.xml", "junit.txt"]
        {
            put(dir.path(), path, JUNIT);
        }
        put(dir.path(), "pom.xml", "<project/>");
        std::os::unix::fs::symlink("/etc", dir.path().join("link")).unwrap();
        let found = collect(dir.path(), since, "");
        let wanted =
            ["a/TEST-x.xml", "m/target/r/TEST-y.xml", "odd.xml", "target/nextest/ci/junit.xml", "test-results/any.xml"];
        assert_eq!(paths(&found), wanted);
        let later = SystemTime::now() + Duration::from_secs(60);
        assert_eq!(collect(dir.path(), later, ""), [], "of an earlier check");
    }

    #[test]
    fn sources_are_read_that_the_output_names_and_that_lie_inside() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "d/src/lib.rs", "fn it() {}\n");
        put(dir.path(), "secret.rs", "outside\n");
        std::os::unix::fs::symlink(dir.path().join("secret.rs"), dir.path().join("d/link.rs")).unwrap();
        let output = "panicked at src/lib.rs:1:4:\n(src/lib.rs:9) ../secret.rs:1 link.rs:1 gone.rs:3 src/lib.rs";
        assert_eq!(paths(&collect(&dir.path().join("d"), SystemTime::now(), output)), ["src/lib.rs"]);
    }
}
