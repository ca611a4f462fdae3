//! Who may call (`docs/design/access.md`): who is at the other end, what they show, and what that makes them.
//!
//! It says who a caller is; what each action needs stands in the action's own row, and is compared there.

mod ancestry;
pub mod bind;
pub mod caller;
pub mod connection;
mod gate;
mod inet;
mod rules;
pub mod sign_in;
pub mod tokens;

pub use gate::Gate;
pub use inet::owner_of_port;
