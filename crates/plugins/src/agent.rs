//! Slot `agent`: every agent is a data file, compiled in or from the user's own configuration directory.
//!
//! Nothing here knows any agent by name, and adapters are never read from a repository.

pub mod cast;
mod described;
mod files;
mod hooks;
mod launch;
mod login;
mod mistake;
mod native;
mod probe;
pub mod replay;

pub use described::DataAgent;
pub use files::{built_in, load_dir};
pub use login::{LoggedIn, logged_in};
pub use native::native_id;
