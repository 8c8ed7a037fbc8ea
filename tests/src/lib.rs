//! Tests of the whole product. The Rust tests under `tests/` start the built
//! server and drive it with independent clients, or hold the tree to its rules;
//! the browser plays lie in `e2e/`, the media they replay in `fixtures/`.
//!
//! This package ships nothing and no other package depends on it.
