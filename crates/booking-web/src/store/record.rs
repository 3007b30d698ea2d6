//! What is written beside every change: audit, consent, and what is to be sent.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::stored;

pub(crate) async fn audit(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    actor: &str,
    action: &str,
    subject: Uuid,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into audit (id, business_id, at, actor, action, subject)
         values ($1, $2, $3, $4, $5, $6)",
        id,
        business,
        stored(now),
        actor,
        action,
        subject
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// That the customer was shown a notice, and for what the data is used.
pub(crate) async fn consent(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    customer: Uuid,
    booking: Uuid,
    notice: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into consent (id, business_id, customer_id, booking_id, purpose, notice, given_at)
         values ($1, $2, $3, $4, 'carry-out-booking', $5, $6)",
        id,
        business,
        customer,
        booking,
        notice,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Plans a message, once for each key.
pub(crate) async fn outbox(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    kind: &str,
    booking: Uuid,
    now: Timestamp,
) -> sqlx::Result<()> {
    let dedupe_key = format!("{booking}:{kind}");
    sqlx::query!(
        "insert into outbox (id, business_id, dedupe_key, kind, booking_id, send_after)
         values ($1, $2, $3, $4, $5, $6)
         on conflict on constraint outbox_dedupe_unique do nothing",
        id,
        business,
        dedupe_key,
        kind,
        booking,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}
