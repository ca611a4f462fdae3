//! Finds Rust panics in a test's output and says which place brought the test down.
//! It knows how panics look, old and new, with backtrace and without; it knows no test runner.

use std::sync::LazyLock;

use regex::Regex;

use super::finding::Place;
use super::place::{in_repository, is_rust_test_line, is_test_path};
use super::scan::Scan;

/// One panic of one thread.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Panic {
    pub thread: String,
    pub file: String,
    pub line: u32,
    pub column: u32,
    /// What was said, without the location.
    pub message: String,
    frames: Vec<Frame>,
}

#[derive(Debug, Clone, PartialEq)]
struct Frame {
    symbol: String,
    file: Option<String>,
    line: u32,
}

/// Where a test is defined, as far as its runner says; it helps to tell its own code from the code under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// Unit tests of a library or program, with the path of its root file when known.
    Unit(Option<&'a str>),
    /// An integration test: it cannot reach the test modules of `src`.
    Integration,
    /// A documentation test of this file.
    Doc(Option<&'a str>),
}

/// What a test's panics say together.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub headline: Option<String>,
    pub file: Option<String>,
    pub line: Option<u32>,
    pub column: Option<u32>,
    pub cause: Option<Place>,
}

/// Since 1.73 the location comes first; since 1.91 the thread's id stands after its name.
static NEW: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"thread '(.*)' (?:\(\d+\) )?panicked at (\S.*?):(\d+):(\d+):$").expect("the pattern is valid")
});
static OLD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"thread '(.*?)' panicked at '(.*)$").expect("the pattern is valid"));
static OLD_END: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(.*)', (\S[^']*?):(\d+):(\d+)$").expect("the pattern is valid"));
static FRAME_AT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s+at (\S.*?):(\d+)(?::\d+)?$").expect("the pattern is valid"));

/// Lines that an old message in quotes may span; a longer one is taken as cut.
const OLD_MESSAGE_LINES: usize = 200;

/// All panics of a text, in order.
pub(super) fn panics(lines: &[&str]) -> Vec<Panic> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        if !line.contains("panicked at ") {
            continue;
        }
        if let Some(head) = NEW.captures(line) {
            let end = message_end(lines, at);
            let (frames, next) = frames(lines, end);
            found.push(Panic {
                thread: head[1].to_owned(),
                file: head[2].to_owned(),
                line: number(&head[3]),
                column: number(&head[4]),
                message: lines[at..end].join("\n").trim().to_owned(),
                frames,
            });
            at = next;
        } else if let Some(head) = OLD.captures(line) {
            let mut message = head[2].to_owned();
            let mut end = at;
            while !OLD_END.is_match(message.lines().last().unwrap_or(""))
                && end < lines.len().min(at + OLD_MESSAGE_LINES)
            {
                message.push('\n');
                message.push_str(lines[end]);
                end += 1;
            }
            let (before, last) = message.rsplit_once('\n').map_or(("", message.as_str()), |(a, b)| (a, b));
            let Some(tail) = OLD_END.captures(last) else { continue };
            let (frames, next) = frames(lines, end);
            found.push(Panic {
                thread: head[1].to_owned(),
                file: tail[2].to_owned(),
                line: number(&tail[3]),
                column: number(&tail[4]),
                message: format!("{before}\n{}", &tail[1]).trim().to_owned(),
                frames,
            });
            at = next;
        }
    }
    found
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or(0)
}

/// A message ends where the runtime goes on to speak, or at an empty line.
fn message_end(lines: &[&str], start: usize) -> usize {
    let ends = |line: &&str| {
        line.is_empty() || line.starts_with("note: ") || *line == "stack backtrace:" || line.starts_with("thread '")
    };
    lines[start..].iter().position(ends).map_or(lines.len(), |len| start + len)
}

/// The backtrace that follows, if one does, and the line after it.
fn frames(lines: &[&str], start: usize) -> (Vec<Frame>, usize) {
    let mut found: Vec<Frame> = Vec::new();
    if lines.get(start) != Some(&"stack backtrace:") {
        return (found, start);
    }
    let mut at = start + 1;
    while let Some(line) = lines.get(at) {
        if let Some(place) = FRAME_AT.captures(line) {
            if let Some(frame) = found.last_mut() {
                frame.file = Some(place[1].to_owned());
                frame.line = number(&place[2]);
            }
        } else if let Some((index, symbol)) = line.trim_start().split_once(": ")
            && index.bytes().all(|byte| byte.is_ascii_digit())
            && line.starts_with(' ')
        {
            found.push(Frame { symbol: symbol.trim().to_owned(), file: None, line: 0 });
        } else {
            break;
        }
        at += 1;
    }
    (found, at)
}

