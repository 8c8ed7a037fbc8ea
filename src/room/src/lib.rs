//! Sans-IO room state machine.
