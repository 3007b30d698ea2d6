//! The free times of an offer, as one request sees them. Whole months are computed and
//! kept in the cache, whatever the time is; what is too near or too far by now is left out
//! afterwards. Only reading: whether a time can really be had is decided when it is claimed.

use std::collections::BTreeSet;
use std::ops::Range;

use booking::Window;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use crate::app::App;
use crate::availability;
use crate::cache::Month;
use crate::crew::{Crew, Who};
use crate::desk::Offer;
use crate::error::Fault;
use crate::pages::week::Free;
use crate::quota::{self, Moved};
use crate::store;

/// Days before and after a time that is gone in which to look for others.
const DAYS_AROUND: (i64, i64) = (3, 10);
/// Months that one request looks through for the next free times.
const MONTHS_AHEAD: i32 = 6;
/// Times offered instead of one that is gone.
const ALTERNATIVES: usize = 3;

/// What one request knows: the offer, who will do, and the state of their lanes.
pub(crate) struct Openings<'a> {
    app: &'a App,
    offer: &'a Offer,
    pub(crate) who: Who,
    crew: Crew,
    /// All who give it, whoever was asked for, as (id, name).
    pub(crate) everybody: Vec<(Uuid, String)>,
    /// What is to be moved, which is not one more where it is.
    moved: Option<Moved>,
    /// Stands for everything that free times follow from, except that time passes.
    version: blake3::Hash,
    /// Starts that can be booked now.
    bookable: Range<Timestamp>,
    pub(crate) today: Date,
    /// The last day that can be booked.
    pub(crate) last: Date,
}

/// Some days of an offer.
#[derive(Debug, Default)]
pub(crate) struct Days {
    /// The free times, in order.
    pub(crate) free: Vec<Free>,
    /// The days on which visits begin, booked or not.
    pub(crate) open: BTreeSet<Date>,
    /// The days on which as many have booked as may.
    pub(crate) full: BTreeSet<Date>,
}

/// The next free times.
#[derive(Debug, Default)]
pub(crate) struct Next {
    pub(crate) free: Vec<Free>,
    /// The day from which on nobody has looked, where less was found than was asked for.
    pub(crate) further: Option<Date>,
}

/// What can be had instead of a time that cannot.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nearest {
    pub(crate) free: Vec<Free>,
    /// Whether that is because as many have booked that day, or that week, as may.
    pub(crate) day_is_full: bool,
}

impl App {
    /// The free times of `offer` with whoever will do.
    pub(crate) async fn openings<'a>(
        &'a self,
        offer: &'a Offer,
        who: Who,
    ) -> Result<Openings<'a>, Fault> {
        let service = &offer.service.row;
        let mut transaction =
            store::begin_planned(&self.appointments.pool, offer.business.id).await?;
        // Versions are read before claims will be, so what is kept under a version is never
        // older than it.
        let crew = Crew::read(&mut transaction, service.id, Who::Anyone).await?;
        // Of a service that is limited, also what is booked with others matters.
        let others = if quota::limit(service.limits()).is_set() {
            Some(store::lane::version(&mut transaction).await?)
        } else {
            None
        };
        // What was only read ends on its way back to the pool, where nobody waits for it.
        drop(transaction);
        let everybody = crew.people.iter();
        let everybody = everybody.map(|giver| (giver.staff_id, giver.name.clone()));
        let everybody = everybody.collect();
        let crew = crew.only(who);
        let now = self.clock.now();
        let (rules, zone) = (availability::rules(service), &offer.business.zone);
        let today = offer.day(now);
        Ok(Openings {
            version: version(offer, &crew, others),
            moved: None,
            app: self,
            offer,
            who,
            crew,
            everybody,
            bookable: rules.bookable(zone, now),
            today,
            last: rules.last_day(zone, now).max(today),
        })
    }

    /// The same; with anyone where the one who was asked for does not give the service.
    pub(crate) async fn openings_or_anyone<'a>(
        &'a self,
        offer: &'a Offer,
        who: Who,
    ) -> Result<Openings<'a>, Fault> {
        let openings = self.openings(offer, who).await?;
        if openings.is_of_nobody() {
            return self.openings(offer, Who::Anyone).await;
        }
        Ok(openings)
    }

    /// The name of the one who was asked for, where they give the service.
    pub(crate) async fn giver(&self, offer: &Offer, who: Who) -> Result<Option<String>, Fault> {
        let Some(staff) = who.staff() else {
            return Ok(None);
        };
        let everybody = self.openings(offer, who).await?.everybody;
        let found = everybody.into_iter().find(|(id, _)| *id == staff);
        Ok(found.map(|(_, name)| name))
    }

    /// The free times nearest to one that is gone. All who lose one time share what the
    /// first of them computes.
    pub(crate) async fn nearest(
        &self,
        offer: &Offer,
        who: Who,
        gone: Timestamp,
        moved: Option<Moved>,
    ) -> Result<Nearest, Fault> {
        let openings = self.openings(offer, who).await?.moving(moved);
        let day = offer.day(gone).clamp(openings.today, openings.last);
        let (before, after) = DAYS_AROUND;
        let from = day.saturating_sub(before.days());
        let to = day.saturating_add(after.days());
        let days = openings.days(from, to).await?;
        let starts: Vec<Timestamp> = days.free.iter().map(|free| free.start).collect();
        let nearest = booking::nearest(gone, &starts, ALTERNATIVES);
        let is_near = |free: &Free| nearest.contains(&free.start);
        Ok(Nearest {
            free: days.free.into_iter().filter(is_near).collect(),
            day_is_full: days.full.contains(&day),
        })
    }
}

