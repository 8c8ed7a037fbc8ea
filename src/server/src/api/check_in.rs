//! Checking in with a phone at a site.

use super::Routes;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
}
