//! Media sockets, str0m sessions, shards.
