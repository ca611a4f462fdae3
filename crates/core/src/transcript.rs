//! What an agent's own transcript says: its shape as data, and one record after the other read into a [`Reading`].
//!
//! Pure: who reads the file, how far, and what to do when it was cut or replaced, is in the daemon's `transcript`.

pub mod lean;
pub mod path;
pub mod read;
pub mod reading;
pub mod rule;
pub mod when;

pub use reading::{Cursor, Reading};
pub use rule::{Says, Shape};
