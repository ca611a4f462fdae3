//! Tests of the doors: a whole daemon with plugins that play, spoken to as its callers do. No real agent runs here.

mod access;
mod events;
mod inside;
mod page;
mod projects;
mod sessions;
mod speak;
mod terminal;
mod world;
