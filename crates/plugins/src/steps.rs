//! How far an operation goes: to its end, or to one of its steps, as if the daemon had been killed there.
//!
//! Every operation that must survive a kill says after each step that it is done; tests stop it at each of them.

use ao_slots::{Answer, Fault};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many steps are taken.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    left: Option<Arc<AtomicUsize>>,
}

impl Steps {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Only the first `count`: the one after that is not begun, and nothing is tidied up.
    #[must_use]
    pub fn first(count: usize) -> Self {
        Self { left: Some(Arc::new(AtomicUsize::new(count))) }
    }

    /// Before a step.
    ///
    /// # Errors
    /// When no step is left.
    pub(crate) fn next(&self, step: &'static str) -> Answer<()> {
        let Some(left) = &self.left else { return Ok(()) };
        left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .map(|_| ())
            .map_err(|_| Fault::unavailable(format!("{STOPPED} {step}")))
    }
}

/// How the message of a stop begins.
const STOPPED: &str = "stopped before the step:";

/// Whether an operation failed because it was stopped, not because something went wrong.
#[must_use]
pub fn was_stopped(fault: &Fault) -> bool {
    fault.message.starts_with(STOPPED)
}
