//! Slot `terminal`: shows a session to the person at this machine.

mod attach;
mod command;
mod iterm2;
mod start;
mod template;
mod tmux;
mod web;

pub use attach::Here;
pub use command::Emulator;
pub use iterm2::Iterm2;
pub use template::{BadTemplate, Template};
pub use tmux::TmuxWindow;
pub use web::Web;

use ao_slots::terminal::Opening;
use ao_slots::{Answer, Fault, Kind};

/// The command that attaches; only sessions have one.
fn attach_words(opening: &Opening) -> Answer<&[String]> {
    if opening.attach.is_empty() {
        return Err(Fault::new(Kind::Unsupported, "only a session can be opened in a terminal")
            .hint("name a session, or open the board: ao open --with web"));
    }
    Ok(&opening.attach)
}