/// The text of a test's output as a person wants it: without thread numbers, which change from run to run, without the
/// hint about backtraces, and without frames outside of the repository.
pub(super) fn tidy(lines: &[&str]) -> String {
    static THREAD: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^(thread '.*') \(\d+\) ").expect("the pattern is valid"));
    let mut kept: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let (frames, end) = frames(lines, at);
        if end > at {
            kept.push("stack backtrace:".to_owned());
            let place = |frame: &Frame| {
                frame.place().map(|place| format!("  {} at {}:{}", frame.symbol, place.file, place.line))
            };
            kept.extend(frames.iter().filter_map(place));
            at = end;
            continue;
        }
        let hint = line.starts_with("note: run with `RUST_BACKTRACE=1`")
            || line.starts_with("note: Some details are omitted, run with `RUST_BACKTRACE");
        let double = line.trim().is_empty() && kept.last().is_none_or(|last| last.trim().is_empty());
        if !hint && !double {
            kept.push(THREAD.replace(line, "$1 ").into_owned());
        }
        at += 1;
    }
    kept.join("\n")
}

/// What libtest says about a `should_panic` test that did not, or not in the way it should: a line, and the place and
/// column of the test.
pub(super) fn unmet_expectation(lines: &[&str]) -> Option<(String, Option<(Place, u32)>)> {
    if let Some(at) = lines.iter().position(|line| *line == "note: panic did not contain expected string") {
        let said: Vec<&str> = lines[at..].iter().take(3).map(|line| line.trim_start_matches("note: ").trim()).collect();
        return Some((said.join("; "), None));
    }
    let line = lines.iter().find_map(|line| line.strip_prefix("note: test did not panic as expected"))?;
    let place = line.trim().strip_prefix("at ").and_then(|place| {
        let mut parts = place.rsplitn(3, ':');
        let (column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
        Some((Place { file: file.to_owned(), line: line.parse().ok()? }, column.parse().ok()?))
    });
    Some(("test did not panic as expected".to_owned(), place))
}

/// Decides what brought the test `name` down.
pub(super) fn judge(name: &str, target: Target<'_>, panics: &[Panic], scan: &Scan<'_>) -> Verdict {
    let own = panics.iter().rfind(|panic| panic.thread == name).or(panics.last());
    let Some(own) = own else { return Verdict::default() };
    // A test that joins a thread panics with what the thread left; the thread's panic is the story.
    let source = if own.message.contains("Any { .. }") {
        panics.iter().find(|panic| panic.thread != name).unwrap_or(own)
    } else {
        own
    };
    let place = source.place();
    let test_frame = own.test_frame(name);
    let cause = place.clone().filter(|place| !is_test_code(name, target, source, place, scan));
    let mut verdict = Verdict { headline: Some(source.message.clone()), cause, ..Verdict::default() };
    if let Target::Doc(Some(file)) = target {
        // Line numbers inside a documentation test count from the test's own start.
        verdict.cause = verdict.cause.filter(|place| place.file != file);
        return verdict;
    }
    if let Some((file, line)) = test_frame {
        (verdict.file, verdict.line) = (Some(file), Some(line));
    } else if let Some(file) = in_repository(&own.file, None) {
        (verdict.file, verdict.line, verdict.column) = (Some(file), Some(own.line), Some(own.column));
    } else if let Some(place) = place {
        (verdict.file, verdict.line) = (Some(place.file), Some(place.line));
    }
    verdict
}

impl Panic {
    /// Where it happened in the repository: the location itself, or the innermost frame that lies in it.
    fn place(&self) -> Option<Place> {
        if let Some(file) = in_repository(&self.file, None) {
            return Some(Place { file, line: self.line });
        }
        self.frames.iter().find_map(Frame::place)
    }

    /// The line of the test function itself, from the backtrace.
    fn test_frame(&self, name: &str) -> Option<(String, u32)> {
        let frame = self.frames.iter().find(|frame| is_function(&frame.symbol, name))?;
        frame.place().map(|place| (place.file, place.line))
    }
}

impl Frame {
    fn place(&self) -> Option<Place> {
        let file = in_repository(self.file.as_deref()?, None)?;
        Some(Place { file, line: self.line })
    }
}

/// Whether a symbol is the test function, with or without the crate's name before it and the hash after it.
fn is_function(symbol: &str, name: &str) -> bool {
    symbol.split_once("::").is_some_and(|(_, path)| {
        path == name
            || path.strip_prefix(name).is_some_and(|rest| rest.starts_with("::{{closure}}") || rest.starts_with("::h"))
    })
}

/// Whether the place of a panic is test code. Sources and backtraces know; without them the target and the path decide,
/// and where a unit test and the code under test share a file, an assertion is taken for the test's.
fn is_test_code(name: &str, target: Target<'_>, panic: &Panic, place: &Place, scan: &Scan<'_>) -> bool {
    if is_test_path(&place.file) {
        return true;
    }
    if let Some(source) = scan.source(&place.file) {
        return is_rust_test_line(source, place.line);
    }
    let at_place = |frame: &&Frame| frame.place().is_some_and(|other| other == *place);
    if let Some(frame) = panic.frames.iter().find(at_place) {
        return is_function(&frame.symbol, name)
            || frame.symbol.split("::").any(|part| matches!(part, "test" | "tests"));
    }
    match target {
        Target::Integration | Target::Doc(_) => false,
        Target::Unit(root) => may_hold_test(&place.file, name, root) && is_assertion(&panic.message),
    }
}

/// What the macros `assert!`, `assert_eq!` and `assert_ne!` say, now and before 1.72.
fn is_assertion(message: &str) -> bool {
    message.starts_with("assertion ")
}

/// Whether a unit test of this name may be defined in this file: `parser::tests::x` in `src/parser.rs` or
/// `src/parser/mod.rs`, and in the root file for its inline modules.
fn may_hold_test(file: &str, name: &str, root: Option<&str>) -> bool {
    let modules: Vec<&str> = name.split("::").collect();
    let modules = &modules[..modules.len() - 1];
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    let is_root = match root {
        Some(root) => file == root || file.ends_with(&format!("/{root}")),
        None => stem.ends_with("lib") || stem.ends_with("main"),
    };
    is_root
        || (1..=modules.len()).any(|depth| {
            let path = modules[..depth].join("/");
            stem == path || stem.ends_with(&format!("/{path}"))
        })
}

#[cfg(test)]
mod tests {
    use super::super::finding::Artefact;
    use super::*;

    fn one(text: &str) -> Panic {
        let lines: Vec<&str> = text.lines().collect();
        let mut all = panics(&lines);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    #[test]
    fn the_form_before_1_73_is_read_too() {
        let panic = one(
            "thread 'tests::a' panicked at 'assertion failed: `(left == right)`\n  left: `1`,\n right: `2`: it's', src/lib.rs:7:9\nnote: run with `RUST_BACKTRACE=1`",
        );
        assert_eq!(
            (panic.thread.as_str(), panic.file.as_str(), panic.line, panic.column),
            ("tests::a", "src/lib.rs", 7, 9)
        );
        assert_eq!(panic.message, "assertion failed: `(left == right)`\n  left: `1`,\n right: `2`: it's");
    }

    #[test]
    fn the_form_without_a_thread_id_is_read_too() {
        let panic = one("thread 'a' panicked at src/a b.rs:1:2:\nboom\nnote: run with");
        assert_eq!((panic.file.as_str(), panic.message.as_str()), ("src/a b.rs", "boom"));
    }

    #[test]
    fn a_panic_in_a_toolchain_file_has_the_innermost_frame_of_the_repository_as_its_place() {
        let panic = one(
            "thread 'a' (1) panicked at /rustc/0/library/core/src/x.rs:1:1:\nboom\nstack backtrace:\n   0: core::x\n             at /rustc/0/library/core/src/x.rs:1:1\n   1: mine::deep\n             at ./src/deep.rs:4:2\n   2: mine::a\n             at ./tests/a.rs:9:2\nnote: Some details",
        );
        assert_eq!(panic.place(), Some(Place { file: "src/deep.rs".into(), line: 4 }));
        assert_eq!(panic.test_frame("a"), Some(("tests/a.rs".into(), 9)));
    }

    #[test]
    fn a_source_that_is_at_hand_decides_what_is_test_code() {
        let files = [Artefact {
            path: "src/lib.rs".into(),
            text: "fn under_test() {\n    assert!(false);\n}\n#[cfg(test)]\nmod tests {\n    fn check() {\n        None::<u8>.unwrap();\n    }\n}\n".into(),
        }];
        let cause = |line: u32, message: &str, files: &[Artefact]| {
            let text = format!("thread 'tests::a' panicked at src/lib.rs:{line}:5:\n{message}");
            let scan = Scan::new("", "", files);
            judge("tests::a", Target::Unit(Some("src/lib.rs")), &[one(&text)], &scan).cause.map(|place| place.line)
        };
        assert_eq!(cause(2, "assertion failed: false", &files), Some(2));
        assert_eq!(cause(2, "assertion failed: false", &[]), None);
        assert_eq!(cause(7, "called `Option::unwrap()`", &files), None);
        assert_eq!(cause(7, "called `Option::unwrap()`", &[]), Some(7));
    }
}
