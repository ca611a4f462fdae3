//! The whole product with its real binary: the demo's proofs, the daemon killed in the middle, and bad input.

mod checkout;
mod journal;
mod play;
mod prompts;
mod proofs;
mod world;
