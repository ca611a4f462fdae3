//! Plants a violation of every tidy rule in a small tree and checks that the rule finds it; then checks the real tree.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use xtask::generated::Generated;
use xtask::tidy::finding::{Level, Report};
use xtask::{codegen, tidy, workspace_root};

/// A violation: the rule, the files that plant it, and words that its message must hold.
struct Planted {
    rule: &'static str,
    files: &'static [(&'static str, &'static str)],
    says: &'static [&'static str],
}

const OPEN: &str = "//! A file of the small tree.\n";

/// A small tree that breaks no rule.
const CLEAN: &[(&str, &str)] = &[
    (
        "ARCHITECTURE.md",
        "See `crates/core/src/lib.rs`, `xtask/` and `event.rs`; facts go to `events.jsonl`, `origin/main` stays.\n",
    ),
    ("docs/glossary.md", "# Glossary\n\n- **session**: one task of one agent.\n"),
    ("docs/generated.md", "from code\n"),
    ("deny.toml", "[bans]\ndeny = [{ crate = \"openssl-sys\" }]\n"),
    (
        "Cargo.lock",
        "[[package]]\nname = \"serde\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n",
    ),
    ("xtask/Cargo.toml", "[lints]\nworkspace = true\n"),
    (
        "crates/core/Cargo.toml",
        "[dependencies]\nserde = \"1\"\n[dev-dependencies]\ntokio = \"1\"\n[lints]\nworkspace = true\n",
    ),
    (
        "crates/core/src/lib.rs",
        "//! What a session is; pure.\n#![warn(missing_docs, clippy::wildcard_enum_match_arm)]\nmod event;\nmod machine;\npub use machine::decide;\npub struct Seq;\n",
    ),
    (
        "crates/core/src/event.rs",
        "//! What can happen; says std::fs and todo!() only in words.\n/// `x.unwrap()` in words.\npub enum Event { A }\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn a() { std::fs::read(\"x\").unwrap(); println!(); match 1 { 1 => {}, _ => {} } }\n}\n",
    ),
    (
        "crates/core/src/machine.rs",
        "//! What should happen next.\nuse crate::Seq;\nuse crate::event::Event;\npub fn decide(_: Event, _: Seq) -> u8 {\n    match \"a\" {\n        \"b\" => 1,\n        _ => 2, // tidy: strings are open\n    }\n}\n",
    ),
    (
        "crates/core/tests/story.rs",
        "//! Long stories under a virtual clock.\nfn main() { Some(1).unwrap(); std::env::args(); }\n",
    ),
    ("crates/ao/Cargo.toml", "[dependencies]\nao-plugins = \"1\"\nao-daemon = \"1\"\n[lints]\nworkspace = true\n"),
    (
        "crates/ao/src/main.rs",
        "//! The binary; ao_plugins in words.\nmod compose;\nfn main() { compose::run(); println!(); }\n",
    ),
    (
        "crates/ao/src/compose.rs",
        "//! Puts daemon and plugins together.\nuse ao_daemon::x;\nuse ao_plugins::y;\npub fn run() {}\n",
    ),
    (
        "crates/web/ui/vendor/VENDOR.toml",
        "[[file]]\npath = \"a.js\"\nversion = \"1\"\norigin = \"npm\"\nlicense = \"MIT\"\nsha256 = \"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\"\n",
    ),
    ("crates/web/ui/vendor/a.js", "a"),
];

const GENERATED: &[Generated] =
    &[Generated { path: "docs/generated.md", section: None, render: |_| Ok("from code\n".to_owned()) }];

