//! The dashboard's files, embedded in the binary.
