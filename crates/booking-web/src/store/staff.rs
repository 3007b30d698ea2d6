//! The people of the business in scope who give services.

use sqlx::PgConnection;
use uuid::Uuid;

/// The lane of somebody; none where there is no such person.
pub(crate) async fn lane(connection: &mut PgConnection, staff: Uuid) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!("select lane_id from staff where id = $1", staff)
        .fetch_optional(connection)
        .await
}
