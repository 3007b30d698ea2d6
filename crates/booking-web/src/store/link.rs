//! Secret addresses of bookings, and the keys under which requests are repeated. Only
//! hashes of what is secret are kept.

use jiff::Timestamp;
use sqlx::postgres::PgTransaction;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use uuid::Uuid;

use super::{open, stored};

/// What a key was used for before.
#[derive(Debug)]
pub(crate) struct Earlier {
    pub(crate) request_hash: Vec<u8>,
    pub(crate) booking: Uuid,
}

/// The business and the booking of a secret address. Row-level security shows the row
/// to whoever knows the hash, for this transaction only.
pub(crate) async fn find(
    connection: &mut PgConnection,
    token_hash: &[u8],
) -> sqlx::Result<Option<(Uuid, Uuid)>> {
    let text = data_encoding::HEXLOWER.encode(token_hash);
    sqlx::query!("select set_config('booking.token_hash', $1, true)", text)
        .fetch_one(&mut *connection)
        .await?;
    let row = sqlx::query!(
        "select business_id, booking_id from booking_link where token_hash = $1",
        token_hash
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.business_id, row.booking_id)))
}

/// Begins a transaction for whoever knows the hash of a secret address: it sees and changes
/// the rows of the business that it leads to, and of no other. Gives business and booking.
pub(crate) async fn begin(
    pool: &PgPool,
    token_hash: &[u8; 32],
) -> sqlx::Result<(PgTransaction<'static>, Option<(Uuid, Uuid)>)> {
    let text = data_encoding::HEXLOWER.encode(token_hash);
    // One message to the database instead of two: a hash is only digits and letters.
    let statement = format!("begin; select set_config('booking.token_hash', '{text}', true)");
    let mut transaction = open(pool, AssertSqlSafe(statement)).await?;
    let row = sqlx::query!(
        "select business_id, booking_id, set_config('booking.business', business_id::text, true)
         from booking_link where token_hash = $1",
        &token_hash[..]
    )
    .fetch_optional(&mut *transaction)
    .await?;
    let found = row.map(|row| (row.business_id, row.booking_id));
    Ok((transaction, found))
}

/// Reserves a key for a booking. Waits for a transaction that is using it just now.
/// `false` where it was used before.
pub(crate) async fn reserve(
    connection: &mut PgConnection,
    business: Uuid,
    key: &str,
    request_hash: &[u8],
    booking: Uuid,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into idempotency_key (business_id, key, request_hash, booking_id, created_at)
         values ($1, $2, $3, $4, $5)
         on conflict on constraint idempotency_key_pkey do nothing",
        business,
        key,
        request_hash,
        booking,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

pub(crate) async fn earlier(
    connection: &mut PgConnection,
    key: &str,
) -> sqlx::Result<Option<Earlier>> {
    sqlx::query_as!(
        Earlier,
        "select request_hash, booking_id as booking from idempotency_key where key = $1",
        key
    )
    .fetch_optional(connection)
    .await
}
