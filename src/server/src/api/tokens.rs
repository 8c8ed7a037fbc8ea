//! Tokens of the API.

use super::Routes;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
}
