//! Follows the transcripts of agents: finds the file, reads what is new, reports what it says. Reads only.

mod find;
mod follow;
mod tail;

pub(crate) use follow::follow;
