//! Dead letters of a business: what could not be sent, why, and another chance for it.

use jiff::Timestamp;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::stored;

/// A message that was given up.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    pub(crate) id: Uuid,
    pub(crate) channel: String,
    pub(crate) kind: String,
    pub(crate) booking: Option<Uuid>,
    pub(crate) reason: Option<String>,
    pub(crate) attempts: i32,
    /// When it was last tried, or was to be.
    pub(crate) due: OffsetDateTime,
}

/// The newest dead letters of the business in scope.
pub(crate) async fn newest(
    connection: &mut PgConnection,
    limit: i64,
) -> sqlx::Result<Vec<DeadLetter>> {
    sqlx::query_as!(
        DeadLetter,
        "select id, channel, kind, booking_id as booking, reason, attempts, send_after as due
         from outbox where business_id = current_business() and state = 'dead'
         order by send_after desc limit $1",
        limit
    )
    .fetch_all(connection)
    .await
}

/// Gives one another chance. `false` where it is no dead letter of the business in scope.
pub(crate) async fn replay(
    connection: &mut PgConnection,
    id: Uuid,
    now: Timestamp,
) -> sqlx::Result<bool> {
    // Whether it was sent after all is not known any more, so whoever may know is asked.
    let replayed = sqlx::query!(
        "update outbox set state = 'unknown', attempts = 0, send_after = $2
         where id = $1 and business_id = current_business() and state = 'dead'",
        id,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(replayed.rows_affected() == 1)
}

/// Gives all of a kind another chance, and says how many there are.
pub(crate) async fn replay_kind(
    connection: &mut PgConnection,
    channel: &str,
    kind: &str,
    now: Timestamp,
) -> sqlx::Result<u64> {
    let replayed = sqlx::query!(
        "update outbox set state = 'unknown', attempts = 0, send_after = $3
         where channel = $1 and kind = $2 and business_id = current_business()
           and state = 'dead'",
        channel,
        kind,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(replayed.rows_affected())
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;
    use testkit::postgres::Database;
    use testkit::services;

    use super::*;
    use crate::database;
    use crate::store;

    #[tokio::test]
    async fn a_business_replays_its_own_dead_letters_one_or_all_of_a_kind() {
        let database = Database::empty(&services::shared().unwrap().postgres)
            .await
            .unwrap();
        database::migrate(&database.url().into()).await.unwrap();
        let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
        for statement in [
            "insert into business (id, slug, name, zone, currency, created_at)
             select ('00000000-0000-7000-8000-00000000000' || n)::uuid, 'shop-' || n, 'Shop',
                 'Africa/Johannesburg', 'ZAR', now() from generate_series(1, 2) n",
            "insert into outbox (id, business_id, dedupe_key, channel, kind, send_after, state,
                 attempts, reason)
             select gen_random_uuid(), business.id, business.slug || n, 'sms', 'reminder', now(),
                 'dead', 8, 'answered 400' from business, generate_series(1, 3) n",
        ] {
            sqlx::query(statement).execute(&mut admin).await.unwrap();
        }
        let pool = database::pool(&database.url().into(), 1).unwrap();
        let (one, two) = (Uuid::from_u128(0x7000_8000_0000_0000_0001), "shop-2");
        let now = "2027-03-24T08:00:00Z".parse().unwrap();
        let mut transaction = store::begin(&pool, one).await.unwrap();
        let letters = newest(&mut transaction, 10).await.unwrap();
        assert_eq!(letters.len(), 3, "{letters:?}");
        assert_eq!(letters[0].reason.as_deref(), Some("answered 400"));
        let theirs: Uuid =
            sqlx::query_scalar("select id from outbox where dedupe_key like $1 limit 1")
                .bind(format!("{two}%"))
                .fetch_one(&mut admin)
                .await
                .unwrap();
        assert!(!replay(&mut transaction, theirs, now).await.unwrap());
        assert!(replay(&mut transaction, letters[0].id, now).await.unwrap());
        assert!(
            !replay(&mut transaction, letters[0].id, now).await.unwrap(),
            "twice"
        );
        assert_eq!(
            replay_kind(&mut transaction, "email", "reminder", now)
                .await
                .unwrap(),
            0
        );
        assert_eq!(
            replay_kind(&mut transaction, "sms", "reminder", now)
                .await
                .unwrap(),
            2
        );
        transaction.commit().await.unwrap();
        let left: i64 = sqlx::query_scalar("select count(*) from outbox where state = 'dead'")
            .fetch_one(&mut admin)
            .await
            .unwrap();
        assert_eq!(left, 3, "those of the neighbour stay");
    }
}
