//! Passkeys of accounts, and the challenges that are to be signed with them. A challenge is
//! taken away by whoever uses it, so that none counts twice.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{account, instant, stored};

/// What is kept to know a passkey again.
#[derive(Debug, Clone)]
pub(crate) struct Passkey {
    pub(crate) id: Uuid,
    pub(crate) account: Uuid,
    pub(crate) credential_id: Vec<u8>,
    /// As its authenticator wrote it (COSE).
    pub(crate) public_key: Vec<u8>,
    /// The number of its algorithm (COSE).
    pub(crate) algorithm: i32,
}

/// A passkey as it is written.
#[derive(Debug)]
pub(crate) struct NewPasskey<'a> {
    pub(crate) id: Uuid,
    pub(crate) account: Uuid,
    pub(crate) credential_hash: &'a [u8],
    pub(crate) credential_id: &'a [u8],
    pub(crate) public_key: &'a [u8],
    pub(crate) algorithm: i32,
    pub(crate) sign_count: u32,
    pub(crate) name: &'a str,
    pub(crate) now: Timestamp,
}

/// A passkey as its owner sees it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) id: Uuid,
    pub(crate) credential_id: Vec<u8>,
    pub(crate) name: String,
    pub(crate) created_at: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
}

/// What was given out to be signed.
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    /// The browser that it was given to.
    pub(crate) holder: Vec<u8>,
    /// To add a passkey to this account; none to sign in.
    pub(crate) account: Option<Uuid>,
    pub(crate) expires_at: Timestamp,
}

/// The passkey of whoever knows its id; the rest of the transaction acts for its account.
pub(crate) async fn find(
    connection: &mut PgConnection,
    credential_hash: &[u8],
) -> sqlx::Result<Option<Passkey>> {
    account::hold(connection, credential_hash).await?;
    let found = sqlx::query_as!(
        Passkey,
        r#"select id, account_id as "account", credential_id, public_key, algorithm
         from account_passkey where credential_hash = $1"#,
        credential_hash
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(passkey) = &found {
        account::scope(connection, passkey.account).await?;
    }
    Ok(found)
}

/// Those of the account in scope, the newest last.
pub(crate) async fn all(connection: &mut PgConnection, account: Uuid) -> sqlx::Result<Vec<Listed>> {
    let rows = sqlx::query!(
        "select id, credential_id, name, created_at, used_at from account_passkey
         where account_id = $1 order by created_at, id limit 50",
        account
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Listed {
            id: row.id,
            credential_id: row.credential_id,
            name: row.name,
            created_at: instant(row.created_at),
            used_at: row.used_at.map(instant),
        })
        .collect())
}

/// Adds one to the account in scope; `false` where somebody has it already.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    new: &NewPasskey<'_>,
) -> sqlx::Result<bool> {
    let added = sqlx::query!(
        "insert into account_passkey (id, account_id, credential_hash, credential_id, public_key,
             algorithm, sign_count, name, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict on constraint account_passkey_credential_unique do nothing",
        new.id,
        new.account,
        new.credential_hash,
        new.credential_id,
        new.public_key,
        new.algorithm,
        i64::from(new.sign_count),
        new.name,
        stored(new.now)
    )
    .execute(connection)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// Removes one of the account in scope; `false` where there is none.
pub(crate) async fn remove(
    connection: &mut PgConnection,
    account: Uuid,
    id: Uuid,
) -> sqlx::Result<bool> {
    let removed = sqlx::query!(
        "delete from account_passkey where account_id = $1 and id = $2",
        account,
        id
    )
    .execute(connection)
    .await?;
    Ok(removed.rows_affected() == 1)
}

/// Removes all of an account.
pub(crate) async fn remove_all(connection: &mut PgConnection, account: Uuid) -> sqlx::Result<()> {
    sqlx::query!("delete from account_passkey where account_id = $1", account)
        .execute(connection)
        .await?;
    Ok(())
}

/// How often a passkey of the account in scope said that it was used. Nobody else uses it
/// until the transaction ends.
pub(crate) async fn lock_count(
    connection: &mut PgConnection,
    id: Uuid,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "select sign_count from account_passkey where id = $1 for no key update",
        id
    )
    .fetch_optional(connection)
    .await
}

/// Writes down that a passkey of the account in scope was used.
pub(crate) async fn used(
    connection: &mut PgConnection,
    id: Uuid,
    sign_count: u32,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update account_passkey set sign_count = $2, used_at = $3 where id = $1",
        id,
        i64::from(sign_count),
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives a challenge out.
pub(crate) async fn give(
    connection: &mut PgConnection,
    token_hash: &[u8],
    challenge: &Challenge,
) -> sqlx::Result<()> {
    account::hold(connection, token_hash).await?;
    sqlx::query!(
        "insert into passkey_challenge (token_hash, holder, account_id, expires_at)
         values ($1, $2, $3, $4)",
        token_hash,
        challenge.holder,
        challenge.account,
        stored(challenge.expires_at)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a challenge away; whether it still counts is for the caller to say.
pub(crate) async fn take(
    connection: &mut PgConnection,
    token_hash: &[u8],
) -> sqlx::Result<Option<Challenge>> {
    account::hold(connection, token_hash).await?;
    let row = sqlx::query!(
        "delete from passkey_challenge where token_hash = $1
         returning holder, account_id, expires_at",
        token_hash
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Challenge {
        holder: row.holder,
        account: row.account_id,
        expires_at: instant(row.expires_at),
    }))
}
