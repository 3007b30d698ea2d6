//! Accounts and what secures them. A transaction sees the account that it acts for, and
//! the one whose e-mail address or secret it knows; see the migration.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::stored;

/// Who somebody is.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) name: String,
    /// Whether the e-mail address was shown to be theirs.
    pub(crate) is_confirmed: bool,
    pub(crate) is_demonstration: bool,
}

/// Lets the rest of the transaction see and change what belongs to `account`.
pub(crate) async fn scope(connection: &mut PgConnection, account: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "select set_config('booking.account', $1, true)",
        account.to_string()
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// Lets the rest of the transaction see what belongs to whoever knows the secret.
pub(crate) async fn hold(connection: &mut PgConnection, token_hash: &[u8]) -> sqlx::Result<()> {
    let text = data_encoding::HEXLOWER.encode(token_hash);
    sqlx::query!("select set_config('booking.token_hash', $1, true)", text)
        .fetch_one(connection)
        .await?;
    Ok(())
}

/// The account whose address this was shown to be. Where there is one, the rest of the
/// transaction acts for it.
pub(crate) async fn find(
    connection: &mut PgConnection,
    email: &str,
) -> sqlx::Result<Option<Account>> {
    sqlx::query!("select set_config('booking.email', $1, true)", email)
        .fetch_one(&mut *connection)
        .await?;
    let account = sqlx::query_as!(
        Account,
        r#"select id, email, name, state = 'active' as "is_confirmed!", is_demonstration
         from account where email = $1 and state = 'active'"#,
        email
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(account) = &account {
        scope(connection, account.id).await?;
    }
    Ok(account)
}

/// The account in scope.
pub(crate) async fn by_id(
    connection: &mut PgConnection,
    id: Uuid,
) -> sqlx::Result<Option<Account>> {
    sqlx::query_as!(
        Account,
        r#"select id, email, name, state = 'active' as "is_confirmed!", is_demonstration
         from account where id = $1"#,
        id
    )
    .fetch_optional(connection)
    .await
}

/// The account must be in scope already.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    account: &Account,
    now: Timestamp,
) -> sqlx::Result<()> {
    let state = if account.is_confirmed {
        "active"
    } else {
        "unconfirmed"
    };
    sqlx::query!(
        "insert into account (id, email, name, state, is_demonstration, created_at)
         values ($1, $2, $3, $4, $5, $6)",
        account.id,
        account.email,
        account.name,
        state,
        account.is_demonstration,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The hash of the password of the account in scope.
pub(crate) async fn password(
    connection: &mut PgConnection,
    account: Uuid,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "select hash from account_password where account_id = $1",
        account
    )
    .fetch_optional(connection)
    .await
}

/// The same, so that nobody changes it until the transaction ends.
pub(crate) async fn lock_password(
    connection: &mut PgConnection,
    account: Uuid,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "select hash from account_password where account_id = $1 for no key update",
        account
    )
    .fetch_optional(connection)
    .await
}

/// Keeps the same password in another way; `false` where it is another one by now.
pub(crate) async fn keep_better(
    connection: &mut PgConnection,
    account: Uuid,
    (old, new): (&str, &str),
) -> sqlx::Result<bool> {
    let kept = sqlx::query!(
        "update account_password set hash = $3 where account_id = $1 and hash = $2",
        account,
        old,
        new
    )
    .execute(connection)
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// Sets the password, or another one.
pub(crate) async fn set_password(
    connection: &mut PgConnection,
    account: Uuid,
    hash: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into account_password (account_id, hash, changed_at) values ($1, $2, $3)
         on conflict on constraint account_password_pkey
         do update set hash = excluded.hash, changed_at = excluded.changed_at",
        account,
        hash,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes down what happened; to nobody's account where `account` is none.
pub(crate) async fn event(
    connection: &mut PgConnection,
    id: Uuid,
    account: Option<Uuid>,
    action: &str,
    network: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into account_event (id, account_id, at, action, network)
         values ($1, $2, $3, $4, $5)",
        id,
        account,
        stored(now),
        action,
        network
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Says that the address of the account in scope was shown to be theirs.
pub(crate) async fn confirm(connection: &mut PgConnection, account: Uuid) -> sqlx::Result<()> {
    sqlx::query!("update account set state = 'active' where id = $1", account)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets the account in scope, with all that secured it.
pub(crate) async fn forget(connection: &mut PgConnection, account: Uuid) -> sqlx::Result<()> {
    sqlx::query!("delete from account where id = $1", account)
        .execute(connection)
        .await?;
    Ok(())
}
