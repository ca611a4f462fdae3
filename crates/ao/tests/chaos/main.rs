//! Chaos: sessions that write and draw without a pause while their daemon is killed a hundred times.
//!
//! `AO_CHAOS_SEED` repeats a run, `AO_CHAOS_KILLS` and `AO_CHAOS_WRITERS` set its size, `AO_CHAOS_CASES` keeps what
//! viewers saw for another judge (`scripts/slow-chaos.sh`). Nothing is slept for but the moments of the kills.

mod child;
mod judge;
mod kills;
mod moment;
mod painter;
mod world;
