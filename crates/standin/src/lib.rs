//! A model server on loopback whose answers are scripted: real agent programs talk to it as if it were their provider.
//!
//! It speaks as much of four protocols as the agents need, streaming or not: Anthropic Messages, OpenAI Responses, OpenAI Chat
//! Completions, Gemini `generateContent`. Nothing but loopback is listened on, and whoever points a proxy variable at it cannot
//! leave the machine: such requests are refused and noted. Used by tests only.

pub mod asked;
pub mod dialect;
pub mod fill;
pub mod json;
pub mod note;
pub mod reply;
pub mod script;
pub mod serve;
pub mod tool;
