//! Reads Python tracebacks in pytest's long, short and native styles and says which line is to blame.
//! It knows no test ids; `pytest.rs` and `junit.rs` hand it the text of one failure.

use std::sync::LazyLock;

use regex::Regex;

use super::finding::Place;
use super::place::{in_repository, is_test_path};

static LOCATION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(\S[^:]*\.\w+|<[^>]+>(?:\.\w+)?):(\d+): ?(?:in .+|[\w.]+)?$").expect("the pattern is valid")
});
static NATIVE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"^(?:E)?\s*File "(.+)", line (\d+)(?:,? in (.+))?$"#).expect("the pattern is valid"));
static RAISED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[A-Za-z_][\w.]*(?:: .*)?$").expect("the pattern is valid"));
static MISSING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"No module named '[^']+'|cannot import name '[^']+' from '[^']+'").expect("the pattern is valid")
});

/// One exception of a chain.
#[derive(Debug, Default)]
struct Link {
    frames: Vec<Place>,
    /// What stands behind `E`.
    errors: Vec<String>,
    /// The last line that looks like `ValueError: text`, for the native style.
    raised: Option<String>,
    /// `raise … from` made it out of the link before.
    from_previous: bool,
}

/// What a traceback says.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub headline: Option<String>,
    /// Where the test itself stood.
    pub own: Option<Place>,
    pub cause: Option<Place>,
    pub missing: Option<String>,
}

/// Whose code ran when it was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum During {
    /// The test's own function.
    Call,
    /// A fixture, or the import of a test file: shared by tests even where it lies in test code.
    Fixture,
    Collection,
}

/// Reads the text of one failure. `root` is pytest's root directory, for paths that are printed in full.
pub(super) fn read(lines: &[&str], root: Option<&str>, during: During) -> Reading {
    let chain = chain(lines);
    let Some(last) = chain.last() else { return Reading::default() };
    let in_repo = |link: &Link| -> Vec<Place> {
        let place = |frame: &Place| in_repository(&frame.file, root).map(|file| Place { file, line: frame.line });
        link.frames.iter().filter_map(place).collect()
    };
    // `raise B from A`: A tells where it went wrong.
    let mut story = chain.len() - 1;
    while story > 0 && chain[story].from_previous {
        story -= 1;
    }
    let cause = in_repo(&chain[story]).pop();
    let headline = last.headline();
    let missing = headline.as_deref().and_then(|text| MISSING.find(text)).map(|found| found.as_str().to_owned());
    Reading {
        own: in_repo(last).into_iter().next(),
        cause: cause.filter(|place| during == During::Fixture || !is_test_path(&place.file)),
        missing,
        headline,
    }
}

fn chain(lines: &[&str]) -> Vec<Link> {
    let mut chain = vec![Link::default()];
    for line in lines {
        if is_capture_title(line) {
            break;
        }
        let from = line.starts_with("The above exception was the direct cause of the following exception");
        if from || line.starts_with("During handling of the above exception, another exception occurred") {
            chain.push(Link { from_previous: from, ..Link::default() });
            continue;
        }
        let Some(link) = chain.last_mut() else { continue };
        if let Some(place) = LOCATION.captures(line).or_else(|| NATIVE.captures(line)) {
            link.frames.push(Place { file: place[1].to_owned(), line: place[2].parse().unwrap_or(0) });
        }
        if let Some(error) = line.strip_prefix("E   ") {
            link.errors.push(error.trim_start_matches(' ').to_owned());
        } else if RAISED.is_match(line) && !line.contains(": in ") {
            link.raised = Some((*line).to_owned());
        }
    }
    chain
}

/// `----- Captured stdout call -----`.
pub(super) fn is_capture_title(line: &str) -> bool {
    line.starts_with('-') && line.ends_with('-') && line.contains(" Captured ")
}

impl Link {
    /// The first error line; of a syntax error, whose first lines are a quotation, the last.
    fn headline(&self) -> Option<String> {
        match self.errors.first() {
            Some(first) if first.starts_with("File \"") => self.errors.last().cloned(),
            Some(first) => Some(first.clone()),
            None => self.raised.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(place: Option<Place>) -> Option<(String, u32)> {
        place.map(|place| (place.file, place.line))
    }

    #[test]
    fn the_innermost_frame_of_the_repository_is_the_cause() {
        let text = "tests/test_a.py:3: in test_a\n    load()\npkg/load.py:9: in load\n    json.loads(x)\n/usr/lib/python3/json/decoder.py:355: in raw_decode\n    raise\nE   json.JSONDecodeError: no";
        let reading = read(&text.lines().collect::<Vec<_>>(), Some("/repo"), During::Call);
        assert_eq!(at(reading.own), Some(("tests/test_a.py".into(), 3)));
        assert_eq!(at(reading.cause), Some(("pkg/load.py".into(), 9)));
        assert_eq!(reading.headline.as_deref(), Some("json.JSONDecodeError: no"));
    }

    #[test]
    fn a_callback_into_the_test_is_the_tests_own() {
        let text = "tests/test_a.py:3: in test_a\npkg/load.py:9: in load\ntests/test_a.py:1: in call\nE   assert 0";
        let reading = read(&text.lines().collect::<Vec<_>>(), None, During::Call);
        assert_eq!(reading.cause, None);
    }

    #[test]
    fn an_exception_while_another_was_handled_is_its_own_cause() {
        let chained = |how: &str| {
            let text = format!(
                "pkg/a.py:1: in a\nE   KeyError: 1\n\n{how}\ntests/test_a.py:3: in test_a\npkg/b.py:2: in b\nE   NotFound: 1"
            );
            at(read(&text.lines().collect::<Vec<_>>(), None, During::Call).cause)
        };
        assert_eq!(
            chained("During handling of the above exception, another exception occurred:"),
            Some(("pkg/b.py".into(), 2))
        );
        assert_eq!(
            chained("The above exception was the direct cause of the following exception:"),
            Some(("pkg/a.py".into(), 1))
        );
    }

    #[test]
    fn captured_output_is_no_traceback() {
        let text = "tests/test_a.py:3: in test_a\nE   assert 0\n------ Captured log call ------\npkg/a.py:7: in x";
        assert_eq!(read(&text.lines().collect::<Vec<_>>(), None, During::Call).cause, None);
    }
}
