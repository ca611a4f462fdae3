//! Submodules of a new workspace: those that the main checkout has, copied from there, without the network.
//!
//! One whose commit the main checkout does not have yet is left out; the agent can fetch it.

use super::snapshot::Site;
use crate::git::{Git, Said};
use ao_slots::Answer;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Copying objects of submodules on a slow disk.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// A submodule of the main checkout.
struct Module {
    name: OsString,
    url: OsString,
    path: PathBuf,
    git_dir: PathBuf,
}

/// Checks out the submodules that the main checkout has. `common` is the main repository's git directory.
pub(super) async fn check_out(main: &Git, common: &Path, site: &Site) -> Answer<()> {
    if !site.files.join(".gitmodules").is_file() || !common.join("modules").is_dir() {
        return Ok(());
    }
    let urls = main.call(["config", "-z", "--get-regexp", "^submodule\\..*\\.url$"]).ask().await?;
    let paths = site.git.call(["config", "-z", "--file", ".gitmodules", "--get-regexp", "^submodule\\..*\\.path$"]);
    let paths = settings(&paths.ask().await?, b".path");
    let modules = settings(&urls, b".url").into_iter().filter_map(|(name, url)| {
        let path = paths.iter().find(|(other, _)| *other == name).map(|(_, path)| PathBuf::from(path))?;
        let git_dir = common.join("modules").join(&name);
        let is_new = !site.files.join(&path).join(".git").exists();
        (git_dir.join("HEAD").is_file() && is_new).then_some(Module { name, url, path, git_dir })
    });
    for module in modules {
        let mut from = OsString::from("submodule.");
        from.push(&module.name);
        from.push(".url=");
        from.push(&module.git_dir);
        let call = site.git.call(["-c", "protocol.file.allow=always", "-c"]).arg(from);
        let call = call.args(["submodule", "--quiet", "update", "--init", "--"]).arg(&module.path);
        let said = call.env("GIT_LFS_SKIP_SMUDGE", "1").limit(LIMIT).ask().await?;
        if said.code != 0 {
            tracing::warn!(path = %module.path.display(), why = said.words(), "a submodule was left out");
            continue;
        }
        let mut key = OsString::from("submodule.");
        key.push(&module.name);
        key.push(".url");
        // A clone does not have this of the main checkout.
        site.git.call(["config"]).arg(&key).arg(&module.url).run().await?;
        let inner = site.git.inside(&site.files.join(&module.path));
        inner.call(["config", "remote.origin.url"]).arg(&module.url).run().await?;
    }
    Ok(())
}

/// Lines such as `submodule.NAME.url` and their values.
fn settings(said: &Said, ending: &[u8]) -> Vec<(OsString, OsString)> {
    let line = |field: &[u8]| {
        let end = field.iter().position(|&byte| byte == b'\n')?;
        let key = field.get(..end)?.strip_prefix(b"submodule.")?.strip_suffix(ending)?;
        Some((OsString::from_vec(key.to_vec()), OsString::from_vec(field.get(end + 1..)?.to_vec())))
    };
    let is_safe = |name: &OsString| Path::new(name).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    said.fields().filter_map(line).filter(|(name, _)| is_safe(name) && !name.as_bytes().is_empty()).collect()
}
