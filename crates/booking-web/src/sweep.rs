//! Work that comes round again: each kind has a timer in the database, which one worker
//! leases at a time. Doing it twice does no harm.

use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;

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
}

impl Sweep {
    pub(crate) const ALL: [Self; 2] = [Self::Keys, Self::Messages];

    /// The name of its timer.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keys => "idempotency-keys",
            Self::Messages => "messages",
        }
    }

    fn every(self) -> SignedDuration {
        match self {
            Self::Keys | Self::Messages => SignedDuration::from_hours(1),
        }
    }

    /// How long what it removes is kept.
    fn kept(self) -> SignedDuration {
        match self {
            Self::Keys => SignedDuration::from_hours(24 * 30),
            Self::Messages => SignedDuration::from_hours(24 * 90),
        }
    }

    /// Does the work where it is due and nobody does it. How much was done; none where
    /// there was nothing to do.
    pub(crate) async fn run(self, pool: &PgPool, now: Timestamp) -> sqlx::Result<Option<u64>> {
        let later = |time| now.saturating_add(time).unwrap_or(Timestamp::MAX);
        let mut transaction = outbox::begin(pool).await?;
        timer::ensure(&mut transaction, self.name(), now).await?;
        let is_ours = timer::lease(&mut transaction, self.name(), now, later(LEASE)).await?;
        transaction.commit().await?;
        if !is_ours {
            return Ok(None);
        }
        let before = now.saturating_sub(self.kept()).unwrap_or(Timestamp::MIN);
        let mut transaction = outbox::begin(pool).await?;
        let done = match self {
            Self::Keys => timer::remove_keys(&mut transaction, before).await?,
            Self::Messages => timer::remove_messages(&mut transaction, before).await?,
        };
        timer::wind(&mut transaction, self.name(), later(self.every())).await?;
        transaction.commit().await?;
        Ok(Some(done))
    }
}
