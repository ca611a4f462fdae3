//! The name under which the host first built its engine; it is [`super::terminal::Terminal`] now.
//!
//! Nothing here draws with `alacritty_terminal`, which is a judge in the tests.

pub use super::terminal::Terminal as AlacrittyEngine;
