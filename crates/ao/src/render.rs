//! How values look to people: text in, text out, so that every look can be shown by a test. Nothing here is decided.

pub mod disk;
pub mod evidence;
pub mod question;
pub mod run;
pub mod sessions;
pub mod spent;
pub mod table;
pub mod usage;
pub mod words;
