//! Keys of programs. Only the hash of a key is kept.

use jiff::Timestamp;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::stored;

/// A key as it is stored, without its hash.
#[derive(Debug, Clone)]
pub(crate) struct ApiKey {
    pub(crate) id: Uuid,
    pub(crate) business_id: Uuid,
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) expires_at: Option<OffsetDateTime>,
    pub(crate) last_used_at: Option<OffsetDateTime>,
    pub(crate) revoked_at: Option<OffsetDateTime>,
}

/// A key as it is written.
#[derive(Debug)]
pub(crate) struct NewKey<'a> {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) name: &'a str,
    pub(crate) prefix: &'a str,
    pub(crate) secret_hash: &'a [u8],
    pub(crate) scopes: &'a [String],
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) now: Timestamp,
}

/// The key of that hash, which the transaction must know already.
pub(crate) async fn find(
    connection: &mut PgConnection,
    secret_hash: &[u8],
) -> sqlx::Result<Option<ApiKey>> {
    sqlx::query_as!(
        ApiKey,
        "select id, business_id, name, prefix, scopes, created_at, expires_at, last_used_at,
             revoked_at
         from api_key where secret_hash = $1",
        secret_hash
    )
    .fetch_optional(connection)
    .await
}

/// The keys of the business in scope, newest first.
pub(crate) async fn all(connection: &mut PgConnection) -> sqlx::Result<Vec<ApiKey>> {
    sqlx::query_as!(
        ApiKey,
        "select id, business_id, name, prefix, scopes, created_at, expires_at, last_used_at,
             revoked_at
         from api_key order by created_at desc, id desc limit 200"
    )
    .fetch_all(connection)
    .await
}

pub(crate) async fn insert(connection: &mut PgConnection, new: &NewKey<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into api_key (id, business_id, name, prefix, secret_hash, scopes, created_at,
             expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        new.id,
        new.business,
        new.name,
        new.prefix,
        new.secret_hash,
        new.scopes,
        stored(new.now),
        new.expires_at.map(stored)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a key is used, at most once a minute.
pub(crate) async fn used(
    connection: &mut PgConnection,
    id: Uuid,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update api_key set last_used_at = $2
         where id = $1 and (last_used_at is null or last_used_at < $2::timestamptz - interval '1 minute')",
        id,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// `false` where the business in scope has no such key, or has revoked it before.
pub(crate) async fn revoke(
    connection: &mut PgConnection,
    id: Uuid,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let revoked = sqlx::query!(
        "update api_key set revoked_at = $2 where id = $1 and revoked_at is null",
        id,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(revoked.rows_affected() == 1)
}
