//! Work that comes round again: each kind has a timer in the database, which one worker
//! leases at a time. Doing it twice does no harm.

use chassis::Random;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;

use crate::audit;
use crate::privacy::{retention, warning};
use crate::store::{outbox, timer};

/// A worker that is silent for so long has lost the work to another.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sweep {
    /// Keys of requests that nobody repeats any more.
    Keys,
    /// Messages that were done with long ago.
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
        let is_ours = timer::lease(&mut transaction, self.name(), now, later(LEASE)).await?;
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
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        let before = |time| now.saturating_sub(time).unwrap_or(Timestamp::MIN);
        match self {
            Self::Keys => {
                let mut transaction = outbox::begin(pool).await?;
                let done = timer::remove_keys(&mut transaction, before(days(30))).await?;
                transaction.commit().await?;
                Ok(done)
            }
            Self::Messages => {
                let mut transaction = outbox::begin(pool).await?;
                let done = timer::remove_messages(&mut transaction, before(days(90))).await?;
                transaction.commit().await?;
                Ok(done)
            }
            Self::Privacy => {
                let warned = warning::warn(pool, random, now).await?;
                Ok(warned + retention::retain(pool, random, now).await?.total())
            }
            Self::Audit => audit::seal(pool).await,
        }
    }
}
