//! Who answers for privacy at the business in scope, and how long it keeps what.

use sqlx::PgConnection;
use uuid::Uuid;

/// What stands in the notice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) legal_name: String,
    pub(crate) address: String,
    pub(crate) officer: String,
    pub(crate) officer_email: String,
    pub(crate) officer_phone: Option<String>,
    pub(crate) recipients: Option<String>,
}

/// What it has said; none where it has said nothing yet.
pub(crate) async fn profile(connection: &mut PgConnection) -> sqlx::Result<Option<Profile>> {
    sqlx::query_as!(
        Profile,
        "select legal_name, address, officer, officer_email, officer_phone, recipients
         from privacy_profile where business_id = current_business()"
    )
    .fetch_optional(connection)
    .await
}

pub(crate) async fn set_profile(
    connection: &mut PgConnection,
    business: Uuid,
    profile: &Profile,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into privacy_profile (business_id, legal_name, address, officer, officer_email,
             officer_phone, recipients)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict on constraint privacy_profile_pkey do update
         set legal_name = excluded.legal_name, address = excluded.address,
             officer = excluded.officer, officer_email = excluded.officer_email,
             officer_phone = excluded.officer_phone, recipients = excluded.recipients",
        business,
        profile.legal_name,
        profile.address,
        profile.officer,
        profile.officer_email,
        profile.officer_phone,
        profile.recipients
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How long it keeps a class of data; none means as long as the register says.
pub(crate) async fn keep(
    connection: &mut PgConnection,
    business: Uuid,
    (class, days): (&str, Option<i32>),
) -> sqlx::Result<()> {
    let Some(days) = days else {
        sqlx::query!(
            "delete from retention_policy where business_id = $1 and class = $2",
            business,
            class
        )
        .execute(connection)
        .await?;
        return Ok(());
    };
    sqlx::query!(
        "insert into retention_policy (business_id, class, days) values ($1, $2, $3)
         on conflict on constraint retention_policy_pkey do update set days = excluded.days",
        business,
        class,
        days
    )
    .execute(connection)
    .await?;
    Ok(())
}
