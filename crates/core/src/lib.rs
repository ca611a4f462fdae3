//! What a session is and what should happen next; pure.
//!
//! Everything that happens becomes an [`event::Event`]; [`machine::decide`] turns facts, event and time into changes of the
//! facts and into [`effect::Effect`]s. Nothing here reads a clock, a file, the environment or a random number, nothing is
//! async, and nothing can fail except parsing.

#![warn(missing_docs, clippy::wildcard_enum_match_arm)]

pub mod activity;
pub mod adapter;
pub mod arbiter;
pub mod check;
pub mod choice;
pub mod config;
pub mod delivery;
pub mod effect;
pub mod event;
pub mod facts;
pub mod failure;
pub mod freeze;
pub mod gate;
pub mod hook;
pub mod id;
pub mod keys;
pub mod kind;
pub mod limits;
pub mod machine;
pub mod merge_queue;
pub mod once;
pub mod project;
pub mod prompt;
pub mod pull_request;
pub mod question;
pub mod reaction;
pub mod run;
pub mod screen;
pub mod session;
pub mod status;
pub mod supervision;
pub mod terminal;
pub mod time;
pub mod transcript;
pub mod usage;
pub mod workspace;
