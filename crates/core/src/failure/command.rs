//! Makes, from the command of a check, the command that runs one of its tests again.
//! Only plain commands are narrowed; for anything else there is no shorter command than the check itself.

use super::shell::{Word, quote, segments};

/// Where one test lives, for `cargo test`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct CargoTarget {
    /// `-p PACKAGE`, when cargo said so.
    pub package: Option<String>,
    /// `--lib`, `--bin x`, `--test x`, `--doc`: what cargo prints after "to rerun pass".
    pub selection: Vec<String>,
}

/// How a test is named on the command line of its runner.
pub(super) enum Only<'a> {
    /// One libtest test in full.
    Exact(&'a str),
    /// What contains this text; for documentation tests, whose full names hold line numbers and spaces.
    Containing(&'a str),
    /// The whole target.
    All,
}

impl CargoTarget {
    /// Reads `-p beta --test deep`. The text comes from a log, so that only harmless words pass.
    pub fn parse(spec: &str) -> Option<Self> {
        let mut target = Self::default();
        let mut words = spec.split_whitespace();
        while let Some(word) = words.next() {
            let harmless = |word: &str| word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@:/#+".contains(&b));
            if !harmless(word) {
                return None;
            }
            if word == "-p" || word == "--package" {
                target.package = Some(words.next().filter(|name| harmless(name))?.to_owned());
            } else {
                target.selection.push(word.to_owned());
            }
        }
        Some(target)
    }
}

/// `cargo test` for one test of one target.
pub(super) fn cargo_test(command: &str, target: &CargoTarget, only: &Only<'_>) -> Option<String> {
    let (before, words) = invocation(command, &[&["cargo", "test"], &["cargo", "t"]])?;
    let (own, harness) = split_at_dashes(&words);
    let narrowed = target.package.is_some();
    let mut kept = keep(&own, &CARGO_TEST, narrowed);
    if let Some(package) = &target.package {
        kept.extend(["-p".to_owned(), quote(package)]);
    }
    kept.extend(target.selection.iter().map(|word| quote(word)));
    let mut tail = keep(&harness, &LIBTEST, false);
    match only {
        Only::Exact(name) => tail.extend(["--exact".to_owned(), quote(name)]),
        Only::Containing(text) => tail.push(quote(text)),
        Only::All => {}
    }
    if !tail.is_empty() {
        kept.push("--".to_owned());
        kept.extend(tail);
    }
    Some(before + &kept.join(" "))
}

/// The same command, but only compiling: enough to see a compile error again.
pub(super) fn cargo_no_run(command: &str) -> Option<String> {
    let known: [&[&str]; 4] =
        [&["cargo", "test"], &["cargo", "t"], &["cargo", "nextest", "run"], &["cargo", "nextest", "r"]];
    let (before, words) = invocation(command, &known)?;
    let (own, _) = split_at_dashes(&words);
    let mut kept: Vec<String> = own.into_iter().filter(|word| word.value != "--no-run").map(|word| word.raw).collect();
    kept.push("--no-run".to_owned());
    Some(before + &kept.join(" "))
}

/// `cargo nextest run` for one test of one binary.
pub(super) fn nextest(command: &str, binary: &str, name: &str) -> Option<String> {
    let (before, words) = invocation(command, &[&["cargo", "nextest", "run"], &["cargo", "nextest", "r"]])?;
    // The filter language has escapes of its own; names that would need them are rare.
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:/.@".contains(&b));
    if !plain(binary) || !plain(name) {
        return None;
    }
    let (own, _) = split_at_dashes(&words);
    let mut kept = keep(&own, &NEXTEST, false);
    kept.extend(["-E".to_owned(), quote(&format!("binary_id(={binary}) & test(={name})"))]);
    Some(before + &kept.join(" "))
}

/// `pytest` for one node id, or for one file.
pub(super) fn pytest(command: &str, node: &str) -> Option<String> {
    let known: [&[&str]; 3] = [&["pytest"], &["py.test"], &["-m", "pytest"]];
    let (before, words) = invocation(command, &known)?;
    let mut kept = keep(&words, &PYTEST, false);
    kept.push(quote(node));
    Some(before + &kept.join(" "))
}

/// Which options of a tool stay in a narrowed command.
struct Options {
    /// Take a word after them and stay.
    valued: &'static [&'static str],
    /// Take a word after them and go.
    valued_dropped: &'static [&'static str],
    /// Stand alone and go.
    dropped: &'static [&'static str],
    /// Take a word and go when the package is named anew.
    packages: &'static [&'static str],
    /// Words that name the tool or its verb: what stands before the last of them stays.
    verbs: &'static [&'static str],
}

