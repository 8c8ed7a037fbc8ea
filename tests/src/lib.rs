//! End-to-end tests that need a running server.
