//! Who belongs to a business, and as what.

#![allow(dead_code, reason = "pages that are still to come ask for the rest")]

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::stored;

/// One membership as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Membership {
    pub(crate) role: String,
    pub(crate) staff: Option<Uuid>,
}

/// One of the businesses that an account belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) business: Uuid,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) role: String,
}

/// The membership of the account in scope.
pub(crate) async fn find(
    connection: &mut PgConnection,
    business: Uuid,
    account: Uuid,
) -> sqlx::Result<Option<Membership>> {
    sqlx::query_as!(
        Membership,
        "select role, staff_id as staff from membership
         where business_id = $1 and account_id = $2",
        business,
        account
    )
    .fetch_optional(connection)
    .await
}

/// The businesses of the account in scope.
pub(crate) async fn places(
    connection: &mut PgConnection,
    account: Uuid,
) -> sqlx::Result<Vec<Place>> {
    sqlx::query_as!(
        Place,
        "select business.id as business, business.slug, business.name, membership.role
         from membership join business on business.id = membership.business_id
         where membership.account_id = $1 order by business.name limit 200",
        account
    )
    .fetch_all(connection)
    .await
}

/// The business must be in scope already.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    business: Uuid,
    account: Uuid,
    role: &str,
    staff: Option<Uuid>,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into membership (business_id, account_id, role, staff_id, created_at)
         values ($1, $2, $3, $4, $5)",
        business,
        account,
        role,
        staff,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}
