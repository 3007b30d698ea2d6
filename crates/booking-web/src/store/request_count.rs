//! How often something was asked for in a window of time, where Redis does not count.

use jiff::Timestamp;
use sqlx::PgConnection;

use super::{account, stored};

/// Counts one more, and says how many there are.
pub(crate) async fn take(
    connection: &mut PgConnection,
    key_hash: &[u8],
    expires_at: Timestamp,
) -> sqlx::Result<i32> {
    account::hold(connection, key_hash).await?;
    sqlx::query_scalar!(
        "insert into request_count (key_hash, taken, expires_at) values ($1, 1, $2)
         on conflict on constraint request_count_pkey
         do update set taken = request_count.taken + 1
         returning taken",
        key_hash,
        stored(expires_at)
    )
    .fetch_one(connection)
    .await
}
