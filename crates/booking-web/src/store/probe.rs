//! What the health endpoints ask the database.

use sqlx::PgConnection;

pub(crate) async fn ping(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query_scalar!(r#"select 1 as "one!""#)
        .fetch_one(connection)
        .await?;
    Ok(())
}

/// The newest migration that was applied in full; 0 where there is none.
pub(crate) async fn schema_level(connection: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select coalesce(max(version), 0) as "level!" from _sqlx_migrations where success"#
    )
    .fetch_one(connection)
    .await
}

/// Whether the role of this connection sees the rows of every business.
pub(crate) async fn may_bypass_row_security(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select rolsuper or rolbypassrls as "may!" from pg_roles where rolname = current_user"#
    )
    .fetch_one(connection)
    .await
}
