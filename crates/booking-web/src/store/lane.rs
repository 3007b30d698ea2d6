//! Hours of lanes, their exceptions and their versions.

use sqlx::PgConnection;
use time::Date;
use uuid::Uuid;

/// Weekly hours of a lane.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) lane_id: Uuid,
    pub(crate) weekday: i16,
    pub(crate) opens: i16,
    pub(crate) closes: i16,
}

/// A date on which a lane is different; without minutes it is closed.
#[derive(Debug, Clone)]
pub(crate) struct Exception {
    pub(crate) lane_id: Uuid,
    pub(crate) date: Date,
    pub(crate) opens: Option<i16>,
    pub(crate) closes: Option<i16>,
}

pub(crate) async fn openings(
    connection: &mut PgConnection,
    lanes: &[Uuid],
) -> sqlx::Result<Vec<Opening>> {
    sqlx::query_as!(
        Opening,
        "select lane_id, weekday, opens, closes from opening where lane_id = any($1)",
        lanes
    )
    .fetch_all(connection)
    .await
}

pub(crate) async fn exceptions(
    connection: &mut PgConnection,
    lanes: &[Uuid],
    from: Date,
    to: Date,
) -> sqlx::Result<Vec<Exception>> {
    sqlx::query_as!(
        Exception,
        "select lane_id, date, opens, closes from opening_exception
         where lane_id = any($1) and date between $2 and $3",
        lanes,
        from,
        to
    )
    .fetch_all(connection)
    .await
}

/// Says that the claims or hours of a lane have changed.
pub(crate) async fn bump(connection: &mut PgConnection, lane: Uuid) -> sqlx::Result<()> {
    sqlx::query!("update lane set version = version + 1 where id = $1", lane)
        .execute(connection)
        .await?;
    Ok(())
}

/// The sum of the versions of the business in scope; it grows with every change.
pub(crate) async fn version(connection: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select coalesce(sum(version), 0)::bigint as "version!" from lane"#)
        .fetch_one(connection)
        .await
}

/// Some lane of the business in scope.
pub(crate) async fn first(connection: &mut PgConnection) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!("select id from lane order by id limit 1")
        .fetch_optional(connection)
        .await
}
