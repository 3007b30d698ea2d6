//! Tells a business of requests that wait: on the twentieth and the twenty-fifth day, and on
//! the last one. Each warning is given once.

use chassis::Random;
use jiff::Timestamp;
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::clock::{self, WARNINGS};
use super::erasure;
use super::request::Mail;
use crate::store;
use crate::store::request as kept;

/// Plans the mails that are due, of every business. Gives how many requests were warned of.
pub(crate) async fn warn(pool: &PgPool, random: &Random, now: Timestamp) -> sqlx::Result<u64> {
    let mut warned = 0;
    for business in erasure::businesses(pool).await? {
        warned += warn_one(pool, random, business, now).await?;
    }
    Ok(warned)
}

async fn warn_one(
    pool: &PgPool,
    random: &Random,
    business: Uuid,
    now: Timestamp,
) -> sqlx::Result<u64> {
    let mut warned = 0;
    let mut transaction = store::begin(pool, business).await?;
    let contact = kept::contact(&mut transaction, business).await?;
    for days in WARNINGS {
        let before = clock::received_before(days, now);
        for request in kept::warn(&mut transaction, days, before).await? {
            warned += 1;
            let Some(contact) = &contact else {
                tracing::warn!(%business, %request, days, "a request waits, and nobody can be told");
                continue;
            };
            let content = json!({
                "path": format!("/desk/{}/privacy", contact.slug),
                "language": contact.language,
            });
            let kind = format!("privacy.warning.{days}");
            let mail = Mail {
                id: random.uuid(now),
                business,
                request,
                kind: &kind,
                to: &contact.email,
                content: &content.to_string(),
            };
            mail.plan(&mut transaction, now, None).await?;
        }
    }
    transaction.commit().await?;
    Ok(warned)
}