const CARGO_TEST: Options = Options {
    valued: &[
        "--features",
        "-F",
        "--target",
        "--target-dir",
        "--manifest-path",
        "--profile",
        "-j",
        "--jobs",
        "--color",
        "--config",
        "-Z",
        "-C",
        "--lockfile-path",
        "--message-format",
    ],
    valued_dropped: &["--bin", "--test", "--example", "--bench"],
    dropped: &["--lib", "--bins", "--tests", "--examples", "--benches", "--all-targets", "--doc", "--no-run"],
    packages: &["-p", "--package", "--exclude"],
    verbs: &["test", "t"],
};

const LIBTEST: Options = Options {
    valued: &["--test-threads", "--color", "--format", "--shuffle-seed", "-Z", "--logfile", "--skip"],
    valued_dropped: &[],
    dropped: &["--exact", "--list"],
    packages: &[],
    verbs: &[],
};

const NEXTEST: Options = Options {
    valued: &[
        "--features",
        "-F",
        "--target",
        "--target-dir",
        "--manifest-path",
        "--cargo-profile",
        "--profile",
        "-P",
        "--build-jobs",
        "--color",
        "--config",
        "-Z",
        "-C",
        "--config-file",
        "--tool-config-file",
        "-j",
        "--test-threads",
        "--retries",
        "--run-ignored",
        "-p",
        "--package",
        "--exclude",
        "--failure-output",
        "--success-output",
        "--status-level",
        "--final-status-level",
        "--message-format",
        "--archive-file",
        "--workspace-remap",
        "--no-tests",
        "--max-fail",
    ],
    valued_dropped: &["-E", "--filterset", "--filter-expr", "--partition", "--bin", "--test", "--example", "--bench"],
    dropped: &["--lib", "--bins", "--tests", "--examples", "--benches", "--all-targets", "--no-run"],
    packages: &[],
    verbs: &["nextest", "run", "r"],
};

/// What selects other tests, stops early, runs in parallel or writes reports goes; so do `-k` and `-m`, which a single
/// test has passed already.
const PYTEST: Options = Options {
    valued: &[
        "-c",
        "--config-file",
        "-p",
        "-W",
        "-o",
        "--override-ini",
        "--rootdir",
        "--confcutdir",
        "--import-mode",
        "--tb",
        "--color",
        "--basetemp",
        "--log-level",
        "--log-cli-level",
    ],
    valued_dropped: &[
        "-k",
        "-m",
        "-n",
        "--numprocesses",
        "--dist",
        "--maxfail",
        "--ignore",
        "--ignore-glob",
        "--deselect",
        "-r",
        "--durations",
        "--durations-min",
        "--junitxml",
        "--junit-xml",
        "--junit-prefix",
        "--cov-report",
        "--cov-config",
        "--cov-fail-under",
        "--html",
        "--report-log",
        "--lfnf",
        "--stepwise-skip",
    ],
    dropped: &[
        "-x",
        "--exitfirst",
        "--lf",
        "--last-failed",
        "--ff",
        "--failed-first",
        "--nf",
        "--new-first",
        "--sw",
        "--stepwise",
        "--cov",
        "--collect-only",
        "--co",
        "--pyargs",
    ],
    packages: &[],
    verbs: &["pytest", "py.test"],
};

