//! Hosts with real terminals and real processes; every test waits for events and ends everything that it started.
//!
//! The host is the example `host`, which `cargo test -p ao-host` builds beside these tests.

mod attach;
mod conversation;
mod discover;
mod end;
mod fair;
mod files;
mod protocol;
mod screen;
mod stop;
mod survival;
mod terminal;
mod tree;
mod typing;
mod watch;
mod world;
