//! What crosses the wire: requests, responses, frames, errors, and a typed client.
//!
//! Types here are made from core's facts and never the other way round; they hold no behaviour but the client's.

#![warn(missing_docs)]

pub mod access;
pub mod agent;
#[cfg(unix)]
pub mod client;
pub mod disk;
pub mod event;
pub mod explanation;
pub mod fault;
pub mod issue;
pub mod project;
pub mod question;
pub mod request;
pub mod run;
pub mod said;
pub mod session;
pub mod terminal;
pub mod usage;
