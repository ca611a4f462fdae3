//! Slot `tracker`: issues kept as Markdown files in the repository.

mod local;

pub use local::Local;
