//! Stories under the virtual clock: what users see happen, told from the first event to the last.

mod deliveries;
mod landing;
mod restarts;
mod runs;
mod sessions;
mod trouble;
