//! The loop, the journal, the actors, and the HTTP surface.

pub mod journal;
