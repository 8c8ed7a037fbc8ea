//! Sans-IO attendance ledger: events, stays, reports.
