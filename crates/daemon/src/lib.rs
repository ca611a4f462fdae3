//! The loop, the journal, the actors, and the HTTP surface.
//!
//! It is there on Unix only: elsewhere the binary says in words that it cannot work.

#![cfg(unix)]

pub mod access;
pub mod action;
pub mod engine;
pub mod http;
pub mod instance;
pub mod journal;
mod leave;
pub mod paths;
pub mod registration;
pub mod start;
pub mod trust;

mod choosing;
mod clock;
mod disk_use;
mod env;
mod hub;
mod outage;
mod perform;
mod projection;
mod spool;
mod standings;
mod supervisor;
mod transcript;
mod watch;
