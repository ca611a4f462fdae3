//! Names and rights of the files, and the reading of those that were packed when their session was archived.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Makes a directory that only its owner can enter, with whatever is missing above it.
///
/// # Errors
/// When it cannot be made.
pub fn private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Opens a file for appending that only its owner can read.
pub(super) fn append_to(path: &Path) -> io::Result<File> {
    File::options().append(true).create(true).mode(0o600).open(path)
}

/// What the name of a packed file ends with: gzip (RFC 1952). The daemon packs files of archived sessions.
const PACKED: &str = ".gz";

/// Reads a whole file, packed or not. Of a file that was being packed when the daemon was killed there may be both: the
/// plain one is whole.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut packed = path.as_os_str().to_owned();
    packed.push(PACKED);
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut bytes = Vec::new();
            // Whoever asks for a file that is nowhere hears of the plain one.
            let file = File::open(packed).map_err(|_| error)?;
            flate2::read::GzDecoder::new(file).read_to_end(&mut bytes)?;
            Ok(bytes)
        }
        other => other,
    }
}

/// Files named `<prefix>-<number>.log`, by number; a packed one by its plain name, for [`read`].
pub(super) fn numbered(dir: &Path, prefix: &str) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| {
            let name = name.strip_suffix(PACKED).unwrap_or(name);
            name.strip_prefix(prefix)?.strip_prefix('-')?.strip_suffix(".log")?.parse().ok()
        });
        if let Some(number) = number {
            let path = entry.path();
            // `out-0.log.gz` without its last part is `out-0.log`.
            found.push((
                number,
                if path.extension().is_some_and(|e| e == "gz") { path.with_extension("") } else { path },
            ));
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Path of the file with this number.
pub(super) fn numbered_path(dir: &Path, prefix: &str, number: u64) -> PathBuf {
    dir.join(format!("{prefix}-{number}.log"))
}
