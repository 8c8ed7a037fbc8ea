//! The lophoc server: configuration, command line, pages and calls over HTTP,
//! websockets, links and tokens, the tasks of the rooms, metrics, shutdown.
//!
//! It joins the parts that decide: `lophoc_room` says who may do what and what
//! everybody is told, `lophoc_records` keeps the ledger, `lophoc_transport`
//! carries sound and picture. This crate decides no right of a role, interprets
//! no attendance and touches no media packet. It is a library so that tests can
//! start a server in their own process.

mod accounts;
mod api;
mod app;
mod auth;
mod backup;
mod bucket;
mod classes;
pub mod cli;
mod clock;
pub mod config;
mod demo;
mod http;
mod logs;
mod mail;
mod materials;
mod media;
mod metrics;
mod net;
mod random;
pub mod recording;
mod room;
pub mod run;
mod serve;
mod tls;
mod verify_export;
mod ws;

pub use accounts::{
    AccountError, create as create_account, demo as demo_account, first as first_account,
    reset as reset_account,
};
pub use api::document as openapi;
pub use app::App;
pub use auth::{
    Code as CheckInCode, Keys, LinkClaims, NamedPerson, PreflightClaims, TokenClaims, TokenError,
};
pub use classes::{ClassError, LinkMaker, create};
pub use serve::{ServeError, Server, open_store};
