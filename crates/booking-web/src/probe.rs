//! What the health endpoints look at, through connections of their own, so that a busy
//! application is not mistaken for a sick one.

use anyhow::{Context as _, anyhow, bail};
use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::store::claim::{Holder, Wanted};
use crate::{database, store};

/// The minutes of some years long past, of which each rehearsal claims another one.
const REHEARSAL_MINUTES: u64 = 10_000_000;

impl App {
    pub(crate) async fn ping_database(&self) -> anyhow::Result<()> {
        let mut connection = self.probes.acquire().await.map_err(no_database)?;
        store::probe::ping(&mut connection)
            .await
            .map_err(no_database)
    }

    /// The level of the schema, where this release can work with it, in a role for which
    /// businesses are kept apart.
    pub(crate) async fn schema_level(&self) -> anyhow::Result<String> {
        let mut connection = self.probes.acquire().await.map_err(no_database)?;
        let found = store::probe::schema_level(&mut connection).await;
        let found = match found {
            Err(error) if store::is_away(&error) => return Err(no_database(error)),
            Err(error) if store::is_missing_table(&error) => 0,
            other => other.context("the schema's level cannot be read")?,
        };
        let needed = database::level();
        if found < needed {
            bail!("the schema is at level {found} and must be at {needed}: run booking migrate");
        }
        let may_bypass = store::probe::may_bypass_row_security(&mut connection).await;
        if may_bypass.map_err(no_database)? {
            bail!("the role in DATABASE_URL passes by row-level security: use another one");
        }
        Ok(format!("level {found}"))
    }

    /// `None` where no cache is set up: then there is none that could be away.
    pub(crate) async fn ping_cache(&self) -> anyhow::Result<Option<String>> {
        match &self.cache {
            Some(cache) => cache.ping().await.map(|()| None),
            None => Ok(Some("none is set up".to_owned())),
        }
    }

    /// Claims a time long past and takes it back: all that booking needs, and no trace.
    pub(crate) async fn rehearse_booking(&self) -> anyhow::Result<Option<String>> {
        let mut connection = self.probes.acquire().await.map_err(no_database)?;
        let businesses = store::business::all(&mut connection)
            .await
            .map_err(no_database)?;
        drop(connection);
        let Some(business) = businesses.first() else {
            return Ok(Some("no business offers anything yet".to_owned()));
        };
        let mut transaction = store::begin(&self.probes, business.id)
            .await
            .map_err(no_database)?;
        let lane = store::lane::first(&mut transaction)
            .await
            .map_err(no_database)?;
        let Some(lane) = lane else {
            return Ok(Some("nobody gives anything yet".to_owned()));
        };
        let minute = i64::try_from(self.random.below(REHEARSAL_MINUTES))?;
        let start = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_mins(minute))?;
        let end = start.checked_add(SignedDuration::from_mins(1))?;
        let during = booking::Span::new(start, end).context("a minute is no empty span")?;
        let now = self.clock.now();
        let new_id = || self.random.uuid(now);
        let wanted = Wanted {
            id: new_id(),
            lane,
            during,
        };
        let holder = Holder::Booking(new_id());
        let taken =
            store::claim::take(&mut transaction, business.id, (holder, None), &[wanted]).await;
        // Dropping the transaction takes the claim back, whatever came of it.
        taken.map(|_| None).map_err(|error| {
            if store::is_away(&error) {
                no_database(error)
            } else {
                anyhow!("a claim cannot be written")
            }
        })
    }
}

/// The cause could name an address; whoever may know it finds it in the log.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what map_err hands over"
)]
fn no_database(error: sqlx::Error) -> anyhow::Error {
    tracing::debug!(%error, "a probe of the database failed");
    anyhow!("the database does not answer")
}
