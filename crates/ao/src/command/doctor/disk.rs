//! What sessions take on the disk, and what would be free after a clean-up.

use super::finding::Finding;
use crate::connect;
use crate::context::Context;
use crate::render::disk::totals;
use ao_api::disk::DiskUse;

/// From this on it is worth a word: the smallest clouds' disks have ten times as much.
const WORTH: u64 = 1_000_000_000;

pub(super) async fn look(context: &Context) -> Option<Finding> {
    // Without a daemon nobody knows what belongs to whom.
    let client = connect::running(context).await.ok()??;
    let found: DiskUse = client.get("/api/disk").await.ok()?;
    if found.sessions.is_empty() {
        return None;
    }
    let words = totals(&found);
    Some(if found.cleanup_frees >= WORTH {
        Finding::note("disk use", words, "ao cleanup --ended (what is in them is kept); ao list --disk shows each")
    } else {
        Finding::ok("disk use", words)
    })
}
