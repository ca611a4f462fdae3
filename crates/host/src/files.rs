//! The host's files in a launch directory (`docs/design/host.md`, "Files").
//!
//! They survive the death of any process; nothing is synced but `exit.json`.

mod deliveries;
mod index;
mod output;
mod past;
mod place;
mod rows;

pub use deliveries::{DeliveryLog, read_deliveries};
pub use index::{IndexRecord, Kind as IndexKind, read_index};
pub use output::{OutputLog, read_output};
pub use past::read_rows;
pub use place::private_dir;
pub use rows::RowLog;