impl Openings<'_> {
    /// The same for a visit that is to be moved. Where nothing is limited that is the same.
    pub(crate) fn moving(mut self, moved: Option<Moved>) -> Self {
        let service = quota::limit(self.offer.service.row.limits()).is_set();
        let mut people = self.crew.people.iter();
        let person = people.any(|giver| quota::limit(giver.limits()).is_set());
        if let Some(moved) = moved.filter(|_| service || person) {
            let mut hasher = blake3::Hasher::new();
            hasher.update(self.version.as_bytes());
            hasher.update(moved.staff.as_bytes());
            hasher.update(&moved.start.as_microsecond().to_be_bytes());
            self.version = hasher.finalize();
            self.moved = Some(moved);
        }
        self
    }

    /// Every free time from the day `from` to the day `to`, both included, in order.
    pub(crate) async fn between(&self, from: Date, to: Date) -> Result<Vec<Free>, Fault> {
        Ok(self.days(from, to).await?.free)
    }

    /// The same, with the days on which there is something to book at all.
    pub(crate) async fn days(&self, from: Date, to: Date) -> Result<Days, Fault> {
        let (from, to) = (from.max(self.today), to.min(self.last));
        let asked = self.instants(from, to);
        let mut days = Days::default();
        let mut first = from.first_of_month();
        while first <= to {
            let month = self.month(first).await?;
            let slots = month.slots.into_iter();
            let slots = slots.filter(|slot| asked.contains(&slot.start));
            days.free.extend(slots.map(|slot| self.offer.free(slot)));
            days.open.extend(month.open_days);
            days.full.extend(month.full_days);
            first = first.saturating_add(1.month());
        }
        Ok(days)
    }

    /// The next `count` free times from a day on, as far as one request looks.
    pub(crate) async fn next(&self, count: usize, from: Date) -> Result<Next, Fault> {
        let mut free = Vec::new();
        let mut from = from.max(self.today);
        let until = looked_until(from).min(self.last);
        while from <= until && free.len() < count {
            let to = from.last_of_month();
            free.extend(self.between(from, to).await?);
            from = to.saturating_add(1.day());
        }
        free.truncate(count);
        let further = (free.len() < count && until < self.last).then_some(from);
        Ok(Next { free, further })
    }

    /// The same from today on; or from the day that is looked at, where that is further away
    /// than one request looks.
    pub(crate) async fn soonest(&self, count: usize, day: Option<Date>) -> Result<Next, Fault> {
        let until = looked_until(self.today);
        let far = day.filter(|day| *day > until).map(|day| day.min(self.last));
        self.next(count, far.unwrap_or(self.today)).await
    }

    /// Whether the one who was asked for does not give the service.
    pub(crate) fn is_of_nobody(&self) -> bool {
        self.who != Who::Anyone && self.crew.people.is_empty()
    }

    /// Stands for the answer about these days: as long as it stays the same, so does the
    /// answer. `shape` is what else was asked for.
    pub(crate) fn tag(&self, from: Date, to: Date, shape: &str) -> String {
        let asked = self.instants(from, to);
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.version.as_bytes());
        for text in [&asked.start.to_string(), &asked.end.to_string(), shape] {
            hasher.update(&(text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
        let mut tag = hasher.finalize().to_hex().to_string();
        tag.truncate(32);
        format!("\"{tag}\"")
    }

    /// The starts on these days that can be booked now.
    fn instants(&self, from: Date, to: Date) -> Range<Timestamp> {
        let zone = &self.offer.business.zone;
        let start = booking::day_start(zone, from).max(self.bookable.start);
        let end = to.tomorrow().map(|day| booking::day_start(zone, day));
        start..end.unwrap_or(Timestamp::MAX).min(self.bookable.end)
    }

    /// All of a month, from the cache where it was computed before.
    async fn month(&self, first: Date) -> Result<Month, Fault> {
        let window = Window {
            from: first,
            to: first.last_of_month(),
        };
        let Some(cache) = &self.app.cache else {
            return self.compute(window).await;
        };
        let key = self.key(first);
        if let Some(kept) = cache.get(&key, first).await {
            return Ok(kept);
        }
        // When many want to know the same at once, most find it kept after their wait.
        let _turn = self.app.computing.acquire().await;
        if let Some(kept) = cache.get(&key, first).await {
            return Ok(kept);
        }
        let month = self.compute(window).await?;
        cache.set(&key, &month).await;
        Ok(month)
    }

    async fn compute(&self, window: Window) -> Result<Month, Fault> {
        self.app.metrics.months.inc();
        let (business, service) = (&self.offer.business, &self.offer.service.row);
        let mut transaction =
            store::begin_planned(&self.app.appointments.pool, business.id).await?;
        let (crew, zone, now) = (self.crew.clone(), &business.zone, self.app.clock.now());
        let (connection, asked) = (&mut transaction, (window, self.moved));
        let known =
            availability::known_besides(connection, zone, service, crew, asked, now).await?;
        drop(transaction);
        let calendar = booking::calendar(&known.supply, &availability::rules(service), window);
        Ok(Month {
            slots: calendar.slots,
            open_days: calendar.open_days,
            full_days: booking::full_days(&known.supply, window),
        })
    }

    fn key(&self, first: Date) -> String {
        let mut known = self.version.to_hex().to_string();
        known.truncate(32);
        format!("booking:free:4:{known}:{}", first.strftime("%Y-%m"))
    }
}

/// The last day of the last month that one request looks through from a day on.
fn looked_until(from: Date) -> Date {
    let last = from
        .first_of_month()
        .saturating_add((MONTHS_AHEAD - 1).months());
    last.last_of_month()
}

fn version(offer: &Offer, crew: &Crew, others: Option<i64>) -> blake3::Hash {
    let service = &offer.service.row;
    let mut hasher = blake3::Hasher::new();
    hasher.update(service.id.as_bytes());
    hasher.update(offer.business.zone_id.as_bytes());
    let rules = [
        service.duration_minutes,
        service.before_minutes,
        service.after_minutes,
        service.step_minutes,
        service.capacity,
        i32::from(service.fills_gaps),
        i32::from(service.only_planned),
        service.day_max.map_or(0, i32::from),
        service.week_max.map_or(0, i32::from),
    ];
    for rule in rules {
        hasher.update(&rule.to_be_bytes());
    }
    hasher.update(&others.unwrap_or_default().to_be_bytes());
    crew.hash(&mut hasher);
    hasher.finalize()
}
