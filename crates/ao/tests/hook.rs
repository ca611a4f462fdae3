//! `ao hook`: what lies in the spool afterwards, and that the agent never notices a trouble.

use ao_core::hook::SpooledHook;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn call(home: &Path, env: &[(&str, &str)], args: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ao"))
        .arg("hook")
        .args(args)
        .env_clear()
        .env("AO_HOME", home)
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    child.wait_with_output().unwrap()
}

const SESSION: [(&str, &str); 3] = [("AO_SESSION", "ao-1"), ("AO_LAUNCH", "ao-1.2"), ("AO_HOOK_SECRET", "s3")];

fn quiet(output: &Output) {
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
}

fn spooled(home: &Path) -> Vec<SpooledHook> {
    let Ok(entries) = std::fs::read_dir(home.join("spool")) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    assert!(paths.iter().all(|p| p.extension().is_some_and(|e| e == "json")), "{paths:?}");
    paths.iter().map(|p| serde_json::from_slice(&std::fs::read(p).unwrap()).unwrap()).collect()
}

#[test]
fn a_call_is_spooled_whole_in_order_and_privately_and_the_daemon_is_nudged() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("run")).unwrap();
    let daemon = UnixDatagram::bind(home.path().join("run/hooks.sock")).unwrap();
    daemon.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    for (event, json) in [
        ("UserPromptSubmit", r#"{"session_id":"u","prompt":"secret words","hook_event_name":"UserPromptSubmit"}"#),
        ("Notification", r#"{"notification_type":"permission_prompt"}"#),
    ] {
        quiet(&call(home.path(), &SESSION, &["claude-code", event], json.as_bytes()));
        assert_eq!(daemon.recv(&mut [0; 8]).unwrap(), 0);
    }
    let hooks = spooled(home.path());
    assert_eq!(hooks.len(), 2);
    assert_eq!(hooks[0].detailed_event(), "UserPromptSubmit");
    assert_eq!(hooks[1].detailed_event(), "Notification.permission_prompt");
    assert_eq!(
        (hooks[0].session.as_str(), hooks[0].launch.as_str(), hooks[0].secret.as_str()),
        ("ao-1", "ao-1.2", "s3")
    );
    assert!(hooks[0].at_unix_ms > 1_700_000_000_000);
    for entry in std::fs::read_dir(home.path().join("spool")).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!std::fs::read_to_string(&path).unwrap().contains("secret words"), "prompts are not kept");
    }
}

#[test]
fn a_payload_may_come_as_the_last_argument() {
    let home = tempfile::tempdir().unwrap();
    quiet(&call(home.path(), &SESSION, &["codex", "Stop", r#"{"reason":"done"}"#], b""));
    assert_eq!(spooled(home.path())[0].payload.reason.as_deref(), Some("done"));
}

#[test]
fn an_endless_payload_is_read_to_its_end_and_kept_within_bounds() {
    let home = tempfile::tempdir().unwrap();
    let huge = format!(r#"{{"tool_response":"{}"}}"#, "x".repeat(3 << 20));
    quiet(&call(home.path(), &SESSION, &["claude-code", "PostToolUse"], huge.as_bytes()));
    let hooks = spooled(home.path());
    assert_eq!(hooks[0].detailed_event(), "PostToolUse");
}

#[test]
fn whatever_is_missing_the_agent_does_not_notice() {
    let home = tempfile::tempdir().unwrap();
    quiet(&call(home.path(), &[], &["claude-code", "Stop"], b"{}"));
    quiet(&call(home.path(), &SESSION, &["claude-code"], b"{}"));
    quiet(&call(home.path(), &SESSION, &[], b""));
    assert!(spooled(home.path()).is_empty());
    quiet(&call(Path::new("/nowhere/at/all"), &SESSION, &["claude-code", "Stop"], b"{}"));
    quiet(&call(home.path(), &SESSION, &["claude-code", "Stop"], b"\xff not json"));
    assert_eq!(spooled(home.path()).len(), 1, "the event counts even when its payload does not");
}

#[test]
fn without_a_daemon_only_so_many_calls_wait() {
    let home = tempfile::tempdir().unwrap();
    let spool = home.path().join("spool");
    std::fs::create_dir(&spool).unwrap();
    for n in 0..4095 {
        std::fs::write(spool.join(format!("{n:020}-1.json")), "{}").unwrap();
    }
    let count = || std::fs::read_dir(&spool).unwrap().count();
    for expected in [4096, 4096, 4096] {
        quiet(&call(home.path(), &SESSION, &["claude-code", "Stop"], b"{}"));
        assert_eq!(count(), expected);
    }
}
