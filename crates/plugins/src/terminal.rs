//! Slot `terminal`: shows a session to the person at this machine.

mod attach;
mod command;
#[cfg(test)]
mod contract;
mod iterm2;
mod start;
mod template;
mod tmux;
mod wanted;
mod web;

pub use attach::Here;
pub use command::Emulator;
pub use iterm2::Iterm2;
pub use template::{BadTemplate, Template};
pub use tmux::TmuxWindow;
pub use web::Web;
