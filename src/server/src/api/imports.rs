//! Import of rosters from files.

use super::Routes;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
}
