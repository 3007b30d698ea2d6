//! Second steps of signing in: the sealed secret of a code app, and codes for the day on
//! which the phone is lost. The account must be in scope.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::stored;

/// The secret of a code app.
#[derive(Debug, Clone)]
pub(crate) struct Totp {
    pub(crate) sealed: Vec<u8>,
    /// Whether a code of it was given once; before that it is only being set up.
    pub(crate) is_confirmed: bool,
}

pub(crate) async fn totp(
    connection: &mut PgConnection,
    account: Uuid,
) -> sqlx::Result<Option<Totp>> {
    sqlx::query_as!(
        Totp,
        r#"select sealed, confirmed_at is not null as "is_confirmed!"
         from account_totp where account_id = $1"#,
        account
    )
    .fetch_optional(connection)
    .await
}

/// Begins to set a code app up, anew where one was begun and never confirmed.
pub(crate) async fn begin(
    connection: &mut PgConnection,
    account: Uuid,
    sealed: &[u8],
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into account_totp (account_id, sealed) values ($1, $2)
         on conflict on constraint account_totp_pkey
         do update set sealed = excluded.sealed where account_totp.confirmed_at is null",
        account,
        sealed
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn confirm(
    connection: &mut PgConnection,
    account: Uuid,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update account_totp set confirmed_at = $2 where account_id = $1 and confirmed_at is null",
        account,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Uses the code of a step up; `false` where it, or a later one, was used before.
pub(crate) async fn use_step(
    connection: &mut PgConnection,
    account: Uuid,
    step: i64,
) -> sqlx::Result<bool> {
    let used = sqlx::query!(
        "update account_totp set last_step = $2 where account_id = $1 and last_step < $2",
        account,
        step
    )
    .execute(connection)
    .await?;
    Ok(used.rows_affected() == 1)
}

/// Removes the code app and the codes for its loss.
pub(crate) async fn remove(connection: &mut PgConnection, account: Uuid) -> sqlx::Result<()> {
    sqlx::query!("delete from account_totp where account_id = $1", account)
        .execute(&mut *connection)
        .await?;
    sqlx::query!("delete from recovery_code where account_id = $1", account)
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn insert_recovery(
    connection: &mut PgConnection,
    account: Uuid,
    code_hash: &[u8],
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into recovery_code (account_id, code_hash) values ($1, $2)",
        account,
        code_hash
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Uses a recovery code up; `false` where there is none, or it was used before.
pub(crate) async fn use_recovery(
    connection: &mut PgConnection,
    account: Uuid,
    code_hash: &[u8],
    now: Timestamp,
) -> sqlx::Result<bool> {
    let used = sqlx::query!(
        "update recovery_code set used_at = $3
         where account_id = $1 and code_hash = $2 and used_at is null",
        account,
        code_hash,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(used.rows_affected() == 1)
}
