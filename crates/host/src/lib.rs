//! The per-session host process and its sans-IO wire codec.

pub mod engine;
