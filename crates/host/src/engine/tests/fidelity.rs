//! The fidelity table.
