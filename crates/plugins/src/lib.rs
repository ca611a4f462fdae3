//! The built-in plugins: a module each, leaves of the tree.
