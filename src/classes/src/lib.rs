//! Sans-IO class records.
