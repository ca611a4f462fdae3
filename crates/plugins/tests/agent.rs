//! Agents as data: how each is found and started, what is written for it, and how a user's own files change that.

use ao_core::activity::Source;
use ao_core::adapter::{AdapterError, observe};
use ao_core::id::{LaunchId, SessionId};
use ao_core::project::Permissions;
use ao_core::screen::Screen;
use ao_core::time::Time;
use ao_plugins::agent::{DataAgent, built_in, load_dir, native_id};
use ao_slots::Kind;
use ao_slots::agent::{Agent as _, AgentPlan, Detected};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

const AO: &str = "/opt/it's here/ao";

fn agent(name: &str) -> DataAgent {
    built_in(Path::new(AO)).unwrap().into_iter().find(|a| a.adapter().name == name).unwrap()
}

/// A machine with a home, a workspace and programs of these names.
struct Machine {
    dir: tempfile::TempDir,
}

impl Machine {
    fn with(programs: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("bin")).unwrap();
        for name in programs {
            let file = dir.path().join("bin").join(name);
            fs::write(&file, "").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { dir }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn plan(&self) -> AgentPlan {
        let env = [("PATH", self.path("bin")), ("HOME", self.path("home"))];
        AgentPlan {
            session: SessionId::new("app-1"),
            launch: LaunchId::new("app-1.1"),
            workspace: PathBuf::from("/w/.x/app_1"),
            private: self.dir.path().join("private"),
            ao: PathBuf::from(AO),
            data_root: PathBuf::from("/data"),
            secret: "secret".to_owned(),
            permissions: Permissions::Permissive,
            model: None,
            args: Vec::new(),
            env: env.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
            own_home: None,
            resume: false,
        }
    }
}

#[tokio::test]
async fn claude_is_started_with_an_id_of_ours_private_hooks_and_nothing_of_the_users_changed() {
    let machine = Machine::with(&["claude"]);
    let mut plan = machine.plan();
    plan.model = Some("opus{native}".to_owned());
    plan.args = vec!["--verbose".to_owned()];
    let launch = agent("claude-code").launch(&plan).await.unwrap();
    let native = native_id(&plan.session, &plan.secret);
    let (claude, settings) = (machine.path("bin/claude"), machine.path("private/claude-settings.json"));
    let want = [
        claude.as_str(),
        "--session-id",
        &native,
        "--permission-mode",
        "acceptEdits",
        "--allowedTools=Bash(git add:*),Bash(git commit:*),Bash(git merge:*)",
        "--model",
        "opus{native}",
        "--settings",
        &settings,
        "--verbose",
    ];
    assert_eq!(launch.argv, want);
    let want = [
        ("AO_HOME", "/data"),
        ("AO_HOOK_SECRET", "secret"),
        ("AO_LAUNCH", "app-1.1"),
        ("AO_SESSION", "app-1"),
        ("DISABLE_AUTOUPDATER", "1"),
        ("EMAIL", "ao@localhost"),
    ];
    assert_eq!(launch.env, BTreeMap::from(want.map(|(k, v)| (k.to_owned(), v.to_owned()))));
    assert_eq!(fs::metadata(&settings).unwrap().permissions().mode() & 0o777, 0o600);
    let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(&settings).unwrap()).unwrap();
    let hooks = json["hooks"].as_object().unwrap();
    let events: Vec<&str> = hooks.keys().map(String::as_str).collect();
    let want = [
        "Notification",
        "PermissionRequest",
        "PostToolUse",
        "PreToolUse",
        "SessionStart",
        "Stop",
        "StopFailure",
        "UserPromptSubmit",
    ];
    assert_eq!(events, want);
    assert_eq!(hooks["Stop"][0]["hooks"][0]["command"], r"'/opt/it'\''s here/ao' hook 'claude-code' Stop");
    assert!(!Path::new(&machine.path("home")).exists());
}