/// The words of a tool's command that stay when one test is run: everything up to the verb, then options as listed;
/// words that select tests go.
fn keep(words: &[Word], options: &Options, narrowed: bool) -> Vec<String> {
    let mut kept = Vec::new();
    let verbs = options.verbs;
    let verb_end = verb_end(words, verbs);
    kept.extend(words[..verb_end].iter().map(|word| word.raw.clone()));
    let mut rest = words[verb_end..].iter().peekable();
    while let Some(word) = rest.next() {
        let text = word.value.as_str();
        let (name, inline) = text.split_once('=').map_or((text, false), |(name, _)| (name, true));
        let is_package = options.packages.contains(&name);
        let takes_word =
            !inline && (is_package || options.valued.contains(&name) || options.valued_dropped.contains(&name));
        let value = takes_word.then(|| rest.next_if(|next| !next.value.starts_with("--"))).flatten();
        let goes = !text.starts_with('-')
            || options.valued_dropped.contains(&name)
            || options.dropped.contains(&name)
            || (narrowed && (is_package || matches!(name, "--workspace" | "--all")));
        if !goes {
            kept.push(word.raw.clone());
            kept.extend(value.map(|value| value.raw.clone()));
        }
    }
    kept
}

/// The end of the first run of verbs: `cargo test t` has one verb and one filter.
fn verb_end(words: &[Word], verbs: &[&str]) -> usize {
    let is_verb = |word: &Word| verbs.contains(&base(&word.value));
    let Some(first) = words.iter().position(is_verb) else { return 0 };
    let wanted = if verbs.contains(&"nextest") { 2 } else { 1 };
    let run = words[first..].iter().take(wanted).take_while(|word| is_verb(word)).count();
    first + run
}

fn split_at_dashes(words: &[Word]) -> (Vec<Word>, Vec<Word>) {
    match words.iter().position(|word| word.value == "--") {
        Some(at) => (words[..at].to_vec(), words[at + 1..].to_vec()),
        None => (words.to_vec(), Vec::new()),
    }
}

/// The part of the command that calls the tool, as words, and what must run before it (`cd sub && `, `A=b `).
fn invocation(command: &str, tools: &[&[&str]]) -> Option<(String, Vec<Word>)> {
    let segments = segments(command)?;
    let calls = |words: &[Word]| tools.iter().any(|tool| calls(words, tool));
    let at = segments.iter().position(|words| calls(words))?;
    if segments[at + 1..].iter().any(|words| calls(words)) {
        // Which of the two calls failed is not known.
        return None;
    }
    let mut before = String::new();
    for words in &segments[..at] {
        if matches!(words.first()?.value.as_str(), "cd" | "export" | "source" | "." | "set" | "ulimit" | "umask") {
            let raw: Vec<&str> = words.iter().map(|word| word.raw.as_str()).collect();
            before += &format!("{} && ", raw.join(" "));
        }
    }
    Some((before, segments[at].clone()))
}

