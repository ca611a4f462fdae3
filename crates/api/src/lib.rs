//! What crosses the wire: requests, responses, errors, and a typed client.

#![warn(missing_docs)]
