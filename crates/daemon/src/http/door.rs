//! What a connection holds of the daemon: nothing that keeps it alive. A caller that stalls for ever must not keep the loop
//! from ending, so the house is asked for with every request, and is gone once the doors are closed.

use super::kept::Shelf;
use crate::action::row::House;
use ao_core::kind::Fault;
use std::sync::{Arc, Mutex, PoisonError};

/// The door; clones are the same door.
#[derive(Clone)]
pub(super) struct Door {
    house: Arc<Mutex<Option<House>>>,
    shelf: Arc<Shelf>,
}

impl Door {
    pub(super) fn open(house: House) -> Self {
        Self { house: Arc::new(Mutex::new(Some(house))), shelf: Arc::default() }
    }

    /// The house, for as long as one request.
    ///
    /// # Errors
    /// `unavailable` once the doors are closed.
    pub(super) fn enter(&self) -> Result<House, Fault> {
        let house = self.house.lock().unwrap_or_else(PoisonError::into_inner).clone();
        house.ok_or_else(|| Fault::unavailable("the daemon is shutting down").hint("try again: it starts by itself"))
    }

    /// Answers that are kept serialised.
    pub(super) fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    pub(super) fn close(&self) {
        *self.house.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
