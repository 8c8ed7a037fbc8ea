//! People.

use super::Routes;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
}