const PLANTED: &[Planted] = &[
    Planted { rule: "opening-doc", files: &[("crates/core/src/event.rs", "pub enum Event {}\n")], says: &["`//!`"] },
    Planted {
        rule: "opening-doc",
        files: &[("crates/core/src/event.rs", "//!\npub enum Event {}\n")],
        says: &["`//!`"],
    },
    Planted { rule: "file-name", files: &[("crates/core/src/utils.rs", OPEN)], says: &["`utils.rs`"] },
    Planted { rule: "file-name", files: &[("crates/core/src/errors/kind.rs", OPEN)], says: &["`errors`"] },
    Planted {
        rule: "file-name",
        files: &[("crates/core/src/session_manager.rs", OPEN)],
        says: &["`session_manager.rs`"],
    },
    Planted { rule: "file-name", files: &[("crates/core/tests/common/mod.rs", OPEN)], says: &["`common`"] },
    Planted {
        rule: "import-circle",
        files: &[(
            "crates/core/src/event.rs",
            "//! What can happen.\nuse crate::machine::decide;\npub struct Event;\n",
        )],
        says: &["event.rs:2 -> crates/core/src/machine.rs:3 -> crates/core/src/event.rs", "2 files"],
    },
    Planted {
        rule: "import-circle",
        files: &[(
            "crates/core/src/event.rs",
            "//! Through the face of the crate.\nuse crate::decide;\npub struct Event;\n",
        )],
        says: &["event.rs:2 -> crates/core/src/machine.rs:3"],
    },
    Planted {
        rule: "import-circle",
        files: &[
            (
                "crates/core/src/lib.rs",
                "//! What a session is.\n#![warn(missing_docs, clippy::wildcard_enum_match_arm)]\nmod event;\npub use event::*;\npub struct Item;\n",
            ),
            ("crates/core/src/event.rs", "//! What can happen.\npub struct Event(crate::Item);\n"),
        ],
        says: &["event.rs:2 -> crates/core/src/lib.rs:4"],
    },
    Planted {
        rule: "import-circle",
        files: &[
            ("crates/core/src/event.rs", "//! What can happen.\nmod kind;\npub use kind::Kind;\npub struct Event;\n"),
            ("crates/core/src/event/kind.rs", "//! Kinds.\npub struct Kind(super::Event);\n"),
        ],
        says: &["event.rs:3", "event/kind.rs:2"],
    },
    Planted {
        rule: "import-circle",
        files: &[
            (
                "crates/ao/src/compose.rs",
                "//! Parent of one file.\nmod part;\nuse part::{Part, self as p};\npub struct Whole;\npub fn run() {}\n",
            ),
            ("crates/ao/src/compose/part.rs", "//! Child that looks up.\nuse super::Whole;\npub struct Part(Whole);\n"),
        ],
        says: &["compose/part.rs:2"],
    },
    Planted {
        rule: "import-circle",
        files: &[
            (
                "crates/ao/src/compose.rs",
                "//! Parent that calls down.\nmod part;\npub fn run() { part::go() }\npub fn up() {}\n",
            ),
            ("crates/ao/src/compose/part.rs", "//! Child that calls up.\npub fn go() { super::up() }\n"),
        ],
        says: &["compose/part.rs:2"],
    },
    Planted {
        rule: "compose-only",
        files: &[("crates/ao/src/main.rs", "//! The binary.\nmod compose;\nuse ao_plugins::y;\nfn main() {}\n")],
        says: &["compose.rs may"],
    },
    Planted {
        rule: "crate-arrows",
        files: &[("crates/core/Cargo.toml", "[dependencies]\ntokio = \"1\"\n[lints]\nworkspace = true\n")],
        says: &["`core` never contains `tokio`"],
    },
    Planted {
        rule: "crate-arrows",
        files: &[(
            "crates/daemon/Cargo.toml",
            "[dependencies]\nplugins = { package = \"ao-plugins\" }\n[lints]\nworkspace = true\n",
        )],
        says: &["`daemon` must not depend on `ao-plugins`"],
    },
    Planted {
        rule: "crate-arrows",
        files: &[(
            "crates/host/Cargo.toml",
            "[target.'cfg(unix)'.dependencies]\ntokio-util = \"1\"\n[lints]\nworkspace = true\n",
        )],
        says: &["`host` never contains `tokio-util`"],
    },
    Planted {
        rule: "crate-arrows",
        files: &[("crates/web/Cargo.toml", "[build-dependencies]\nao-core = \"1\"\n[lints]\nworkspace = true\n")],
        says: &["`web` must not depend on `ao-core`"],
    },
    Planted {
        rule: "crate-arrows",
        files: &[("crates/new/Cargo.toml", "[lints]\nworkspace = true\n")],
        says: &["no row"],
    },
    Planted {
        rule: "locked-sources",
        files: &[("Cargo.lock", "[[package]]\nname = \"x\"\nsource = \"git+https://example.org/x\"\n")],
        says: &["`x` does not come from crates.io"],
    },
    Planted {
        rule: "locked-sources",
        files: &[("Cargo.lock", "[[package]]\nname = \"openssl-sys\"\n")],
        says: &["ban list"],
    },
    Planted {
        rule: "crate-lints",
        files: &[("crates/ao/Cargo.toml", "[dependencies]\n")],
        says: &["[lints] workspace = true"],
    },
    Planted {
        rule: "crate-lints",
        files: &[("crates/core/src/lib.rs", "//! What a session is; pure.\n#![warn(missing_docs)]\n")],
        says: &["`wildcard_enum_match_arm`"],
    },
    Planted { rule: "crate-lints", files: &[("crates/slots/src/lib.rs", OPEN)], says: &["`missing_docs`"] },
    Planted {
        rule: "core-purity",
        files: &[("crates/core/src/event.rs", "//! Reads a file.\npub fn read() { std::fs::read(\"x\"); }\n")],
        says: &["`std::fs`"],
    },
    Planted {
        rule: "core-purity",
        files: &[("crates/core/src/event.rs", "//! Imports the world.\nuse std::{collections::BTreeMap, process};\n")],
        says: &["`std::process`"],
    },
    Planted {
        rule: "core-purity",
        files: &[("crates/core/src/event.rs", "//! Looks at the clock.\npub fn now() { Instant::now(); }\n")],
        says: &["`Instant::now`"],
    },
    Planted {
        rule: "core-purity",
        files: &[("crates/core/src/event.rs", "//! Waits for somebody.\npub async fn wait() {}\n")],
        says: &["`async fn`"],
    },
    Planted {
        rule: "core-wildcard",
        files: &[(
            "crates/core/src/machine.rs",
            "//! Falls through.\npub fn decide(e: u8) { match e { 1 => {}\n    _ => {}\n } }\n",
        )],
        says: &["bare `_ =>`"],
    },
    Planted {
        rule: "core-wildcard",
        files: &[(
            "crates/core/src/machine/ended.rs",
            "//! Falls through.\nfn f(e: u8) { match e {\n    _ => {} // tidy:\n } }\n",
        )],
        says: &["bare `_ =>`"],
    },
    Planted {
        rule: "unfinished",
        files: &[("crates/core/src/event.rs", "//! Half a file.\nfn f() { todo!() }\n")],
        says: &["`todo!`"],
    },
    Planted {
        rule: "unfinished",
        files: &[("crates/core/tests/story.rs", "//! Half a test.\nfn f() { dbg!(1); }\n")],
        says: &["`dbg!`"],
    },
    Planted {
        rule: "allow-attribute",
        files: &[("crates/core/src/event.rs", "//! Silenced for ever.\n#[allow(dead_code)]\nfn f() {}\n")],
        says: &["#[expect("],
    },
    Planted {
        rule: "allow-attribute",
        files: &[(
            "crates/core/src/event.rs",
            "//! Silenced for ever.\n#[cfg_attr(test, allow(dead_code))]\nfn f() {}\n",
        )],
        says: &["#[expect("],
    },
    Planted {
        rule: "unwrap",
        files: &[("crates/ao/src/main.rs", "//! Hopes.\nfn main() { Some(1)\n.unwrap(); }\n")],
        says: &["outside a test"],
    },
    Planted {
        rule: "printing",
        files: &[("crates/core/src/event.rs", "//! Talks.\nfn f() { eprintln!(\"x\"); }\n")],
        says: &["`eprintln!`"],
    },
    Planted { rule: "vendor-hash", files: &[("crates/web/ui/vendor/a.js", "b")], says: &["differs from the hash"] },
    Planted { rule: "vendor-hash", files: &[("crates/web/ui/vendor/b.js", "b")], says: &["not listed"] },
    Planted { rule: "vendor-hash", files: &[("crates/host/vendor/b.c", "b")], says: &["VENDOR.toml", "is missing"] },
    Planted {
        rule: "vendor-hash",
        files: &[(
            "crates/web/ui/vendor/VENDOR.toml",
            "[[file]]\npath = \"a.js\"\nversion = \"1\"\nlicense = \"MIT\"\nsha384 = \"00\"\n",
        )],
        says: &["no `origin`"],
    },
    Planted {
        rule: "architecture-paths",
        files: &[("ARCHITECTURE.md", "The loop is `crates/daemon/src/supervisor.rs`.\n")],
        says: &["`crates/daemon/src/supervisor.rs` does not exist"],
    },
    Planted {
        rule: "architecture-paths",
        files: &[("ARCHITECTURE.md", "Read `effect.rs`.\n")],
        says: &["`effect.rs` does not exist"],
    },
    Planted { rule: "glossary", files: &[("docs/glossary.md", "# Glossary\n")], says: &["no entry"] },
    Planted {
        rule: "glossary",
        files: &[("docs/glossary.md", "- **run**: one `ao fix`.\n- **Run**: another thing.\n")],
        says: &["twice"],
    },
    Planted { rule: "generated-fresh", files: &[("docs/generated.md", "by hand\n")], says: &["stale", "codegen"] },
    Planted {
        rule: "home-path",
        files: &[("docs/x.md", concat!("see /ro", "ot/x\n"))],
        says: &["path of one machine"],
    },
    Planted { rule: "home-path", files: &[("docs/x.md", concat!("`/ho", "me/carol/x`\n"))], says: &["carol"] },
];

