//! The command line from outside: the real binary, real git, real terminals, in a data root that is gone afterwards.

mod agents;
mod archive;
mod bad_input;
mod choice;
mod daemon;
mod fix;
mod help;
mod keys;
mod opened;
mod output;
mod recorded;
mod refused;
mod replay;
mod rest;
mod restarts;
mod said;
mod sessions;
mod terminal;
mod trouble;
mod trust;
mod versions;
mod views;
mod world;
