//! Stories under the virtual clock: what users see happen, told from the first event to the last.

mod archive;
mod boots;
mod choice;
mod deliveries;
mod freezing;
mod landing;
mod pressing;
mod questions;
mod restarts;
mod runs;
mod sessions;
mod terminals;
mod trouble;
mod workspaces;
