//! What one line of the journal says, as a value.
//!
//! It does not know the product's events, facts or effects: they are type parameters here.

/// One committed event with what it changed and what it asked of the world.
///
/// `E` is the event, `D` the change of facts, `F` an effect. For writing they may be references: every
/// `T: Serialize` is good enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<E, D, F> {
    /// Position in the journal: 1, 2, 3 … without gaps. It is the cursor of API and SSE.
    pub seq: u64,
    /// Wall time in milliseconds since the Unix epoch; for people, never for deadlines.
    pub at: u64,
    /// The machine's own time in milliseconds (boot time), the `now` that the decision was made with.
    pub time: u64,
    /// Project that the event belongs to, if it belongs to one.
    pub project: Option<String>,
    /// Session that the event belongs to, if it belongs to one.
    pub session: Option<String>,
    /// What happened.
    pub event: E,
    /// What changed in the facts; replay applies it and decides nothing.
    pub delta: D,
    /// What is to be done, in order.
    pub effects: Vec<F>,
}
