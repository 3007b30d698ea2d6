//! The free times of an offer, from the cache where they were computed before. Only
//! reading; whether a time can really be had is decided when it is claimed.

use booking::Window;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::app::App;
use crate::availability;
use crate::desk::Offer;
use crate::error::Fault;
use crate::pages::week::Free;
use crate::store;
use crate::store::service::Giver;

/// Days looked at when the next free times are searched: first near, then in a stride.
const SEARCH_DAYS: [i64; 2] = [7, 28];

/// Days before and after a time that is gone in which to look for others.
const DAYS_AROUND: (i64, i64) = (3, 10);
/// Times offered instead of one that is gone.
const ALTERNATIVES: usize = 3;

impl App {
    /// Every free time from the day `from` to the day `to`, both included.
    pub(crate) async fn free_times(
        &self,
        offer: &Offer,
        from: Date,
        to: Date,
    ) -> Result<Vec<Free>, Fault> {
        let now = self.clock.now();
        let window = Window {
            from: from.max(offer.day(now)),
            to: to.min(offer.last_day(now)),
        };
        if window.from > window.to {
            return Ok(Vec::new());
        }
        let starts = self.starts(offer, window, now).await?;
        Ok(starts.into_iter().map(|start| offer.free(start)).collect())
    }

    /// The next `count` free times, from now to the last day that can be booked.
    pub(crate) async fn next_free(&self, offer: &Offer, count: usize) -> Result<Vec<Free>, Fault> {
        let now = self.clock.now();
        let (mut from, last) = (offer.day(now), offer.last_day(now));
        let mut found = Vec::new();
        let strides = SEARCH_DAYS
            .into_iter()
            .chain(std::iter::repeat(SEARCH_DAYS[1]));
        for days in strides {
            if from > last || found.len() >= count {
                break;
            }
            let to = from.saturating_add((days - 1).days());
            found.extend(self.free_times(offer, from, to).await?);
            from = to.saturating_add(1.days());
        }
        found.truncate(count);
        Ok(found)
    }

    /// The free times nearest to one that is gone. All who lose one time share what the
    /// first of them computes.
    pub(crate) async fn nearest(&self, offer: &Offer, gone: Timestamp) -> Result<Vec<Free>, Fault> {
        let now = self.clock.now();
        let (today, last) = (offer.day(now), offer.last_day(now));
        let day = offer.day(gone).clamp(today, last.max(today));
        let (before, after) = DAYS_AROUND;
        let from = day.saturating_sub(before.days());
        let to = day.saturating_add(after.days());
        let free = self.free_times(offer, from, to).await?;
        let starts: Vec<Timestamp> = free.iter().map(|free| free.start).collect();
        let nearest = booking::nearest(gone, &starts, ALTERNATIVES);
        Ok(nearest.into_iter().map(|start| offer.free(start)).collect())
    }

    async fn starts(
        &self,
        offer: &Offer,
        window: Window,
        now: Timestamp,
    ) -> Result<Vec<Timestamp>, Fault> {
        let Some(cache) = &self.cache else {
            let (_, free) = self.compute(offer, window, now).await?;
            return Ok(free);
        };
        let mut transaction = store::begin(&self.appointments.pool, offer.business.id).await?;
        let givers = store::service::givers(&mut transaction, offer.service.row.id).await?;
        transaction.rollback().await?;
        let key = key(offer, &givers, window);
        // Time has passed since it was kept: what is too near by now is left out.
        let earliest = plus(now, availability::rules(&offer.service.row).notice).max(now);
        let still = |kept: Vec<Timestamp>| {
            let fits = kept.into_iter().filter(|start| *start >= earliest);
            fits.collect()
        };
        if let Some(kept) = cache.get(&key).await {
            return Ok(still(kept));
        }
        // When many want to know the same at once, most find it kept after their wait.
        let _turn = self.computing.acquire().await;
        if let Some(kept) = cache.get(&key).await {
            return Ok(still(kept));
        }
        let (key, free) = self.compute(offer, window, now).await?;
        cache.set(&key, &free).await;
        Ok(free)
    }

    /// The free times from the database, and under which key they may be kept.
    async fn compute(
        &self,
        offer: &Offer,
        window: Window,
        now: Timestamp,
    ) -> Result<(String, Vec<Timestamp>), Fault> {
        let (service, zone) = (&offer.service.row, &offer.business.zone);
        let mut transaction = store::begin(&self.appointments.pool, offer.business.id).await?;
        let givers = store::service::givers(&mut transaction, service.id).await?;
        // Versions were read before claims will be, so what is kept under a version is
        // never older than it.
        let key = key(offer, &givers, window);
        let candidates = availability::of_givers(&mut transaction, zone, givers, window).await?;
        transaction.rollback().await?;
        let free = availability::free(&candidates, &availability::rules(service), window, now);
        Ok((key, free))
    }
}

/// Names everything that the free times follow from, except that time passes.
fn key(offer: &Offer, givers: &[Giver], window: Window) -> String {
    let service = &offer.service.row;
    let mut hasher = blake3::Hasher::new();
    hasher.update(service.id.as_bytes());
    hasher.update(offer.business.zone_id.as_bytes());
    let rules = [
        service.duration_minutes,
        service.before_minutes,
        service.after_minutes,
        service.step_minutes,
        service.notice_minutes,
    ];
    for rule in rules {
        hasher.update(&rule.to_be_bytes());
    }
    for giver in givers {
        hasher.update(giver.lane_id.as_bytes());
        hasher.update(&giver.lane_version.to_be_bytes());
    }
    let mut known = hasher.finalize().to_hex().to_string();
    known.truncate(32);
    format!("booking:free:1:{known}:{}:{}", window.from, window.to)
}

fn plus(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
