//! Passes what an agent's hooks leave in its container on to the daemon's spool.
//!
//! Inside, the spool and the socket that `ao hook` nudges are the launch's own: no container sees what another one tells.
//! Nothing from inside is followed, named or believed: files are copied, under names made here, if they are of this launch.

use super::files::{Files, Record};
use ao_core::hook::SpooledHook;
use rustix::fs::{Mode, OFlags};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use tokio::net::UnixDatagram;

/// The socket's name; bound from within its directory, because the whole path may be longer than a socket's may be.
const NUDGES: &str = "hooks.sock";

/// A call's file is smaller: `ao hook` cuts what agents tell.
const MOST: u64 = 1 << 20;

/// Waits for calls and passes them on, for ever.
pub(super) async fn pass_on(files: Files, record: Record) {
    collect(&files, &record);
    let Ok(nudges) = listen(&files.run()) else { return std::future::pending().await };
    let mut nothing = [0; 1];
    loop {
        // A socket that fails is looked at again with the next call, and at the end.
        if nudges.recv(&mut nothing).await.is_err() {
            return std::future::pending().await;
        }
        collect(&files, &record);
    }
}

/// Binds the socket in the process's directory, which becomes `dir`: only the bridge does this, which has nothing else there.
fn listen(dir: &Path) -> io::Result<UnixDatagram> {
    std::env::set_current_dir(dir)?;
    match fs::remove_file(NUDGES) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    UnixDatagram::bind(NUDGES)
}

/// Passes on what lies there, oldest first, and nudges the daemon.
pub(super) fn collect(files: &Files, record: &Record) {
    let Some(root) = &record.data_root else { return };
    let Ok(entries) = fs::read_dir(files.spool()) else { return };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    let mut passed = false;
    for name in names {
        let path = files.spool().join(&name);
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        passed |= read(&path, record)
            .is_some_and(|hook| put(&root.join("spool"), record, &hook, &name.to_string_lossy()).is_ok());
        // What is not of this launch, or no call at all, is of no use to anybody.
        let _ = fs::remove_file(&path);
    }
    if passed && let Ok(socket) = std::os::unix::net::UnixDatagram::unbound() {
        // A daemon that is away looks into the spool when it starts.
        let _ = socket.send_to(&[], root.join("run").join(NUDGES));
    }
}

/// A call of this launch; none for anything else.
fn read(path: &Path, record: &Record) -> Option<SpooledHook> {
    // A link or a pipe from inside must lead nowhere here, nor hold anybody up.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes).ok()?;
    let hook: SpooledHook = serde_json::from_slice(&bytes).ok()?;
    (hook.launch.as_str() == record.launch && hook.session.as_str() == record.session).then_some(hook)
}

/// Writes a call into the daemon's spool, whole or not at all. Names in order are calls in order, as in `ao hook`.
fn put(spool: &Path, record: &Record, hook: &SpooledHook, name: &str) -> io::Result<()> {
    let digits: String = name.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
    let launch: String = record.launch.chars().filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).collect();
    let whole = spool.join(format!("{digits}-{launch}.json"));
    let part = spool.join(format!("{digits}-{launch}.part"));
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(&serde_json::to_vec(hook)?)?;
    fs::rename(part, whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ao_core::hook::HookPayload;
    use ao_core::id::{LaunchId, SessionId};

    fn hook(session: &str) -> SpooledHook {
        SpooledHook {
            session: SessionId::new(session),
            launch: LaunchId::new("app-1.1"),
            secret: "s".to_owned(),
            agent: "claude-code".to_owned(),
            event: "Stop".to_owned(),
            at_unix_ms: 1,
            payload: HookPayload::default(),
        }
    }

    #[test]
    fn only_calls_of_the_launch_itself_come_out_of_its_container() {
        let place = tempfile::tempdir().expect("a directory");
        let root = place.path().join("root");
        fs::create_dir_all(root.join("spool")).expect("a spool");
        let files = Files::new(&place.path().join("1"));
        fs::create_dir_all(files.spool()).expect("its own");
        let record = Record {
            socket: "/s".into(),
            id: "x".into(),
            name: "x".into(),
            image: "x".into(),
            program: "x".into(),
            launch: "app-1.1".into(),
            session: "app-1".into(),
            data_root: Some(root.clone()),
            memory: None,
        };
        let inside = |name: &str, text: &str| fs::write(files.spool().join(name), text).expect("written");
        let json = |session| serde_json::to_string(&hook(session)).expect("json");
        inside("00000000000000000007-12.json", &json("app-1"));
        inside("00000000000000000008-12.json", &json("app-2"));
        inside("00000000000000000009-12.json", "{}");
        inside("00000000000000000010-12.part", &json("app-1"));
        let secret = place.path().join("elsewhere");
        fs::write(&secret, json("app-1")).expect("written");
        std::os::unix::fs::symlink(&secret, files.spool().join("00000000000000000011-12.json")).expect("a link");

        collect(&files, &record);

        let names = |dir: &Path| -> Vec<String> {
            let all = fs::read_dir(dir).expect("a directory");
            all.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names(&root.join("spool")), ["00000000000000000007-12-app-1.1.json"]);
        assert_eq!(names(&files.spool()), ["00000000000000000010-12.part"]);
        assert!(secret.exists());
    }
}
