//! What a session is and what should happen next; pure.

#![warn(missing_docs, clippy::wildcard_enum_match_arm)]
