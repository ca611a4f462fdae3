//! Reads rustc's diagnostics as cargo prints them: errors, and lints that were raised to errors.
//! Warnings are no failures.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::finding::{Kind, Place, Reader};
use super::place::in_repository;
use super::scan::{Draft, Scan};

static HEAD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^error(?:\[([A-Za-z0-9_:]+)\])?: (.+)$").expect("the pattern is valid"));
static ARROW: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s*--> (.+?):(\d+):(\d+)$").expect("the pattern is valid"));
static UNIT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^error: could not compile `([^`]+)`(?: \(([^)]+)\))?").expect("the pattern is valid")
});

static FOLDER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r" \(/[^)]*\)").expect("the pattern is valid"));

/// Codes of names that cannot be resolved: the same message in two places misses the same thing.
const UNRESOLVED: [&str; 9] = ["E0405", "E0407", "E0412", "E0422", "E0425", "E0432", "E0433", "E0531", "E0599"];

/// Reads and takes all diagnostics in the lines that nobody took.
pub(super) fn read(scan: &mut Scan<'_>, rerun: Option<&str>) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut seen = HashSet::new();
    let mut waiting = 0;
    let free: Vec<usize> = scan.free().collect();
    let mut next = 0;
    for at in free {
        if at < next {
            continue;
        }
        let line = scan.lines[at];
        if let Some(unit) = UNIT.captures(line) {
            let suite = match unit.get(2) {
                // A library and its unit tests are one source, and which of the two is compiled first varies.
                Some(target) => format!("{} ({})", &unit[1], target.as_str().trim_end_matches(" test")),
                None => unit[1].to_owned(),
            };
            for draft in &mut drafts[waiting..] {
                draft.suite = Some(suite.clone());
            }
            waiting = drafts.len();
            scan.take(at..at + 1);
        } else if let Some((draft, end)) = diagnostic(scan, at).or_else(|| cargo_error(scan, at)) {
            scan.take(at..end);
            next = end;
            // The same source is compiled once for its tests and once without.
            if seen.insert((draft.file.clone(), draft.line, draft.column, draft.name.clone())) {
                drafts.push(Draft { rerun: rerun.map(str::to_owned), ..draft });
            }
        }
    }
    drafts
}

/// One diagnostic that begins at a line: its head is followed by an arrow, a bar or a note.
fn diagnostic(scan: &Scan<'_>, at: usize) -> Option<(Draft, usize)> {
    let head = HEAD.captures(scan.lines[at])?;
    let body = *scan.lines.get(at + 1)?;
    if !body.starts_with(' ') || !body.trim_start().starts_with(['-', '|', '=', ':']) {
        return None;
    }
    let len = scan.lines[at..].iter().position(|line| line.is_empty()).unwrap_or(scan.lines.len() - at);
    let text = &scan.lines[at..at + len];
    let code = head.get(1).map(|code| code.as_str());
    let is_lint = |line: &&str| {
        let line = line.trim_start();
        let raised = line.starts_with("= note: `#[deny(")
            || line.starts_with("= note: `#[forbid(")
            || (line.starts_with("= note: `-D ")
                || line.starts_with("= note: requested on the command line with `-D "))
            || line.starts_with("= note: `-F ");
        raised || line == "note: the lint level is defined here"
    };
    let kind = if code.is_none() && text.iter().any(is_lint) { Kind::Lint } else { Kind::Compile };
    let mut draft = Draft::new(Reader::Cargo, kind, scan.lines[at]);
    if let Some(arrow) = text.iter().find_map(|line| ARROW.captures(line))
        && let Some(file) = in_repository(&arrow[1], None)
    {
        draft.line = arrow[2].parse().ok();
        draft.column = arrow[3].parse().ok();
        draft.cause = draft.line.map(|line| Place { file: file.clone(), line });
        draft.file = Some(file);
    }
    draft.missing = code.filter(|code| UNRESOLVED.contains(code)).map(|_| scan.lines[at].to_owned());
    draft.identity = Some(format!("{} {}", draft.file.as_deref().unwrap_or(""), scan.lines[at]));
    draft.headline = scan.lines[at].to_owned();
    draft.detail = text.join("\n");
    Some((draft, at + len))
}

/// What cargo itself could not do before any compiler ran.
const CARGO_ERRORS: [&str; 4] = [
    "error: failed to run custom build command for ",
    "error: failed to parse manifest at ",
    "error: failed to load manifest for ",
    "error: linking with ",
];

fn cargo_error(scan: &Scan<'_>, at: usize) -> Option<(Draft, usize)> {
    let line = scan.lines[at];
    if !CARGO_ERRORS.iter().any(|start| line.starts_with(start)) {
        return None;
    }
    let goes_on = |line: &&str| line.is_empty() || line.starts_with("  ") || *line == "Caused by:";
    let is_status = |line: &&str| line.starts_with("   ") && line.trim_start().starts_with("Compiling ");
    let len = 1 + scan.lines[at + 1..].iter().take_while(|line| goes_on(line) && !is_status(line)).count();
    // The folder in brackets is this machine's.
    let name = FOLDER.replace_all(line, "").into_owned();
    let mut draft = Draft::new(Reader::Cargo, Kind::Compile, &name);
    draft.headline = name;
    draft.detail = scan.lines[at..at + len].join("\n");
    Some((draft, at + len))
}
