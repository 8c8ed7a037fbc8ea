//! Exports, record bundles, verification.

use super::Routes;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
}
