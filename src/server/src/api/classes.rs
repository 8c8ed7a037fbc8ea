//! Courses, classes, sessions, staff, rosters, join links.

use super::Routes;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
}
