//! One trait per plugin slot, and the registry that finds them by name.
