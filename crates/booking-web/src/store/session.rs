//! Browsers in which somebody is signed in. Only the hash of what the browser keeps is
//! stored.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{account, instant, stored};

/// A session as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    pub(crate) account: Uuid,
    pub(crate) state: String,
    pub(crate) seen_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) password_at: Timestamp,
}

/// A session as it is written.
#[derive(Debug)]
pub(crate) struct NewSession<'a> {
    pub(crate) id: Uuid,
    pub(crate) token_hash: &'a [u8],
    pub(crate) account: Uuid,
    pub(crate) state: &'a str,
    pub(crate) agent: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// The session of whoever knows the secret; the rest of the transaction acts for its
/// account. Whether it is over is for the caller to say.
pub(crate) async fn find(
    connection: &mut PgConnection,
    token_hash: &[u8],
) -> sqlx::Result<Option<Session>> {
    account::hold(connection, token_hash).await?;
    let row = sqlx::query!(
        "select id, account_id, state, seen_at, expires_at, password_at
         from session where token_hash = $1",
        token_hash
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    account::scope(connection, row.account_id).await?;
    Ok(Some(Session {
        id: row.id,
        account: row.account_id,
        state: row.state,
        seen_at: instant(row.seen_at),
        expires_at: instant(row.expires_at),
        password_at: instant(row.password_at),
    }))
}

/// The account must be in scope already.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    new: &NewSession<'_>,
) -> sqlx::Result<()> {
    let now = stored(new.now);
    sqlx::query!(
        "insert into session (id, token_hash, account_id, state, created_at, seen_at, expires_at,
             password_at, agent)
         values ($1, $2, $3, $4, $5, $5, $6, $5, $7)",
        new.id,
        new.token_hash,
        new.account,
        new.state,
        now,
        stored(new.expires_at),
        new.agent
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn seen(
    connection: &mut PgConnection,
    id: Uuid,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update session set seen_at = $2 where id = $1",
        id,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends one session of the account in scope.
pub(crate) async fn end(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<bool> {
    let ended = sqlx::query!("delete from session where id = $1", id)
        .execute(connection)
        .await?;
    Ok(ended.rows_affected() == 1)
}

/// Ends all sessions of the account in scope but `kept`.
pub(crate) async fn end_all(
    connection: &mut PgConnection,
    account: Uuid,
    kept: Option<Uuid>,
) -> sqlx::Result<u64> {
    let ended = sqlx::query!(
        "delete from session where account_id = $1 and id is distinct from $2",
        account,
        kept
    )
    .execute(connection)
    .await?;
    Ok(ended.rows_affected())
}

/// What becomes of a session whose rights change: another secret, and what goes with it.
#[derive(Debug)]
pub(crate) struct Renewal<'a> {
    pub(crate) token_hash: &'a [u8],
    pub(crate) state: &'a str,
    pub(crate) password_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) now: Timestamp,
}

/// Gives a session of the account in scope another secret. The old one is worth nothing.
pub(crate) async fn renew(
    connection: &mut PgConnection,
    id: Uuid,
    renewal: &Renewal<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update session set token_hash = $2, state = $3, password_at = $4, expires_at = $5,
             seen_at = $6
         where id = $1",
        id,
        renewal.token_hash,
        renewal.state,
        stored(renewal.password_at),
        stored(renewal.expires_at),
        stored(renewal.now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A session as its owner sees it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) id: Uuid,
    pub(crate) agent: String,
    pub(crate) seen_at: Timestamp,
}

/// The sessions of the account in scope that may still be used.
pub(crate) async fn all(
    connection: &mut PgConnection,
    account: Uuid,
    now: Timestamp,
) -> sqlx::Result<Vec<Listed>> {
    let rows = sqlx::query!(
        "select id, agent, seen_at from session
         where account_id = $1 and state = 'signed_in' and expires_at > $2
         order by seen_at desc limit 50",
        account,
        stored(now)
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Listed {
            id: row.id,
            agent: row.agent,
            seen_at: instant(row.seen_at),
        })
        .collect())
}
