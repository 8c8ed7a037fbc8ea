//! Attendance, the live desk, sites, corrections.

use super::Routes;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
}
