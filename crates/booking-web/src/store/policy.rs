//! The terms under which bookings can be called off, as JSON.

use sqlx::PgConnection;
use uuid::Uuid;

/// Sets the terms of a service, or of the business; bookings that are made keep theirs.
pub(crate) async fn set(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    service: Option<Uuid>,
    terms: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into policy (id, business_id, service_id, terms)
         values ($1, $2, $3, $4::text::jsonb)
         on conflict on constraint policy_service_unique do update set terms = excluded.terms",
        id,
        business,
        service,
        terms
    )
    .execute(connection)
    .await?;
    Ok(())
}
