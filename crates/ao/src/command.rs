//! The verbs: a file each. They are called in `cli`.

pub mod api;
pub mod attach;
pub mod cleanup;
pub mod daemon;
pub mod demo;
pub mod doctor;
pub mod events;
pub mod explain;
pub mod fix;
pub mod issues;
pub mod list;
pub mod logs;
pub mod merge_queue;
pub mod new;
pub mod next;
pub mod open;
pub mod rescue;
pub mod restore;
pub mod send;
pub mod start;
pub mod status;
pub mod stop;
pub mod token;
pub mod trust;
pub mod version;
pub mod wait;
