//! Webhooks of businesses: where they are called, what signs the calls, and what came of
//! each.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{instant, stored};

/// Where a webhook is called.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) secret: Vec<u8>,
    /// Signs too, while its receiver changes over.
    pub(crate) old_secret: Option<Vec<u8>>,
}

/// A webhook as its business sees it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) id: Uuid,
    pub(crate) url: String,
    /// Empty where it wants all.
    pub(crate) kinds: Vec<String>,
    pub(crate) is_active: bool,
    pub(crate) created_at: Timestamp,
}

/// A call that was planned, and how far it is.
#[derive(Debug, Clone)]
pub(crate) struct Try {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) failures: i32,
    pub(crate) reason: Option<String>,
    /// When it was taken, or is tried next.
    pub(crate) at: Timestamp,
    /// Whether it is still known what it said, so that it can be called again.
    pub(crate) is_whole: bool,
}

/// A webhook as it is written.
#[derive(Debug)]
pub(crate) struct NewWebhook<'a> {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) url: &'a str,
    pub(crate) secret: &'a [u8],
    pub(crate) kinds: &'a [String],
    pub(crate) now: Timestamp,
}

/// The webhooks of the business in scope that are called for events of `kind`.
pub(crate) async fn active(connection: &mut PgConnection, kind: &str) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from webhook
         where business_id = current_business() and is_active
           and (kinds = '{}' or $1 = any(kinds))
         order by id",
        kind
    )
    .fetch_all(connection)
    .await
}

/// One that is still called.
pub(crate) async fn by_id(
    connection: &mut PgConnection,
    id: Uuid,
    now: Timestamp,
) -> sqlx::Result<Option<Webhook>> {
    sqlx::query_as!(
        Webhook,
        "select url, secret, case when old_until > $2 then old_secret end as old_secret
         from webhook where id = $1 and is_active",
        id,
        stored(now)
    )
    .fetch_optional(connection)
    .await
}

/// Those of the business in scope, newest first.
pub(crate) async fn all(connection: &mut PgConnection) -> sqlx::Result<Vec<Listed>> {
    let rows = sqlx::query!(
        "select id, url, kinds, is_active, created_at from webhook
         where business_id = current_business() order by created_at desc, id desc limit 200"
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Listed {
            id: row.id,
            url: row.url,
            kinds: row.kinds,
            is_active: row.is_active,
            created_at: instant(row.created_at),
        })
        .collect())
}

pub(crate) async fn insert(
    connection: &mut PgConnection,
    new: &NewWebhook<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into webhook (id, business_id, url, secret, kinds, created_at)
         values ($1, $2, $3, $4, $5, $6)",
        new.id,
        new.business,
        new.url,
        new.secret,
        new.kinds,
        stored(new.now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Switches one on or off. `false` where the business in scope has none of that id, or it
/// is so already.
pub(crate) async fn switch(
    connection: &mut PgConnection,
    id: Uuid,
    is_active: bool,
) -> sqlx::Result<bool> {
    let switched = sqlx::query!(
        "update webhook set is_active = $2
         where id = $1 and business_id = current_business() and is_active <> $2",
        id,
        is_active
    )
    .execute(connection)
    .await?;
    Ok(switched.rows_affected() == 1)
}

/// Gives one another secret; the present one signs beside it until then. `false` where the
/// business in scope has none of that id.
pub(crate) async fn rotate(
    connection: &mut PgConnection,
    id: Uuid,
    secret: &[u8],
    old_until: Timestamp,
) -> sqlx::Result<bool> {
    let rotated = sqlx::query!(
        "update webhook set old_secret = secret, old_until = $3, secret = $2
         where id = $1 and business_id = current_business()",
        id,
        secret,
        stored(old_until)
    )
    .execute(connection)
    .await?;
    Ok(rotated.rows_affected() == 1)
}

/// The latest calls of one, latest first.
pub(crate) async fn tries(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Vec<Try>> {
    let rows = sqlx::query!(
        r#"select id, kind, state, attempts, reason, content <> '' as "is_whole!",
             coalesce(sent_at, send_after) as "at!"
         from outbox
         where business_id = current_business() and channel = 'webhook' and recipient = $1
         order by send_after desc, id desc limit 100"#,
        id.to_string()
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Try {
            id: row.id,
            kind: row.kind,
            state: row.state,
            failures: row.attempts,
            reason: row.reason,
            at: instant(row.at),
            is_whole: row.is_whole,
        })
        .collect())
}

/// Lets a call be made again that was taken, dropped or given up; its id stays, so that a
/// receiver that has it can tell. `false` where there is none.
pub(crate) async fn again(
    connection: &mut PgConnection,
    webhook: Uuid,
    id: Uuid,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let again = sqlx::query!(
        "update outbox set state = 'waiting', attempts = 0, reason = null, queued_at = null,
             sent_at = null, send_after = $3
         where id = $2 and recipient = $1 and business_id = current_business()
           and channel = 'webhook' and state in ('sent', 'dropped', 'dead') and content <> ''",
        webhook.to_string(),
        id,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(again.rows_affected() == 1)
}