/// The file name of a program: `.venv/bin/pytest` calls `pytest`.
fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// Whether the words call a tool: `cargo test`, also as `A=b env cargo +nightly --locked test`.
fn calls(words: &[Word], tool: &[&str]) -> bool {
    let values: Vec<&str> =
        words.iter().take_while(|word| word.value != "--").map(|word| word.value.as_str()).collect();
    let Some((first, verbs)) = tool.split_first() else { return false };
    let Some(at) = values.iter().position(|word| base(word) == *first) else { return false };
    if *first == "-m" {
        return values[at + 1..].first() == verbs.first();
    }
    let rest: Vec<&str> = values[at + 1..].iter().copied().filter(|word| !word.starts_with(['-', '+'])).collect();
    rest.starts_with(verbs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cargo(command: &str, spec: &str, name: &str) -> Option<String> {
        cargo_test(command, &CargoTarget::parse(spec).expect("a good spec"), &Only::Exact(name))
    }

    #[test]
    fn a_cargo_test_is_narrowed_to_its_target_and_name() {
        let cases = [
            ("cargo test", "--lib", "cargo test --lib -- --exact a::b"),
            ("cargo test --workspace", "--test it", "cargo test --workspace --test it -- --exact a::b"),
            ("cargo test --workspace", "-p x --lib", "cargo test -p x --lib -- --exact a::b"),
            ("cargo test --all -p y --exclude z -q", "-p x --lib", "cargo test -q -p x --lib -- --exact a::b"),
            (
                "cargo +nightly --locked t --release --features 'a b' filter",
                "--bin x",
                "cargo +nightly --locked t --release --features 'a b' --bin x -- --exact a::b",
            ),
            (
                "RUST_LOG=1 cargo test --test other -- --test-threads 1 --nocapture name",
                "--test it",
                "RUST_LOG=1 cargo test --test it -- --test-threads 1 --nocapture --exact a::b",
            ),
            ("cd sub && cargo fmt --check && cargo test 2>&1", "--lib", "cd sub && cargo test --lib -- --exact a::b"),
            ("env A=1 cargo test", "--lib", "env A=1 cargo test --lib -- --exact a::b"),
        ];
        for (command, spec, expected) in cases {
            assert_eq!(cargo(command, spec, "a::b").as_deref(), Some(expected), "{command}");
        }
    }

    #[test]
    fn what_the_shell_would_do_more_with_is_not_narrowed() {
        for command in [
            "make test",
            "cargo test | tee log",
            "cargo test > log",
            "(cargo test)",
            "cargo test $(cat args)",
            "cargo test `x`",
            "cargo test & wait",
            "cargo test 'open",
            "cargo test && cargo test --doc",
            "",
            "cargo build",
            "cargo nextest run",
            "if cargo test; then :; fi # x",
        ] {
            assert_eq!(cargo(command, "--lib", "a"), None, "{command}");
        }
    }

    #[test]
    fn a_target_from_a_log_cannot_carry_shell_text() {
        assert_eq!(CargoTarget::parse("--lib; rm -rf x"), None);
        assert_eq!(CargoTarget::parse("-p $(x)"), None);
        assert_eq!(CargoTarget::parse("-p"), None);
    }

    #[test]
    fn a_test_name_is_quoted() {
        assert_eq!(cargo("cargo test", "", "it's; ls").as_deref(), Some(r"cargo test -- --exact 'it'\''s; ls'"));
        assert_eq!(pytest("pytest", "t.py::x[$(ls) 'a']").as_deref(), Some(r"pytest 't.py::x[$(ls) '\''a'\'']'"));
    }

    #[test]
    fn a_pytest_node_replaces_what_selected_tests() {
        let cases = [
            ("pytest", "pytest t.py::a"),
            ("python -m pytest -q tests", "python -m pytest -q t.py::a"),
            (
                "uv run pytest tests/unit -x --maxfail=2 -n 4 -k 'a or b' --tb short --cov=src",
                "uv run pytest --tb short t.py::a",
            ),
            (
                "cd sub; .venv/bin/pytest -rA --junitxml out.xml -p no:cacheprovider",
                "cd sub && .venv/bin/pytest -rA -p no:cacheprovider t.py::a",
            ),
        ];
        for (command, expected) in cases {
            assert_eq!(pytest(command, "t.py::a").as_deref(), Some(expected), "{command}");
        }
        assert_eq!(pytest("tox -e py", "t.py::a"), None);
    }

    #[test]
    fn a_nextest_test_is_named_by_binary_and_name() {
        assert_eq!(
            nextest("cargo nextest run --workspace -E 'all()' --no-fail-fast filter", "x::it", "a::b").as_deref(),
            Some("cargo nextest run --workspace --no-fail-fast -E 'binary_id(=x::it) & test(=a::b)'")
        );
        assert_eq!(nextest("cargo nextest run", "x", "a)|all("), None);
    }

    #[test]
    fn compiling_again_needs_no_run() {
        assert_eq!(
            cargo_no_run("cargo test --workspace -- --nocapture").as_deref(),
            Some("cargo test --workspace --no-run")
        );
        assert_eq!(cargo_no_run("cargo clippy"), None);
    }
}
