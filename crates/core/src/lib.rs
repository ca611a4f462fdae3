//! What a session is and what should happen next; pure.
