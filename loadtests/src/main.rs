//! Command line of the load generator.

fn main() {}
