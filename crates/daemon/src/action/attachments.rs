//! Files that come with a message: copied into the workspace, where git does not see them, and named in the prompt.

use ao_core::kind::{Fault, Kind};
use ao_core::prompt;
use ao_core::screen::sha256_hex;
use ao_core::session::Session;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Files with one message: more are a directory, which the agent can be told of.
const MOST: usize = 10;
/// Bytes of one file: agents read pictures and logs of a few megabytes, and nothing of larger ones.
const LARGEST: u64 = 16 << 20;
/// Where they lie in a workspace; the whole of `.ao` is excluded from git when a workspace is made.
const FOLDER: [&str; 2] = [".ao", "attachments"];
/// Characters of a file's own name that are kept.
const NAME: usize = 80;

/// The message with the files named in it; they lie in the workspace when this returns.
///
/// # Errors
/// `invalid` for what is no file, too large or too many; `conflict` while there is no workspace; `storage_failed`.
pub(super) async fn with(session: &Session, text: &str, files: Vec<String>) -> Result<String, Fault> {
    if files.len() > MOST {
        return Err(Fault::invalid(format!("{} files are more than a message takes ({MOST})", files.len())));
    }
    let Some(workspace) = session.workspace_path.clone() else {
        let fault =
            Fault::conflict(format!("session {} has no workspace yet, so files cannot be put there", session.id));
        return Err(fault.hint(format!("wait for it: ao wait {} --for idle", session.id)));
    };
    let put =
        move || files.iter().map(|file| put(Path::new(&workspace), Path::new(file))).collect::<Result<Vec<_>, _>>();
    let paths = tokio::task::spawn_blocking(put)
        .await
        .map_err(|e| Fault::new(Kind::Bug, format!("a copy did not end: {e}")))??;
    Ok(prompt::with_files(text, &paths))
}

/// Copies one file and says where it lies, relative to the workspace. Named by its content: a repeat finds its own.
fn put(workspace: &Path, file: &Path) -> Result<String, Fault> {
    let bytes = read(file)?;
    let failed = |e: io::Error| Fault::new(Kind::StorageFailed, format!("{}: {e}", workspace.display()));
    let mut dir = workspace.to_owned();
    for part in FOLDER {
        dir.push(part);
        own_directory(&dir).map_err(failed)?;
    }
    let hash = sha256_hex(&bytes);
    let name = format!("{}-{}", hash.get(..8).unwrap_or(&hash), plain(file));
    let target = dir.join(&name);
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&target) {
        Ok(mut made) => made.write_all(&bytes).map_err(failed)?,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && same(&target, &bytes) => {}
        Err(e) => return Err(failed(e)),
    }
    Ok(format!("{}/{name}", FOLDER.join("/")))
}

/// A directory that is no link to somewhere else: what lies in a workspace is its agent's doing.
fn own_directory(dir: &Path) -> io::Result<()> {
    match fs::create_dir(dir) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && fs::symlink_metadata(dir)?.is_dir() => Ok(()),
        Err(e) => Err(e),
    }
}

fn same(target: &Path, bytes: &[u8]) -> bool {
    let is_file = fs::symlink_metadata(target).is_ok_and(|m| m.is_file());
    is_file && fs::read(target).is_ok_and(|there| there == bytes)
}

fn read(file: &Path) -> Result<Vec<u8>, Fault> {
    let cannot = |why: String| Fault::invalid(format!("{} cannot be attached: {why}", file.display()));
    if !file.is_absolute() {
        return Err(cannot("it is not an absolute path".to_owned()));
    }
    // Looked at first: a pipe would be waited for.
    let meta = fs::metadata(file).map_err(|e| cannot(e.to_string()))?;
    if !meta.is_file() {
        return Err(cannot("it is not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    let opened = fs::File::open(file).map_err(|e| cannot(e.to_string()))?;
    opened.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| cannot(e.to_string()))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(cannot(format!("it is larger than {} MB", LARGEST >> 20)));
    }
    Ok(bytes)
}

/// Its own name in characters that mean nothing to shells, terminals and agents.
fn plain(file: &Path) -> String {
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let chars: Vec<char> = name.chars().map(safe).collect();
    // The end says what kind of file it is.
    chars[chars.len().saturating_sub(NAME)..].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_file_is_copied_under_a_plain_name_and_a_repeat_finds_it() {
        let dir = tempfile::tempdir().unwrap();
        let (workspace, file) = (dir.path().join("w"), dir.path().join("a b;$(x).png"));
        fs::create_dir(&workspace).unwrap();
        fs::write(&file, b"picture").unwrap();
        let path = put(&workspace, &file).unwrap();
        assert!(path.starts_with(".ao/attachments/") && path.ends_with("-a_b___x_.png"), "{path}");
        assert_eq!(fs::read(workspace.join(&path)).unwrap(), b"picture");
        assert_eq!(put(&workspace, &file).unwrap(), path);
        fs::write(&file, b"another").unwrap();
        assert_ne!(put(&workspace, &file).unwrap(), path, "nothing is overwritten");
    }

    #[test]
    fn links_that_an_agent_made_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (workspace, outside, file) = (dir.path().join("w"), dir.path().join("outside"), dir.path().join("f"));
        for made in [&workspace, &outside] {
            fs::create_dir(made).unwrap();
        }
        fs::write(&file, b"x").unwrap();
        symlink(&outside, workspace.join(".ao")).unwrap();
        assert!(put(&workspace, &file).is_err());
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }

    #[test]
    fn what_is_no_file_or_too_large_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let large = dir.path().join("large");
        fs::File::create(&large).unwrap().set_len(LARGEST + 1).unwrap();
        for (file, why) in [
            (large.as_path(), "larger than 16 MB"),
            (dir.path(), "not a file"),
            (Path::new("relative"), "not an absolute path"),
            (Path::new("/dev/zero"), "not a file"),
        ] {
            let fault = put(dir.path(), file).unwrap_err();
            assert!(fault.message.contains(why), "{fault:?}");
        }
    }
}
