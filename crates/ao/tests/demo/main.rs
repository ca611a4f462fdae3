//! The whole product with its real binary: the demo's proofs, the daemon killed in the middle, and bad input.

mod bad_agents;
mod bad_checks;
mod checkout;
mod checkouts;
mod interrupted;
mod journal;
mod kill;
mod play;
mod prompts;
mod proofs;
mod sample;
mod world;