#[tokio::test]
async fn a_conversation_is_continued_only_if_there_is_one() {
    let machine = Machine::with(&["claude", "codex"]);
    let mut plan = machine.plan();
    let native = native_id(&plan.session, &plan.secret);
    let mut first_args = async |resume: bool| {
        plan.resume = resume;
        agent("claude-code").launch(&plan).await.unwrap().argv[1..3].to_vec()
    };
    assert_eq!(first_args(true).await, ["--session-id", &native], "it ended before its first prompt");
    let transcripts = machine.path("home/.claude/projects/-w--x-app-1");
    fs::create_dir_all(&transcripts).unwrap();
    fs::write(format!("{transcripts}/{native}.jsonl"), "").unwrap();
    assert_eq!(first_args(true).await, ["--resume", &native]);
    assert_eq!(first_args(false).await, ["--permission-mode", "acceptEdits"], "its id is taken");
    let mut plan = machine.plan();
    plan.resume = true;
    assert_eq!(agent("codex").launch(&plan).await.unwrap().argv[1..4], ["resume", "--last", "--no-daemon"]);
}

#[tokio::test]
async fn permission_presets_become_the_agents_own_arguments() {
    let machine = Machine::with(&["claude", "codex"]);
    let mut plan = machine.plan();
    for (permissions, claude, codex) in [
        (Permissions::Readonly, "plan", "--sandbox read-only --ask-for-approval never"),
        (Permissions::Standard, "default", "--sandbox read-only --ask-for-approval on-request"),
        (Permissions::Permissive, "acceptEdits", "--sandbox workspace-write --ask-for-approval on-request"),
        (Permissions::Autonomous, "--dangerously-skip-permissions", "--dangerously-bypass-approvals-and-sandbox"),
    ] {
        plan.permissions = permissions;
        let argv = agent("claude-code").launch(&plan).await.unwrap().argv.join(" ");
        assert!(argv.contains(claude), "{argv}");
        let argv = agent("codex").launch(&plan).await.unwrap().argv.join(" ");
        assert!(argv.contains(codex) && argv.contains("--no-daemon"), "{argv}");
    }
}

#[tokio::test]
async fn an_agent_can_commit_where_nobody_told_git_an_address_and_keeps_the_one_that_was_told() {
    let machine = Machine::with(&["claude"]);
    let dir = machine.path("repo");
    let author = |told: &[(&str, &str)], launch: &BTreeMap<String, String>| {
        let git = |args: &[&str]| {
            let mut git = std::process::Command::new("git");
            git.args(args).env_clear().env("PATH", std::env::var("PATH").unwrap()).env("HOME", machine.path("home"));
            // Whether the machine has names for its users is another question.
            git.envs([("GIT_AUTHOR_NAME", "x"), ("GIT_COMMITTER_NAME", "x"), ("GIT_CONFIG_NOSYSTEM", "1")]);
            let ran = git.envs(told.iter().copied()).envs(launch).output().unwrap();
            assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
            String::from_utf8(ran.stdout).unwrap().trim().to_owned()
        };
        git(&["init", "--quiet", &dir]);
        git(&["-C", &dir, "commit", "--quiet", "--allow-empty", "--message=x"]);
        git(&["-C", &dir, "log", "-1", "--format=%ae"])
    };
    let mut plan = machine.plan();
    let fresh = agent("claude-code").launch(&plan).await.unwrap().env;
    assert_eq!(author(&[], &fresh), "ao@localhost");
    assert_eq!(author(&[("GIT_AUTHOR_EMAIL", "me@example.org")], &fresh), "me@example.org");
    fs::create_dir_all(machine.path("home")).unwrap();
    fs::write(machine.path("home/.gitconfig"), "[user]\nemail = me@example.net\n").unwrap();
    assert_eq!(author(&[], &fresh), "me@example.net");
    plan.env.insert("EMAIL".to_owned(), "me@example.com".to_owned());
    assert!(!agent("claude-code").launch(&plan).await.unwrap().env.contains_key("EMAIL"));
}

#[tokio::test]
async fn the_scripted_agent_is_the_binary_itself() {
    let machine = Machine::with(&[]);
    let mut plan = machine.plan();
    plan.args = ["--script", "/s.json", "--log", "/l"].map(str::to_owned).to_vec();
    let launch = agent("scripted").launch(&plan).await.unwrap();
    assert_eq!(launch.argv, [AO, "scripted-agent", "--script", "/s.json", "--log", "/l"]);
    assert!(!plan.private.exists(), "it needs no settings");
    assert!(matches!(agent("scripted").detect("").await, Detected::Installed { version: Some(_), .. }));
    plan.model = Some("opus".to_owned());
    assert_eq!(agent("scripted").launch(&plan).await.unwrap_err().kind, Kind::Unsupported);
}

