//! The terms under which bookings can be called off, as JSON.

use sqlx::PgConnection;
use uuid::Uuid;

/// The terms of a service, or else of its business; none where neither has any.
pub(crate) async fn terms(
    connection: &mut PgConnection,
    service: Uuid,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"select terms::text as "terms!" from policy
         where service_id = $1 or service_id is null
         order by service_id nulls last limit 1"#,
        service
    )
    .fetch_optional(connection)
    .await
}

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
