//! Work that comes round again: each kind has a timer in the database, which one worker
//! leases at a time. Doing it twice does no harm.

use chassis::Random;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;

use crate::audit;
use crate::privacy::{retention, warning};
use crate::store::{outbox, timer};

const KEYS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
const MESSAGES_KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sweep {
    /// Keys of requests that nobody repeats any more.
    Keys,
    /// Messages about accounts that were done with long ago.
    Messages,
    /// Data about people whose time is over, and requests about it that wait too long.
    Privacy,
    /// Entries of the audit that have no link yet.
    Audit,
}

impl Sweep {
    pub(crate) const ALL: [Self; 4] = [Self::Keys, Self::Messages, Self::Privacy, Self::Audit];

    /// The name of its timer.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keys => "idempotency-keys",
            Self::Messages => "messages",
            Self::Privacy => "privacy",
            Self::Audit => "audit",
        }
    }

    fn every(self) -> SignedDuration {
        match self {
            Self::Keys | Self::Messages => SignedDuration::from_hours(1),
            Self::Privacy => SignedDuration::from_hours(24),
            Self::Audit => SignedDuration::from_mins(1),
        }
    }

    /// A worker that is silent for so long has lost the work to another.
    fn lease(self) -> SignedDuration {
        match self {
            Self::Keys | Self::Messages | Self::Audit => SignedDuration::from_mins(1),
            Self::Privacy => SignedDuration::from_mins(30),
        }
    }

    /// Does the work where it is due and nobody does it. How much was done; none where
    /// there was nothing to do.
    pub(crate) async fn run(
        self,
        pool: &PgPool,
        random: &Random,
        now: Timestamp,
    ) -> sqlx::Result<Option<u64>> {
        let later = |time| now.saturating_add(time).unwrap_or(Timestamp::MAX);
        let mut transaction = outbox::begin(pool).await?;
        timer::ensure(&mut transaction, self.name(), now).await?;
        let end = later(self.lease());
        let is_ours = timer::lease(&mut transaction, self.name(), now, end).await?;
        transaction.commit().await?;
        if !is_ours {
            return Ok(None);
        }
        let done = self.work(pool, random, now).await?;
        let mut transaction = outbox::begin(pool).await?;
        timer::wind(&mut transaction, self.name(), later(self.every())).await?;
        transaction.commit().await?;
        Ok(Some(done))
    }

    async fn work(self, pool: &PgPool, random: &Random, now: Timestamp) -> sqlx::Result<u64> {
        let before = |kept| now.saturating_sub(kept).unwrap_or(Timestamp::MIN);
        match self {
            Self::Keys => remove_keys(pool, before(KEYS_KEPT)).await,
            Self::Messages => remove_messages(pool, before(MESSAGES_KEPT)).await,
            Self::Privacy => {
                let warned = warning::warn(pool, random, now).await?;
                Ok(warned + retention::retain(pool, random, now).await?.total())
            }
            Self::Audit => audit::seal(pool).await,
        }
    }
}

async fn remove_keys(pool: &PgPool, before: Timestamp) -> sqlx::Result<u64> {
    let mut transaction = outbox::begin(pool).await?;
    let removed = timer::remove_keys(&mut transaction, before).await?;
    transaction.commit().await?;
    Ok(removed)
}

async fn remove_messages(pool: &PgPool, before: Timestamp) -> sqlx::Result<u64> {
    let mut transaction = outbox::begin(pool).await?;
    let removed = timer::remove_messages(&mut transaction, before).await?;
    transaction.commit().await?;
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use testkit::postgres::Database;
    use testkit::services;

    use super::*;
    use crate::database;

    #[tokio::test]
    async fn what_opens_nothing_any_more_is_gone_a_day_later() {
        let database = Database::empty(&services::shared().unwrap().postgres)
            .await
            .unwrap();
        let url = database.url().into();
        database::migrate(&url).await.unwrap();
        let all = PgPool::connect(&database.admin_url()).await.unwrap();
        for statement in [
            "insert into account (id, email, name, state, created_at)
             select gen_random_uuid(), 'a@example.co.za', 'A', 'active', '2027-01-01'",
            "insert into session (id, token_hash, account_id, state, created_at, seen_at,
                 expires_at, password_at, agent)
             select gen_random_uuid(), sha256(n::text::bytea), id, 'signed_in', '2027-03-20',
                 '2027-03-20', timestamptz '2027-03-24T08:00:00Z' - n * interval '13 hours',
                 '2027-03-20', '' from account, generate_series(0, 3) n",
            "insert into account_link (token_hash, account_id, purpose, created_at, expires_at)
             select sha256(n::text::bytea), id, 'reset_password', '2027-03-20',
                 timestamptz '2027-03-24T08:00:00Z' - n * interval '13 hours'
             from account, generate_series(0, 3) n",
            "insert into request_count (key_hash, taken, expires_at)
             select sha256(n::text::bytea), 1,
                 timestamptz '2027-03-24T08:00:00Z' - n * interval '13 hours'
             from generate_series(0, 3) n",
        ] {
            sqlx::query(statement).execute(&all).await.unwrap();
        }
        let (pool, random) = (database::pool(&url, 2).unwrap(), Random::seeded(1));
        let now = "2027-03-24T08:00:00Z".parse().unwrap();
        let gone = Sweep::Privacy.run(&pool, &random, now).await.unwrap();
        assert_eq!(gone, Some(6));
        for table in ["session", "account_link", "request_count"] {
            let count = format!("select count(*) from {table}");
            let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
                .fetch_one(&all)
                .await
                .unwrap();
            assert_eq!(left, 2, "{table}");
        }
    }

    #[tokio::test]
    async fn of_all_workers_one_sweeps_and_the_next_takes_over_where_it_is_killed() {
        let database = Database::empty(&services::shared().unwrap().postgres)
            .await
            .unwrap();
        let url = database.url().into();
        database::migrate(&url).await.unwrap();
        let (pool, random) = (database::pool(&url, 2).unwrap(), Random::seeded(1));
        let at = |minutes: i64| {
            let start: Timestamp = "2027-03-24T08:00:00Z".parse().unwrap();
            start + SignedDuration::from_mins(minutes)
        };
        let run = async |minutes| Sweep::Keys.run(&pool, &random, at(minutes)).await.unwrap();
        assert_eq!(run(0).await, Some(0));
        assert_eq!(run(1).await, None, "it was done just now");
        // Another one has it, and is killed.
        let mut transaction = outbox::begin(&pool).await.unwrap();
        let leased = timer::lease(&mut transaction, Sweep::Keys.name(), at(60), at(61)).await;
        assert!(leased.unwrap());
        transaction.commit().await.unwrap();
        assert_eq!(run(60).await, None, "two have it at once");
        assert_eq!(run(61).await, Some(0));
        for sweep in Sweep::ALL {
            let done = sweep.run(&pool, &random, at(24 * 60 * 7)).await.unwrap();
            assert!(done.is_some(), "{sweep:?}");
        }
    }
}
