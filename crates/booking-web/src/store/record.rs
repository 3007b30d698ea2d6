//! What is written beside every change: audit, consent, and what is to be sent.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::notice::{self, Consent, Wording};
use super::stored;
use crate::language::Language;
use crate::privacy::notice as wording;

/// One line of the audit.
#[derive(Debug)]
pub(crate) struct Audit<'a> {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) actor: &'a str,
    /// Who of the staff it was.
    pub(crate) actor_id: Option<Uuid>,
    pub(crate) action: &'a str,
    pub(crate) subject: Uuid,
    /// What it was before, as JSON without personal data.
    pub(crate) before: Option<&'a str>,
    pub(crate) after: Option<&'a str>,
    pub(crate) now: Timestamp,
}

/// Word that is left of what happened to one version of a booking, once for each kind. What
/// follows from it, mail above all, is planned by a worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<'a> {
    pub(crate) id: Uuid,
    pub(crate) kind: &'a str,
    pub(crate) version: i32,
}

pub(crate) async fn audit_change(
    connection: &mut PgConnection,
    audit: &Audit<'_>,
) -> sqlx::Result<()> {
    change(connection, audit, None).await
}

/// Writes a change into the audit, and leaves word of it where it is of a booking that somebody
/// is to be told of: one message to the database for both.
pub(crate) async fn change(
    connection: &mut PgConnection,
    audit: &Audit<'_>,
    word: Option<Word<'_>>,
) -> sqlx::Result<()> {
    let key = word.map(|word| format!("{}:{}:{}", audit.subject, word.version, word.kind));
    sqlx::query!(
        "with audited as (insert into audit
             (id, business_id, at, actor, action, subject, actor_id, before, after)
             values ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9::text::jsonb))
         insert into outbox (id, business_id, dedupe_key, kind, booking_id, booking_version,
             send_after)
         select $10::uuid, $2, $11::text, $12::text, $6, $13::int, $3 where $10::uuid is not null
         on conflict on constraint outbox_dedupe_unique do nothing",
        audit.id,
        audit.business,
        stored(audit.now),
        audit.actor,
        audit.action,
        audit.subject,
        audit.actor_id,
        audit.before,
        audit.after,
        word.map(|word| word.id),
        key,
        word.map(|word| word.kind),
        word.map(|word| word.version)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The same without a picture of before and after.
pub(crate) async fn audit(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    actor: &str,
    action: &str,
    subject: Uuid,
    now: Timestamp,
) -> sqlx::Result<()> {
    let audit = Audit {
        id,
        business,
        actor,
        actor_id: None,
        action,
        subject,
        before: None,
        after: None,
        now,
    };
    audit_change(connection, &audit).await
}

/// That a customer was shown the notice of the business before they booked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) customer: Uuid,
    pub(crate) booking: Uuid,
    pub(crate) version: &'static str,
    pub(crate) language: Language,
    /// `page`, `api`, `phone` or `walk_in`.
    pub(crate) channel: &'static str,
    /// Who of the staff wrote it down, where the customer did not.
    pub(crate) by: Option<Uuid>,
}

/// Writes it down word for word, with what the data is used for, in the transaction of the
/// booking.
pub(crate) async fn consent(
    connection: &mut PgConnection,
    told: &Told,
    now: Timestamp,
) -> sqlx::Result<()> {
    let who = notice::responsible(connection, told.business).await?;
    let who = who.ok_or(sqlx::Error::RowNotFound)?;
    let text = wording::notice(told.language, &who).text();
    let hash = wording::hash(&text);
    let consent = Consent {
        id: told.id,
        business: told.business,
        customer: told.customer,
        booking: Some(told.booking),
        purpose: wording::BOOKING,
        wording: Wording {
            hash: &hash,
            version: told.version,
            language: told.language.tag(),
            text: &text,
        },
        channel: told.channel,
        is_withdrawal: false,
        recorded_by: told.by,
    };
    notice::record(connection, &consent, now).await
}
