//! Accounts whose address nobody confirmed, and the businesses that they began. Rows stay, since
//! the audit speaks of them; who it was and what they typed goes.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::stored;

/// Up to a thousand accounts all of whose links that confirm ended before `before`.
pub(crate) async fn ended(
    connection: &mut PgConnection,
    before: Timestamp,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select account_id from account_link where purpose = 'confirm_email'
         group by account_id
         having max(expires_at) < $1 and bool_and(used_at is null) limit 1000",
        stored(before)
    )
    .fetch_all(connection)
    .await
}

/// Locks the account in scope; `false` where it was confirmed or forgotten.
pub(crate) async fn lock(connection: &mut PgConnection, account: Uuid) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        "select id from account
         where id = $1 and state = 'unconfirmed' and name <> 'erased' for update",
        account
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}

/// Whether the business in scope was listed, was ever booked, or has other people.
pub(crate) async fn is_used(connection: &mut PgConnection, business: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from business where id = $1 and is_listed)
             or exists (select from booking where business_id = $1)
             or (select count(*) > 1 from membership where business_id = $1) as "is!""#,
        business
    )
    .fetch_one(connection)
    .await
}

/// Forgets what was typed about the business in scope, and offers nothing there any more. Its
/// address was never anybody's to know, so that it is free again.
pub(crate) async fn forget_business(
    connection: &mut PgConnection,
    business: Uuid,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update business set name = 'erased', about = null,
             slug = 'gone-' || replace(id::text, '-', '')
         where id = $1",
        business
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update location set name = 'erased', address = 'erased' where business_id = $1",
        business
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update staff set name = 'erased', is_active = false where business_id = $1",
        business
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update service set is_active = false where business_id = $1",
        business
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "delete from privacy_profile where business_id = $1",
        business
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update message_settings set email = null where business_id = $1",
        business
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets who the account in scope was; nobody signs in with it any more.
pub(crate) async fn forget(connection: &mut PgConnection, account: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "with passwords as (delete from account_password where account_id = $1),
             sessions as (delete from session where account_id = $1),
             links as (delete from account_link where account_id = $1)
         update account set name = 'erased', email = 'erased:' || id::text where id = $1",
        account
    )
    .execute(connection)
    .await?;
    Ok(())
}
