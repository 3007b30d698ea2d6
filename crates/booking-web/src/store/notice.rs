//! Who is responsible at a business, the wordings of its notice, and what was agreed to.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::stored;

/// Who is responsible at a business, as the notice names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Responsible {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) officer: Option<String>,
    pub(crate) officer_email: Option<String>,
    pub(crate) officer_phone: Option<String>,
    /// Who receives data besides those who always do.
    pub(crate) recipients: Option<String>,
    /// For how many days contacts and notes are kept, where that is the business's choice.
    pub(crate) contact_days: Option<i32>,
    pub(crate) note_days: Option<i32>,
}

/// Of the business in scope. One that has not said who is responsible is so itself, where
/// it is found.
pub(crate) async fn responsible(
    connection: &mut PgConnection,
    business: Uuid,
) -> sqlx::Result<Option<Responsible>> {
    sqlx::query_as!(
        Responsible,
        r#"select coalesce(profile.legal_name, business.name) as "name!",
                coalesce(profile.address, (select location.name || ', ' || location.address
                    from location order by location.name limit 1), '') as "address!",
                profile.officer as "officer?", profile.officer_email as "officer_email?",
                profile.officer_phone, profile.recipients,
                (select days from retention_policy where class = 'contact') as contact_days,
                (select days from retention_policy where class = 'note') as note_days
         from business
         left join privacy_profile as profile on profile.business_id = business.id
         where business.id = $1"#,
        business
    )
    .fetch_optional(connection)
    .await
}

/// A wording under which somebody booked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wording<'a> {
    pub(crate) hash: &'a [u8],
    pub(crate) version: &'a str,
    pub(crate) language: &'a str,
    pub(crate) text: &'a str,
}

/// Something that a customer was shown, agreed to or takes back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Consent<'a> {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) customer: Uuid,
    pub(crate) booking: Option<Uuid>,
    pub(crate) purpose: &'a str,
    pub(crate) wording: Wording<'a>,
    pub(crate) channel: &'a str,
    pub(crate) is_withdrawal: bool,
    /// Who of the staff said it, where it was not the customer themselves.
    pub(crate) recorded_by: Option<Uuid>,
}

/// Writes it down, with the wording where that was never used before.
pub(crate) async fn record(
    connection: &mut PgConnection,
    consent: &Consent<'_>,
    now: Timestamp,
) -> sqlx::Result<()> {
    let wording = consent.wording;
    sqlx::query!(
        "with worded as (
             insert into notice (business_id, wording_hash, version, language, wording, first_at)
             values ($2, $6, $7, $8, $9, $11)
             on conflict on constraint notice_pkey do nothing)
         insert into consent (id, business_id, customer_id, booking_id, purpose, wording_hash,
             notice, language, channel, given_at, is_withdrawal, recorded_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $10, $11, $12, $13)",
        consent.id,
        consent.business,
        consent.customer,
        consent.booking,
        consent.purpose,
        wording.hash,
        wording.version,
        wording.language,
        wording.text,
        consent.channel,
        stored(now),
        consent.is_withdrawal,
        consent.recorded_by
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether a customer agrees to a purpose now; what was said last counts.
pub(crate) async fn agrees(
    connection: &mut PgConnection,
    customer: Uuid,
    purpose: &str,
) -> sqlx::Result<bool> {
    let last = sqlx::query_scalar!(
        "select is_withdrawal from consent where customer_id = $1 and purpose = $2
         order by given_at desc, id desc limit 1",
        customer,
        purpose
    )
    .fetch_optional(connection)
    .await?;
    Ok(last == Some(false))
}

/// Whose booking it is; none where nobody said who they are.
pub(crate) async fn customer_of_booking(
    connection: &mut PgConnection,
    booking: Uuid,
) -> sqlx::Result<Option<Uuid>> {
    let found = sqlx::query_scalar!("select customer_id from booking where id = $1", booking)
        .fetch_optional(connection)
        .await?;
    Ok(found.flatten())
}
