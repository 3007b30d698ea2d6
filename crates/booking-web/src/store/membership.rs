//! Who belongs to a business, and as what.

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

/// One of the people of the business in scope.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) account: Uuid,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) role: String,
}

/// The people of the business in scope.
pub(crate) async fn people(
    connection: &mut PgConnection,
    business: Uuid,
) -> sqlx::Result<Vec<Person>> {
    sqlx::query_as!(
        Person,
        "select account.id as account, account.name, account.email, membership.role
         from membership join account on account.id = membership.account_id
         where membership.business_id = $1 order by account.name limit 500",
        business
    )
    .fetch_all(connection)
    .await
}

/// Gives a member of the business in scope another role.
pub(crate) async fn set_role(
    connection: &mut PgConnection,
    business: Uuid,
    account: Uuid,
    role: &str,
) -> sqlx::Result<bool> {
    let changed = sqlx::query!(
        "update membership set role = $3 where business_id = $1 and account_id = $2",
        business,
        account,
        role
    )
    .execute(connection)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// Takes a member from the business in scope.
pub(crate) async fn remove(
    connection: &mut PgConnection,
    business: Uuid,
    account: Uuid,
) -> sqlx::Result<bool> {
    let removed = sqlx::query!(
        "delete from membership where business_id = $1 and account_id = $2",
        business,
        account
    )
    .execute(connection)
    .await?;
    Ok(removed.rows_affected() == 1)
}

/// Hands the membership of the business in scope from one account to another of the same
/// person. Where that is a member already, the greater of both roles is theirs, and who they
/// are in the calendar.
pub(crate) async fn hand_over(
    connection: &mut PgConnection,
    business: Uuid,
    from: Uuid,
    to: Uuid,
) -> sqlx::Result<()> {
    let joined = sqlx::query!(
        "update membership set role = case when handed.role = 'owner' then 'owner'
             else membership.role end
         from membership as handed
         where membership.business_id = $1 and membership.account_id = $3
           and handed.business_id = $1 and handed.account_id = $2",
        business,
        from,
        to
    )
    .execute(&mut *connection)
    .await?;
    if joined.rows_affected() == 0 {
        sqlx::query!(
            "update membership set account_id = $3 where business_id = $1 and account_id = $2",
            business,
            from,
            to
        )
        .execute(connection)
        .await?;
        return Ok(());
    }
    let staff = sqlx::query_scalar!(
        "delete from membership where business_id = $1 and account_id = $2 returning staff_id",
        business,
        from
    )
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query!(
        "update membership set staff_id = coalesce(staff_id, $3)
         where business_id = $1 and account_id = $2",
        business,
        to,
        staff
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether the database refused because a business must keep an owner.
pub(crate) fn is_last_owner(error: &sqlx::Error) -> bool {
    let constraint = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::constraint);
    constraint == Some("membership_last_owner")
}
