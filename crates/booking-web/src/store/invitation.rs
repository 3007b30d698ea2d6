//! Invitations to belong to a business. Only the hash of the secret is kept.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{account, instant, stored};

/// An invitation as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Invitation {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) email: String,
    pub(crate) role: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) is_accepted: bool,
}

/// An invitation as it is written.
#[derive(Debug)]
pub(crate) struct NewInvitation<'a> {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) token_hash: &'a [u8],
    pub(crate) email: &'a str,
    pub(crate) role: &'a str,
    pub(crate) by: Uuid,
    pub(crate) now: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Invites to the business in scope; an open invitation of the same address is replaced.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    new: &NewInvitation<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into invitation (id, business_id, token_hash, email, role, invited_by, created_at,
             expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (business_id, email) where accepted_at is null do update
         set token_hash = excluded.token_hash, role = excluded.role,
             invited_by = excluded.invited_by, created_at = excluded.created_at,
             expires_at = excluded.expires_at",
        new.id,
        new.business,
        new.token_hash,
        new.email,
        new.role,
        new.by,
        stored(new.now),
        stored(new.expires_at)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The invitation of whoever knows the secret.
pub(crate) async fn find(
    connection: &mut PgConnection,
    token_hash: &[u8],
) -> sqlx::Result<Option<Invitation>> {
    account::hold(connection, token_hash).await?;
    let row = sqlx::query!(
        "select id, business_id, email, role, expires_at, accepted_at
         from invitation where token_hash = $1",
        token_hash
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Invitation {
        id: row.id,
        business: row.business_id,
        email: row.email,
        role: row.role,
        expires_at: instant(row.expires_at),
        is_accepted: row.accepted_at.is_some(),
    }))
}

/// Uses up the invitation of the business in scope that has this secret; none where that was
/// used before, taken back, replaced by another one, or is over.
pub(crate) async fn accept(
    connection: &mut PgConnection,
    token_hash: &[u8],
    now: Timestamp,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "update invitation set accepted_at = $2
         where token_hash = $1 and accepted_at is null and expires_at > $2
         returning id",
        token_hash,
        stored(now)
    )
    .fetch_optional(connection)
    .await
}

/// The addresses that the business in scope has invited and that have not come yet.
pub(crate) async fn open(
    connection: &mut PgConnection,
    business: Uuid,
    now: Timestamp,
) -> sqlx::Result<Vec<(Uuid, String, String)>> {
    let rows = sqlx::query!(
        "select id, email, role from invitation
         where business_id = $1 and accepted_at is null and expires_at > $2
         order by email limit 200",
        business,
        stored(now)
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id, row.email, row.role))
        .collect())
}

/// Takes back an open invitation of the business in scope.
pub(crate) async fn withdraw(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from invitation where id = $1 and accepted_at is null",
        id
    )
    .execute(connection)
    .await?;
    Ok(())
}
