//! What terminals other than pages need of an opening: a session, with the command that attaches to it.

use ao_slots::terminal::Opening;
use ao_slots::{Answer, Fault, Kind};

/// The command that attaches; only sessions have one.
pub(super) fn attach_words(opening: &Opening) -> Answer<&[String]> {
    if opening.attach.is_empty() {
        return Err(Fault::new(Kind::Unsupported, "only a session can be opened in a terminal")
            .hint("name a session, or open the board: ao open --with web"));
    }
    Ok(&opening.attach)
}
