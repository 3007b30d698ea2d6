//! Webhooks of businesses: where they are called, and what signs the calls.

use sqlx::PgConnection;
use uuid::Uuid;

/// Where a webhook is called.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) secret: Vec<u8>,
}

/// The webhooks of the business in scope that are called.
pub(crate) async fn active(connection: &mut PgConnection) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from webhook where business_id = current_business() and is_active order by id"
    )
    .fetch_all(connection)
    .await
}

/// One that is still called.
pub(crate) async fn by_id(
    connection: &mut PgConnection,
    id: Uuid,
) -> sqlx::Result<Option<Webhook>> {
    sqlx::query_as!(
        Webhook,
        "select url, secret from webhook where id = $1 and is_active",
        id
    )
    .fetch_optional(connection)
    .await
}