#[tokio::test]
async fn a_shell_session_is_any_command_and_without_one_a_shell() {
    let machine = Machine::with(&["sh", "make"]);
    let mut plan = machine.plan();
    let mut argv = async |args: &[&str]| {
        plan.args = args.iter().map(|a| (*a).to_owned()).collect();
        agent("shell").launch(&plan).await.map(|launch| launch.argv)
    };
    let (sh, make) = (machine.path("bin/sh"), machine.path("bin/make"));
    assert_eq!(argv(&[]).await.unwrap(), std::slice::from_ref(&sh));
    assert_eq!(argv(&["make", "a b"]).await.unwrap(), [make, "a b".to_owned()]);
    assert_eq!(argv(&["make test && ls"]).await.unwrap(), [sh, "-c".to_owned(), "make test && ls".to_owned()]);
    assert_eq!(argv(&["nothing", "x"]).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn an_agent_that_is_not_installed_says_how_to_install_it() {
    let machine = Machine::with(&[]);
    let fault = agent("codex").launch(&machine.plan()).await.unwrap_err();
    assert_eq!(fault.kind, Kind::NotFound);
    assert_eq!(fault.hint.as_deref(), Some("install it with: npm install -g @openai/codex"));
    let Detected::Missing { hint } = agent("codex").detect(&machine.path("bin")).await else {
        panic!("it is not there")
    };
    assert!(hint.contains("npm install -g @openai/codex"), "{hint}");
}

#[tokio::test]
async fn an_installed_agent_is_asked_for_its_version() {
    let machine = Machine::with(&[]);
    // Written by another process: a file that this one has open for writing cannot be run by a thread of it.
    let write = "printf '#!/bin/sh\\necho \"codex-cli 0.169.0\"\\n' > \"$0\" && chmod 755 \"$0\"";
    let codex = machine.path("bin/codex");
    assert!(std::process::Command::new("sh").args(["-c", write, &codex]).status().unwrap().success());
    let found = agent("codex").detect(&machine.path("bin")).await;
    assert_eq!(found, Detected::Installed { path: PathBuf::from(codex), version: Some("0.169.0".to_owned()) });
}

fn loaded(files: &[(&str, &str)]) -> Result<Vec<DataAgent>, AdapterError> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    load_dir(Path::new(AO), dir.path())
}

const OWN: &str = r#"
name = "mine"
about = "my own"
program = "mine"
memory_mb = 5
[door]
composer = { kind = "cursor-row" }
"#;

#[test]
fn a_users_own_files_add_and_extend_agents() {
    let extended = r#"
extends = "claude-code"
program = "claude-next"
[door]
pause_ms = 500
[[rules]]
name = "new dialog"
region = "dialog"
all = ["^ A new question"]
activity = "needs_input"
what = "question"
priority = 200
"#;
    let agents = loaded(&[("b.toml", OWN), ("a.toml", extended), ("notes.txt", "no adapter")]).unwrap();
    let names: Vec<&str> = agents.iter().map(|a| a.adapter().name.as_str()).collect();
    assert_eq!(names, ["claude-code", "mine"]);
    let (own, built_in) = (agents[0].adapter(), agent("claude-code"));
    assert_eq!((own.program.as_str(), own.door.pause_ms), ("claude-next", 500));
    assert_eq!(own.rules.len(), built_in.adapter().rules.len() + 1);
    let rows = vec![" A new question".to_owned()];
    let seen = observe::screen(own, &Screen { rows, ..Screen::default() }, Time(1)).unwrap();
    assert_eq!(seen.why, "screen rule \"new dialog\"");
    assert_eq!(load_dir(Path::new(AO), Path::new("/nowhere/at/all")).unwrap().len(), 0);
}

#[test]
fn a_wrong_file_is_told_with_its_name_its_line_and_the_mistake() {
    for (text, words) in [
        ("name = ", "bad.toml:1: "),
        (&format!("{OWN}\nfoo = 1"), "bad.toml:9: unknown field `foo`"),
        ("extends = \"codex\"\nfoo = 1", "bad.toml:2: unknown field `foo`"),
        ("extends = \"codex\"\n\n[door]\npause_ms = \"x\"", "bad.toml:4: invalid type"),
        ("extends = \"codex\"\ndoor = 1", "bad.toml:2: invalid type"),
        (&OWN.replace("5\n", "5\nhook_events = { Stop = { activity = \"asleep\" } }\n"), "no activity \"asleep\""),
        (&format!("{OWN}pause_ms = 20"), "below 200"),
        ("extends = \"nobody\"", "there is no such built-in agent; there are aider, claude-code, cline, codex"),
        (&format!("{OWN}\n[[rules]]\nname = \"r\"\nregion = \"composer\"\nactivity = \"idle\""), "would always hold"),
        (&OWN.replace("\"mine\"", "\"../x\""), "is not a name"),
    ] {
        let fault = loaded(&[("bad.toml", text)]).unwrap()[0].fault().unwrap().message;
        assert!(fault.contains(words) && fault.contains("bad.toml"), "{text}\ngave {fault}");
    }
}

#[test]
fn a_wrong_file_is_the_agent_that_it_was_to_be_and_costs_no_other() {
    let broken = |text: &str| {
        let agents = loaded(&[("bad.toml", text), ("good.toml", OWN)]).unwrap();
        assert_eq!((agents[1].adapter().name.as_str(), agents[1].fault()), ("mine", None));
        (agents[0].adapter().name.clone(), agents[0].adapter().aliases.clone())
    };
    assert_eq!(broken("name = \"other\"\nabout ="), ("other".to_owned(), vec![]));
    // What a rule is called is not the agent's name.
    assert_eq!(broken("about =\n[[rules]]\nname = \"other\""), ("bad".to_owned(), vec![]));
    assert_eq!(broken("name = \"../x\""), ("bad".to_owned(), vec![]));
    assert_eq!(broken("extends = 'claude-code'\nx = 1"), ("claude-code".to_owned(), vec!["claude".to_owned()]));
}

#[test]
fn a_shell_is_idle_at_its_prompt_and_working_while_a_command_runs() {
    let shell = agent("shell");
    let says = |row: &str| {
        let screen = Screen { rows: vec![row.to_owned()], ..Screen::default() };
        observe::screen(shell.adapter(), &screen, Time(1)).unwrap().activity.name()
    };
    for prompt in
        ["$", "#", "$ make tes", "user@host:~/src$", "[user@host src]$ ls", "~/src main ❯", "➜ src %", "bash-5.2$"]
    {
        assert_eq!(says(prompt), "idle", "{prompt:?}");
    }
    for output in ["", "   Compiling ao v0.1.0", "running 12 tests", "  50% done", "Password:"] {
        assert_eq!(says(output), "working", "{output:?}");
    }
}

#[test]
fn a_question_of_claude_is_told_from_a_permission_by_its_hook_and_by_its_screen() {
    let claude = agent("claude-code");
    let hook = |event: &str| {
        let seen = observe::hook(claude.adapter(), event, Time(1)).map(|o| (o.source, format!("{:?}", o.activity)));
        seen.unwrap_or((Source::Process, "nothing".to_owned())).1
    };
    assert_eq!(hook("PermissionRequest.Bash"), "NeedsInput { what: Permission }");
    assert_eq!(hook("PermissionRequest.AskUserQuestion"), "NeedsInput { what: Question }");
    assert_eq!(hook("PermissionRequest.ExitPlanMode"), "NeedsInput { what: Plan }");
    assert_eq!(hook("Notification.idle_prompt"), "nothing");
    assert_eq!(hook("SessionStart.compact"), "nothing", "a turn goes on after its context was compacted");
    let rows =
        ["● Which one?", "────────", " ☐ Colour", " ❯ 1. Red", "Enter to select · ↑/↓ to navigate · Esc to cancel"];
    let screen = Screen { rows: rows.map(str::to_owned).to_vec(), ..Screen::default() };
    assert_eq!(observe::screen(claude.adapter(), &screen, Time(1)).unwrap().why, "screen rule \"question\"");
}

#[tokio::test]
async fn a_preset_may_be_environment_and_private_places_and_files_are_filled_in() {
    let machine = Machine::with(&["opencode", "pi", "own"]);
    let mut plan = machine.plan();
    plan.permissions = Permissions::Readonly;
    let launch = agent("opencode").launch(&plan).await.unwrap();
    assert!(launch.env["OPENCODE_PERMISSION"].contains(r#""edit":"deny""#), "{:?}", launch.env);
    assert_eq!(launch.env["OPENCODE_DB"], machine.path("private/opencode.db"), "no two sessions write one database");
    let argv = agent("pi").launch(&plan).await.unwrap().argv;
    let (dir, hooks) = (machine.path("private/pi"), machine.path("private/ao-hooks.ts"));
    assert_eq!(argv[1..], ["--session-dir", &dir, "--tools", "read,grep,find,ls", "-e", &hooks]);

    let dir = machine.dir.path().join("agents");
    fs::create_dir_all(&dir).unwrap();
    let text = "name='own'\nabout='x'\nprogram='own'\nmemory_mb=1\n[door]\ncomposer={kind='cursor-row'}\n\
                [[files]]\npath='sub/trust.json'\ntext='{ {json:workspace}: true }'\n";
    fs::write(dir.join("own.toml"), text).unwrap();
    load_dir(Path::new(AO), &dir).unwrap()[0].launch(&plan).await.unwrap();
    let file = machine.dir.path().join("private/sub/trust.json");
    assert_eq!(fs::read_to_string(&file).unwrap(), r#"{ "/w/.x/app_1": true }"#);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_version_that_must_not_run_is_not_found() {
    let machine = Machine::with(&["kimi"]);
    let file = machine.dir.path().join("bin/kimi");
    fs::write(&file, "#!/bin/sh\necho kimi, version 1.52.0\n").unwrap();
    let Detected::Missing { hint } = agent("kimi").detect(&machine.path("bin")).await else { panic!("it was found") };
    assert!(hint.contains("1.52.0") && hint.contains("does not start"), "{hint}");
    fs::write(&file, "#!/bin/sh\necho kimi, version 1.38.0\n").unwrap();
    assert!(matches!(agent("kimi").detect(&machine.path("bin")).await, Detected::Installed { .. }));
}

#[tokio::test]
async fn hooks_are_installed_by_flag_or_environment_in_private_files_alone() {
    let machine = Machine::with(&["qwen", "pi", "opencode", "copilot"]);
    let read = |name: &str| std::fs::read_to_string(machine.path(&format!("private/{name}"))).unwrap();
    let plan = machine.plan();
    let launch = agent("qwen").launch(&plan).await.unwrap();
    assert_eq!(launch.env["QWEN_CODE_SYSTEM_DEFAULTS_PATH"], machine.path("private/qwen-defaults.json"));
    assert!(read("qwen-defaults.json").contains("hook 'qwen' Notification\""), "{}", read("qwen-defaults.json"));
    agent("pi").launch(&plan).await.unwrap();
    assert!(read("ao-hooks.ts").contains("\"agent_end\"") && !read("ao-hooks.ts").contains("{ao}"));
    let launch = agent("opencode").launch(&plan).await.unwrap();
    assert!(launch.env["OPENCODE_CONFIG_CONTENT"].contains("ao-hooks.js"));
    assert!(read("ao-hooks.js").contains("opencode.jsonl") && !read("ao-hooks.js").contains("{transcript}"));
    let argv = agent("copilot").launch(&plan).await.unwrap().argv;
    assert!(argv.windows(2).any(|two| two == ["--plugin-dir", &machine.path("private/copilot-plugin")]), "{argv:?}");
    assert!(read("copilot-plugin/hooks.json").contains("hook 'copilot' agentStop"));
    let mut own = machine.plan();
    own.env.insert("OPENCODE_CONFIG_CONTENT".to_owned(), "{}".to_owned());
    let launch = agent("opencode").launch(&own).await.unwrap();
    assert!(!launch.env.contains_key("OPENCODE_CONFIG_CONTENT"), "what the user says wins");
}
