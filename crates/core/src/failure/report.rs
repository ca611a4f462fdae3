//! Runs the readers over one output and makes one report of what they found.
//! The exit code alone says whether a check passed; readers only say why it did not.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::finding::{
    CheckOutput, Counts, FAILURES_MAX, Failure, Kind, MESSAGE_MAX, MESSAGES_MAX, Place, Reader, Report,
};
use super::scan::{Draft, Found, Scan};
use super::{cargo, clean, exit, junit, nextest, pytest};

type ReadText = fn(&mut Scan<'_>) -> Found;

/// Reads what a check left behind. Total: any text gives a report, and never `passed` unless the exit code is 0.
#[must_use]
pub fn read(check: &CheckOutput<'_>) -> Report {
    let clean = clean::strip(check.output);
    let mut scan = Scan::new(check.command, &clean, check.files);
    let mut all = Found::default();
    for reader in in_order(check.command) {
        merge(&mut all, reader(&mut scan));
    }
    let reports = junit::read(&scan);
    merge_reports(&mut all, reports);
    let passed = check.exit_code == Some(0) && check.signal.is_none() && !check.timed_out;
    if passed && !all.drafts.is_empty() {
        let count = all.drafts.len();
        all.notes.push(format!(
            "the output shows {count} failure{} but the exit code is 0",
            if count == 1 { "" } else { "s" }
        ));
    }
    if !passed && (all.drafts.is_empty() || check.timed_out) {
        let notes = all.notes.clone();
        merge(&mut all, exit::found(check, &clean, &notes));
    }
    note_unread(&mut all);
    drop_beyond_limit(&mut all);
    let reader = leader(&all.drafts, &all.recognised);
    let partial = all.partial && !passed;
    Report { passed, partial, reader, counts: all.counts, note: note(&all.notes), failures: finish(all.drafts) }
}

/// The tool that the command names reads first: what it printed may quote the others.
fn in_order(command: &str) -> [ReadText; 3] {
    if command.contains("pytest") && !command.contains("cargo") {
        [pytest::read, nextest::read, cargo::read]
    } else {
        [nextest::read, cargo::read, pytest::read]
    }
}

fn merge(all: &mut Found, found: Found) {
    all.recognised.extend(found.recognised);
    all.counts.passed = all.counts.passed.saturating_add(found.counts.passed);
    all.counts.failed = all.counts.failed.saturating_add(found.counts.failed);
    all.counts.ignored = all.counts.ignored.saturating_add(found.counts.ignored);
    all.partial |= found.partial;
    all.drafts.extend(found.drafts);
    all.notes.extend(found.notes);
}

/// Adds what reports know beyond the output, which may lack its middle. The output's word on a failure is kept: it has
/// paths as the repository has them, and commands.
fn merge_reports(all: &mut Found, mut reports: Found) {
    let known: HashSet<String> = all.drafts.iter().flat_map(names).collect();
    reports.drafts.retain(|draft| !names(draft).iter().any(|name| known.contains(name)));
    if all.counts != Counts::default() {
        reports.counts = Counts::default();
    }
    merge(all, reports);
}

/// The names under which the same test may stand in a text and in a report.
fn names(draft: &Draft) -> Vec<String> {
    let suite = draft.suite.as_deref().unwrap_or("");
    match draft.reader {
        Reader::Pytest => {
            let (path, parameters) =
                draft.name.find('[').map_or((draft.name.as_str(), ""), |at| draft.name.split_at(at));
            vec![path.replace(".py", "").replace("::", ".").replace('/', ".") + parameters]
        }
        Reader::Junit => vec![
            if suite.is_empty() || suite == "pytest" { draft.name.clone() } else { format!("{suite}.{}", draft.name) },
            format!("{suite} {}", draft.name),
        ],
        Reader::Cargo | Reader::Nextest | Reader::Exit => vec![format!("{suite} {}", draft.name)],
    }
}

/// The reader with most failures; when nothing failed, the first that knew the tool.
fn leader(drafts: &[Draft], recognised: &[Reader]) -> Reader {
    let readers = [Reader::Cargo, Reader::Nextest, Reader::Pytest, Reader::Junit, Reader::Exit];
    let count = |reader: Reader| drafts.iter().filter(|draft| draft.reader == reader).count();
    let mut leader = if drafts.is_empty() { recognised.first().copied().unwrap_or(Reader::Exit) } else { Reader::Exit };
    for reader in readers {
        if count(reader) > count(leader) {
            leader = reader;
        }
    }
    leader
}

/// Says so when the tools counted more failed tests than were read: the output may lack its middle.
fn note_unread(all: &mut Found) {
    let tests = all.drafts.iter().filter(|draft| draft.reader != Reader::Exit).count();
    let read = u32::try_from(tests).unwrap_or(u32::MAX);
    if let Some(missing) = all.counts.failed.checked_sub(read).filter(|missing| *missing > 0) {
        all.partial = true;
        all.notes.push(format!("the tools counted {} failed, {missing} of them could not be read", all.counts.failed));
    }
}

/// Keeps what a report may hold, and says so. What goes is at the end of the order, so that every run drops the same.
fn drop_beyond_limit(all: &mut Found) {
    all.drafts.sort_by_cached_key(Draft::order);
    let beyond = all.drafts.len().saturating_sub(FAILURES_MAX);
    if beyond > 0 {
        all.drafts.truncate(FAILURES_MAX);
        all.partial = true;
        all.notes.push(format!("{beyond} more failures are not listed"));
    }
}

/// Longest note in bytes.
const NOTE_MAX: usize = 1000;

fn note(notes: &[String]) -> Option<String> {
    (!notes.is_empty()).then(|| clean::one_line(&clean::strip(&notes.join("; ")), NOTE_MAX))
}

/// Puts failures in order, gives those that miss the same thing the same cause, and names each.
fn finish(mut drafts: Vec<Draft>) -> Vec<Failure> {
    let room = (MESSAGES_MAX / drafts.len().max(1)).min(MESSAGE_MAX);
    let mut first_missing: HashMap<String, Place> = HashMap::new();
    for draft in &mut drafts {
        let own = draft.file.clone().zip(draft.line).map(|(file, line)| Place { file, line });
        if let (Some(missing), Some(own)) = (&draft.missing, draft.cause.clone().or(own)) {
            draft.cause = Some(first_missing.entry(missing.clone()).or_insert(own).clone());
        }
    }
    let mut seen: HashMap<String, u32> = HashMap::new();
    drafts
        .into_iter()
        .map(|draft| {
            let base = identity(&draft);
            let again = seen.entry(base.clone()).or_insert(0);
            *again += 1;
            let id = if *again == 1 { base } else { digest(&[&base, &again.to_string()]) };
            draft.finish(id, room)
        })
        .collect()
}

/// The same for the same failure in the next run: of a compile error its file and message (the unit that is compiled
/// first varies), of a test its suite and name.
fn identity(draft: &Draft) -> String {
    let name = draft.identity.as_deref().unwrap_or(&draft.name);
    match draft.kind {
        Kind::Compile | Kind::Lint => digest(&[draft.reader.name(), name]),
        Kind::Test | Kind::Exit => digest(&[draft.reader.name(), draft.suite.as_deref().unwrap_or(""), name]),
    }
}

/// 16 hex digits of SHA-256 over the parts; 64 bits are plenty for the failures of one run.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
