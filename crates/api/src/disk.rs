//! What sessions take on the disk.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What sessions take on the disk (`GET /api/disk`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiskUse {
    /// Session by session.
    pub sessions: Vec<SessionDisk>,
    /// Bytes of all workspaces, not counting what they share with the repository.
    pub workspaces: u64,
    /// Bytes of everything that terminals left.
    pub logs: u64,
    /// Bytes of rescued work that no branch holds, as far as that can be measured.
    pub rescued: u64,
    /// Bytes that `ao cleanup --ended` would free, out of `workspaces`.
    pub cleanup_frees: u64,
    /// Ended sessions that still have a workspace.
    pub cleanup_sessions: u32,
    /// Sessions that are still being measured: ask again.
    pub unmeasured: u32,
}

/// What one session takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionDisk {
    /// The session.
    pub id: String,
    /// It is over.
    pub ended: bool,
    /// Its workspace, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Bytes>,
    /// What its terminals left, prompts and attachments.
    pub logs: Bytes,
    /// Bytes of its rescued work that no branch holds; absent when there is none or git cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescued: Option<u64>,
    /// When that was measured, Unix milliseconds; absent while it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_at: Option<u64>,
}

/// Bytes on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Bytes {
    /// What would be free if it were deleted: blocks of the disk that nothing else links to. Blocks that copies share
    /// (reflinks) are counted in each, because only the file system knows them.
    pub own: u64,
    /// What is linked from elsewhere too, such as the objects of a clone.
    pub shared: u64,
    /// The walk was given up at its limit: there is more.
    pub partial: bool,
}
