//! Slot `terminal`: shows a session to the person at this machine.

mod web;

pub use web::Web;
