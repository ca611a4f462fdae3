//! How the host of a launch stands, asked without holding anybody up.

use ao_host::discover::{self, Standing};
use std::path::Path;

/// Looks at the launch with this directory.
pub(super) async fn standing(dir: &Path) -> Standing {
    let dir = dir.to_owned();
    match tokio::task::spawn_blocking(move || discover::probe(&dir).standing).await {
        Ok(standing) => standing,
        Err(e) => Standing::Unknown { why: format!("looking at it failed: {e}") },
    }
}