fn plant(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (path, text) in CLEAN.iter().chain(files) {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().expect("every planted path has a directory")).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn check(dir: &Path) -> Report {
    tidy::run(dir, GENERATED).expect("the planted tree can be read")
}

fn shown(report: &Report) -> String {
    report.findings.iter().map(|finding| format!("{finding}\n")).collect()
}

#[test]
fn a_clean_tree_breaks_no_rule() {
    let report = check(plant(&[]).path());
    assert!(report.findings.is_empty(), "{}", shown(&report));
}

#[test]
fn every_planted_violation_is_an_error_of_its_rule() {
    for planted in PLANTED {
        let report = check(plant(planted.files).path());
        let hit = report.errors().any(|finding| {
            let shown = finding.to_string();
            finding.rule == planted.rule && planted.says.iter().all(|words| shown.contains(words))
        });
        assert!(hit, "{} with {:?} was not found; found:\n{}", planted.rule, planted.files[0], shown(&report));
    }
}

#[test]
fn every_rule_has_a_planted_violation() {
    // File sizes and commit messages cannot be planted by a table row: their tests are below.
    let planted: BTreeSet<&str> = PLANTED.iter().map(|planted| planted.rule).chain(["file-size"]).collect();
    let rules: BTreeSet<&str> = tidy::RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(planted, rules);
}

#[test]
fn a_file_is_warned_about_at_500_lines_and_refused_at_800() {
    let sized = |path: &str, lines: usize| {
        let dir = plant(&[]);
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{OPEN}{}", "// a line\n".repeat(lines - 1))).unwrap();
        let report = check(dir.path());
        report.findings.iter().filter(|finding| finding.rule == "file-size").map(|finding| finding.level).next()
    };
    assert_eq!(sized("crates/core/src/long.rs", 499), None);
    assert_eq!(sized("crates/core/src/long.rs", 500), Some(Level::Warning));
    assert_eq!(sized("crates/core/src/long.rs", 799), Some(Level::Warning));
    assert_eq!(sized("crates/core/src/long.rs", 800), Some(Level::Error));
    assert_eq!(sized("crates/web/ui/long.js", 800), Some(Level::Error));
    assert_eq!(sized("crates/core/tests/long.rs", 800), None);
    assert_eq!(sized("crates/core/src/generated/long.rs", 800), None);
}

#[test]
fn a_test_module_in_its_own_file_is_a_test() {
    let dir = plant(&[
        ("crates/core/src/event.rs", "//! What can happen.\n#[cfg(test)]\nmod checks;\n"),
        (
            "crates/core/src/event/checks.rs",
            "//! Checks of events.\nuse super::super::machine;\nfn f() { Some(1).unwrap(); }\n",
        ),
    ]);
    let report = check(dir.path());
    assert!(report.findings.is_empty(), "{}", shown(&report));
}

#[test]
fn a_commit_message_that_names_a_home_is_found_until_it_is_published() {
    let dir = plant(&[]);
    let git = |args: &[&str]| {
        let ran = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(args)
            .current_dir(dir.path())
            .output();
        let ran = ran.expect("git runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    };
    git(&["init", "-q"]);
    git(&["commit", "-q", "--allow-empty", "-m", concat!("Mend /ho", "me/carol/x")]);
    let report = check(dir.path());
    assert!(
        report.errors().any(|finding| finding.rule == "home-path" && finding.path.starts_with("commit ")),
        "{}",
        shown(&report)
    );
    git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let report = check(dir.path());
    assert!(report.findings.is_empty(), "{}", shown(&report));
}

#[test]
fn a_stale_section_is_found_and_rewritten() {
    const SECTION: Generated =
        Generated { path: "page.md", section: Some("table"), render: |_| Ok("new\n".to_owned()) };
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("page.md");
    fs::write(&page, "before\n<!-- generated: table -->\nold\n<!-- end of generated: table -->\nafter\n").unwrap();
    assert!(SECTION.check(dir.path()).is_err());
    assert!(SECTION.write(dir.path()).unwrap());
    assert!(!SECTION.write(dir.path()).unwrap());
    SECTION.check(dir.path()).unwrap();
    let text = fs::read_to_string(&page).unwrap();
    assert_eq!(text, "before\n<!-- generated: table -->\nnew\n<!-- end of generated: table -->\nafter\n");
}

#[test]
fn this_repository_is_tidy() {
    let root = workspace_root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let report = tidy::run(&root, codegen::all()).unwrap();
    let errors: String = report.errors().map(|finding| format!("{finding}\n")).collect();
    assert!(errors.is_empty(), "\n{errors}");
}
