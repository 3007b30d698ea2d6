//! Links that are sent by mail, and the mail that brings them. Only a hash of a link is
//! kept; the mail holds it until it is sent.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{account, instant, stored};

/// What a link is for, and whose.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) account: Uuid,
    pub(crate) purpose: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) is_used: bool,
}

/// The account must be in scope.
pub(crate) async fn insert_link(
    connection: &mut PgConnection,
    token_hash: &[u8],
    account: Uuid,
    purpose: &str,
    (now, expires_at): (Timestamp, Timestamp),
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into account_link (token_hash, account_id, purpose, created_at, expires_at)
         values ($1, $2, $3, $4, $5)",
        token_hash,
        account,
        purpose,
        stored(now),
        stored(expires_at)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The link of whoever knows the secret; the rest of the transaction acts for its account.
pub(crate) async fn find_link(
    connection: &mut PgConnection,
    token_hash: &[u8],
) -> sqlx::Result<Option<Link>> {
    account::hold(connection, token_hash).await?;
    let row = sqlx::query!(
        "select account_id, purpose, expires_at, used_at from account_link where token_hash = $1",
        token_hash
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    account::scope(connection, row.account_id).await?;
    Ok(Some(Link {
        account: row.account_id,
        purpose: row.purpose,
        expires_at: instant(row.expires_at),
        is_used: row.used_at.is_some(),
    }))
}

/// Uses up a link and all of its kind; `false` where this one was used before.
pub(crate) async fn use_link(
    connection: &mut PgConnection,
    token_hash: &[u8],
    link: &Link,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let used = sqlx::query!(
        "update account_link set used_at = $2 where token_hash = $1 and used_at is null",
        token_hash,
        stored(now)
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update account_link set used_at = $3
         where account_id = $1 and purpose = $2 and used_at is null",
        link.account,
        link.purpose,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(used.rows_affected() == 1)
}

/// A mail about an account, as it is planned.
#[derive(Debug)]
pub(crate) struct NewMail<'a> {
    pub(crate) id: Uuid,
    pub(crate) kind: &'a str,
    pub(crate) to: &'a str,
    /// What it says beyond its kind, as JSON; forgotten when it is sent.
    pub(crate) content: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) expires_at: Timestamp,
}

pub(crate) async fn plan(connection: &mut PgConnection, mail: &NewMail<'_>) -> sqlx::Result<()> {
    let dedupe_key = format!("{}:{}", mail.kind, mail.id);
    sqlx::query!(
        "insert into outbox (id, dedupe_key, channel, kind, recipient, content, send_after,
             expires_at)
         values ($1, $2, 'email', $3, $4, $5, $6, $7)",
        mail.id,
        dedupe_key,
        mail.kind,
        mail.to,
        mail.content,
        stored(mail.now),
        stored(mail.expires_at)
    )
    .execute(connection)
    .await?;
    Ok(())
}
