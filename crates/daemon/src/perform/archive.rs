//! Packs what the terminals of an archived session left: gzip, file by file, as readers of `ao logs` and `ao export` know it.
//!
//! A packed file is whole and on the disk before the plain one goes, so a kill at any moment loses nothing, and whoever finds
//! both takes the plain one.

use super::lookup::look_up;
use crate::engine::Engine;
use crate::paths::Paths;
use ao_core::effect::Outcome;
use ao_core::id::SessionId;
use ao_core::kind::{Fault, Kind};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Smaller files stay as they are: they take one block of the disk either way.
const WORTH: u64 = 4096;

/// Terminal output packs to a tenth; a higher level takes twice as long for a few percent of that.
const LEVEL: Compression = Compression::new(6);

/// Bytes of files, before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sizes {
    before: u64,
    after: u64,
}

/// Packs every launch's logs.
pub(super) async fn pack(engine: &Engine, id: &SessionId) -> Result<Outcome, Fault> {
    let (project, _) = look_up(engine, id)?;
    let dir = Paths::session_dir(&project, id);
    let packed = tokio::task::spawn_blocking(move || launches(&dir)).await;
    let sizes = packed.map_err(|e| Fault::new(Kind::Bug, format!("packing did not end: {e}")))?;
    let Sizes { before, after } = sizes.map_err(|e| match e.kind() {
        io::ErrorKind::WouldBlock => Fault::unavailable(format!("the host of session {id} has not left yet")),
        _ => Fault::new(Kind::StorageFailed, format!("the logs of session {id} were not packed: {e}")),
    })?;
    Ok(Outcome::Archived { before, after })
}

/// A packed file as it was.
pub(crate) fn unpacked(plain: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(with_end(plain, ".gz"))?).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn launches(dir: &Path) -> io::Result<Sizes> {
    let mut sizes = Sizes::default();
    let entries = match fs::read_dir(dir) {
        // It never came to a launch.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(sizes),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let is_launch = path.file_name().is_some_and(|name| name.as_encoded_bytes().iter().all(u8::is_ascii_digit));
        if is_launch && path.is_dir() {
            launch(&path, &mut sizes)?;
        }
    }
    Ok(sizes)
}

/// Packs the logs of one launch whose host is gone.
fn launch(dir: &Path, sizes: &mut Sizes) -> io::Result<()> {
    // The host holds it while it lives, and may still write.
    if let Ok(lock) = File::open(dir.join("host.lock")) {
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let packed = name.ends_with(".gz");
        // A draft that was listed may have been renamed by now.
        if !(packed || is_log(&name)) {
            continue;
        }
        let meta = entry.metadata()?;
        if !meta.is_file() {
            continue;
        }
        if packed {
            // Its plain one may be packed once more in this very walk.
            if !path.with_extension("").exists() {
                sizes.before += meta.len();
                sizes.after += meta.len();
            }
        } else if meta.len() < WORTH {
            sizes.before += meta.len();
            sizes.after += meta.len();
        } else {
            sizes.before += meta.len();
            sizes.after += one(&path)?;
        }
    }
    Ok(())
}

/// What grows with what a terminal prints.
fn is_log(name: &str) -> bool {
    let numbered = |prefix: &str| {
        let number = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(".log"));
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    name == "out.idx" || numbered("out-") || numbered("rows-")
}

/// Packs one file; its bytes afterwards.
fn one(path: &Path) -> io::Result<u64> {
    let (packed, draft) = (with_end(path, ".gz"), with_end(path, ".gz.new"));
    let to = File::options().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    let mut encoder = GzEncoder::new(to, LEVEL);
    io::copy(&mut File::open(path)?, &mut encoder)?;
    let to = encoder.finish()?;
    // The plain one goes next: this must outlive a power cut.
    to.sync_all()?;
    fs::rename(&draft, &packed)?;
    fs::remove_file(path)?;
    Ok(to.metadata()?.len())
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(n: usize) -> Vec<u8> {
        (0..n).flat_map(|n| format!("line {n}\n").into_bytes()).collect()
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn logs_are_packed_and_nothing_else_is_touched() {
        let dir = tempfile::tempdir().unwrap();
        let launch = dir.path().join("1");
        fs::create_dir(&launch).unwrap();
        for (name, lines) in [("out-0.log", 5000), ("rows-0.log", 4000), ("rows-4000.log", 1), ("exit.json", 3000)] {
            fs::write(launch.join(name), text(lines)).unwrap();
        }
        fs::write(launch.join("host.lock"), "").unwrap();
        fs::write(dir.path().join("prompt-1.txt"), text(5000)).unwrap();
        let sizes = launches(dir.path()).unwrap();
        assert!(sizes.after * 4 < sizes.before, "{sizes:?}");
        assert_eq!(names(&launch), ["exit.json", "host.lock", "out-0.log.gz", "rows-0.log.gz", "rows-4000.log"]);
        assert_eq!(unpacked(&launch.join("out-0.log")).unwrap(), text(5000));
        assert!(dir.path().join("prompt-1.txt").exists());
        let again = launches(dir.path()).unwrap();
        assert_eq!(again.after, sizes.after, "a second time changes nothing");
        assert_eq!(launches(&dir.path().join("nowhere")).unwrap(), Sizes::default());
    }

    #[test]
    fn a_kill_between_any_two_steps_is_made_good() {
        let whole = text(5000);
        // What a kill leaves: half a draft; a draft that was renamed while the plain file is still there.
        for state in ["half a draft", "both", "packed"] {
            let dir = tempfile::tempdir().unwrap();
            let launch = dir.path().join("1");
            fs::create_dir(&launch).unwrap();
            let log = launch.join("out-0.log");
            fs::write(&log, &whole).unwrap();
            match state {
                "half a draft" => fs::write(launch.join("out-0.log.gz.new"), b"\x1f\x8bhalf").unwrap(),
                "both" => {
                    one(&log).unwrap();
                    fs::write(&log, &whole).unwrap();
                }
                _ => drop(one(&log).unwrap()),
            }
            launches(dir.path()).unwrap();
            assert_eq!(names(&launch), ["out-0.log.gz"], "{state}");
            assert_eq!(unpacked(&log).unwrap(), whole, "{state}");
        }
    }

    #[test]
    fn a_host_that_has_not_left_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let launch = dir.path().join("1");
        fs::create_dir(&launch).unwrap();
        fs::write(launch.join("out-0.log"), text(5000)).unwrap();
        let lock = File::create(launch.join("host.lock")).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        assert_eq!(launches(dir.path()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(lock);
        launches(dir.path()).unwrap();
        assert_eq!(names(&launch), ["host.lock", "out-0.log.gz"]);
    }
}
