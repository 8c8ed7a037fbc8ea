//! Durable storage of classes, sessions and the ledger.
