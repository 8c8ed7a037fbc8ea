//! Courses (khóa): what several classes have in common.

use lophoc_classes::{Course, CourseForm, CourseId, Page};
use lophoc_ledger::{PersonKey, fold_name};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::classes::{fresh_id, pattern};
use crate::error::StoreError;
use crate::store::{Store, to_db};

impl Store {
    /// Creates a course.
    pub async fn create_course(
        &self,
        form: CourseForm,
        by: &PersonKey,
        now_ms: u64,
    ) -> Result<Course, StoreError> {
        let course = Course {
            id: CourseId(fresh_id('k')?),
            form,
        };
        sqlx::query(
            "INSERT INTO course (id, title, programme, periods, basis, school_year, search, \
             made_by, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(course.id.as_str())
        .bind(&course.form.title)
        .bind(&course.form.programme)
        .bind(i64::from(course.form.periods))
        .bind(&course.form.basis)
        .bind(&course.form.school_year)
        .bind(fold_name(&format!(
            "{} {}",
            course.form.title, course.form.programme
        )))
        .bind(by.as_str())
        .bind(to_db(now_ms)?)
        .execute(&self.pool)
        .await?;
        Ok(course)
    }

    /// Courses whose title or programme holds `q` (marks do not matter), latest
    /// first, `n` from `from` on.
    pub async fn courses(&self, q: &str, from: u32, n: u32) -> Result<Page<Course>, StoreError> {
        let pattern = pattern(q);
        let total: i64 =
            sqlx::query_scalar("SELECT count(*) FROM course WHERE search LIKE $1 ESCAPE '\\'")
                .bind(&pattern)
                .fetch_one(&self.pool)
                .await?;
        let rows = sqlx::query(
            "SELECT id, title, programme, periods, basis, school_year FROM course \
             WHERE search LIKE $1 ESCAPE '\\' ORDER BY created_ms DESC, id LIMIT $2 OFFSET $3",
        )
        .bind(&pattern)
        .bind(i64::from(n))
        .bind(i64::from(from))
        .fetch_all(&self.pool)
        .await?;
        Ok(Page {
            items: rows.iter().map(course_of_row).collect::<Result<_, _>>()?,
            total: u32::try_from(total).unwrap_or(u32::MAX),
        })
    }
}

fn course_of_row(row: &SqliteRow) -> Result<Course, StoreError> {
    let periods: i64 = row.try_get("periods")?;
    Ok(Course {
        id: CourseId(row.try_get("id")?),
        form: CourseForm {
            title: row.try_get("title")?,
            programme: row.try_get("programme")?,
            periods: u16::try_from(periods)
                .map_err(|_| StoreError::Damaged(format!("periods {periods}")))?,
            basis: row.try_get("basis")?,
            school_year: row.try_get("school_year")?,
        },
    })
}
