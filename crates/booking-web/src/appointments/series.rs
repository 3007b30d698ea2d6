//! Booking visits that repeat. First each is told with what is near where it cannot be had;
//! then those that were chosen are booked, each in a transaction of its own and under a key of
//! its own, so that a request that broke off is taken up again where it did.

use booking::{Repeat, State, Window};
use jiff::civil::DateTime;
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use super::make::{Making, Person, Way};
use super::moves::By;
use super::reschedule::for_the_desk;
use super::staffed::Seen;
use super::{Appointments, Offered, request};
use crate::crew::{Crew, Who};
use crate::language::Language;
use crate::{availability, store};

/// So many days before and after a visit another time for it is looked for.
const DAYS_AROUND: i64 = 7;
/// Other times that are offered for a visit.
const OTHER_TIMES: usize = 3;

/// Whose visits they are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose<'a> {
    /// Somebody who says who they are.
    Person(Person<'a>),
    /// Whoever has this booking, which the series goes on from.
    Of { source: &'a Source, by: By },
}

/// A booking that is to be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) booking: Uuid,
    pub(crate) service: Uuid,
    pub(crate) staff: Uuid,
    pub(crate) state: State,
    pub(crate) start: Timestamp,
    pub(crate) series: Option<Uuid>,
    pub(crate) customer: Uuid,
    pub(crate) name: String,
    pub(crate) phone: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) language: Option<Language>,
    /// That of the customer, where they named one.
    pub(crate) time_zone: Option<String>,
}

/// Visits that somebody wants to book together.
#[derive(Debug, Clone)]
pub(crate) struct SeriesWish<'a> {
    pub(crate) whose: Whose<'a>,
    pub(crate) who: Who,
    /// The first visit, which gives all their time on the wall.
    pub(crate) first: Timestamp,
    pub(crate) repeat: Repeat,
    /// Those that are wanted.
    pub(crate) starts: &'a [Timestamp],
    /// Sent again with the same wish, it gets the same answer.
    pub(crate) key: &'a str,
}

/// A visit of a series before it is booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Planned {
    /// Its time on the wall.
    pub(crate) at: DateTime,
    /// None where the clocks leave that time out.
    pub(crate) start: Option<Timestamp>,
    pub(crate) is_free: bool,
    /// The nearest times that are free, where it is not.
    pub(crate) near: Vec<Timestamp>,
}

/// What becomes of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SeriesAnswer {
    /// Each start, with its booking; none where it cannot be had.
    Made {
        id: Uuid,
        visits: Vec<(Timestamp, Option<Uuid>)>,
    },
    /// The key was used for something else.
    KeyReused,
}

impl Appointments {
    /// Every visit of a series that begins at `first`, and whether it can be had. Only looks.
    pub(crate) async fn plan_series(
        &self,
        offered: Offered<'_>,
        who: Who,
        (first, repeat): (Timestamp, Repeat),
        now: Timestamp,
    ) -> sqlx::Result<Vec<Planned>> {
        let zone = offered.zone;
        let all = repeat.occurrences(zone.to_datetime(first));
        let (Some(from), Some(to)) = (all.first(), all.last()) else {
            return Ok(Vec::new());
        };
        let rules = availability::rules(offered.service);
        let (today, last) = (zone.to_datetime(now).date(), rules.last_day(zone, now));
        let window = Window {
            from: from.date().saturating_sub(DAYS_AROUND.days()).max(today),
            to: to.date().saturating_add(DAYS_AROUND.days()).min(last),
        };
        let mut transaction = store::begin(&self.pool, offered.business.id).await?;
        let connection = &mut *transaction;
        let crew = Crew::read(connection, offered.service.id, who).await?;
        let known = availability::known(connection, zone, offered.service, crew, window, now);
        let supply = known.await?.supply;
        transaction.rollback().await?;
        let free = booking::free_times(&supply, &rules, window, now);
        let free: Vec<Timestamp> = free.into_iter().map(|slot| slot.start).collect();
        let planned = all.into_iter().map(|at| {
            let start = booking::wall_instant(zone, at);
            let is_free = start.is_some_and(|start| free.binary_search(&start).is_ok());
            Planned {
                at,
                start,
                is_free,
                near: if is_free {
                    Vec::new()
                } else {
                    near(&free, zone.to_timestamp(at).ok())
                },
            }
        });
        Ok(planned.collect())
    }

    /// Books every visit that is wanted and can be had.
    pub(crate) async fn book_series(
        &self,
        offered: Offered<'_>,
        wish: &SeriesWish<'_>,
        now: Timestamp,
    ) -> sqlx::Result<SeriesAnswer> {
        let Some(id) = self.begin_series(offered, wish, now).await? else {
            return Ok(SeriesAnswer::KeyReused);
        };
        let mut visits = Vec::new();
        for start in wish.starts {
            let booked = self.occurrence(offered, wish, (id, *start), now).await;
            let booking = match booked {
                Err(error) if store::is_conflict(&error) => None,
                other => other?,
            };
            visits.push((*start, booking));
        }
        Ok(SeriesAnswer::Made { id, visits })
    }

    /// Writes the series, or finds the one that the same request wrote before. None where
    /// the key was used for something else.
    async fn begin_series(
        &self,
        offered: Offered<'_>,
        wish: &SeriesWish<'_>,
        now: Timestamp,
    ) -> sqlx::Result<Option<Uuid>> {
        let business = offered.business;
        let mut transaction = store::begin(&self.pool, business.id).await?;
        let connection = &mut *transaction;
        let (id, source) = match wish.whose {
            Whose::Of { source, .. } => (source.series, Some(source.booking)),
            Whose::Person(_) => (None, None),
        };
        let is_new = id.is_none();
        let id = id.unwrap_or_else(|| self.random.uuid(now));
        let first = offered.zone.to_datetime(wish.first);
        let rule = wish.repeat.rule(first.date());
        let hash = request_hash(offered.service.id, wish, &rule);
        if !store::link::reserve(connection, business.id, wish.key, &hash, id, now).await? {
            let earlier = store::link::earlier(connection, wish.key).await?;
            let same = earlier.filter(|earlier| earlier.request_hash == hash);
            return Ok(same.map(|earlier| earlier.booking));
        }
        if is_new {
            let of = (business.id, business.zone.as_str());
            store::series::insert(connection, id, of, (&rule, &first.to_string()), now).await?;
        }
        if let Some(source) = source.filter(|_| is_new) {
            store::series::join(connection, id, source).await?;
        }
        transaction.commit().await?;
        Ok(Some(id))
    }

    /// Books one visit of a series, or finds it booked by the same request before.
    async fn occurrence(
        &self,
        offered: Offered<'_>,
        wish: &SeriesWish<'_>,
        (series, start): (Uuid, Timestamp),
        now: Timestamp,
    ) -> sqlx::Result<Option<Uuid>> {
        let business = offered.business.id;
        let mut transaction = store::begin(&self.pool, business).await?;
        let connection = &mut *transaction;
        let id = self.random.uuid(now);
        let key = format!("{series}/{}", start.as_second());
        let hash = request::hash(&[b"occurrence", key.as_bytes()]);
        if !store::link::reserve(connection, business, &key, &hash, id, now).await? {
            let earlier = store::link::earlier(connection, &key).await?;
            return Ok(earlier.map(|earlier| earlier.booking));
        }
        let mut service = offered.service.clone();
        if matches!(
            wish.whose,
            Whose::Of {
                by: By::Staff(_),
                ..
            }
        ) {
            for_the_desk(&mut service);
        }
        let making = Making {
            offered: Offered {
                service: &service,
                ..offered
            },
            id,
            who: wish.who,
            start,
            series: Some(series),
            way: wish.whose.way(),
        };
        let Some(written) = self.make(connection, &making, now).await? else {
            return Ok(None);
        };
        store::lane::bump(connection, &written.lanes).await?;
        transaction.commit().await?;
        Ok(Some(id))
    }

    /// The booking of a business that is to be repeated; none where it does not stand.
    pub(crate) async fn source(
        &self,
        business: Uuid,
        booking: Uuid,
    ) -> sqlx::Result<Option<Source>> {
        let mut transaction = store::begin(&self.pool, business).await?;
        let source = store::series::source(&mut transaction, booking).await?;
        transaction.rollback().await?;
        let stands = |source: &Source| {
            matches!(
                source.state,
                State::Confirmed | State::Arrived | State::Completed
            )
        };
        Ok(source.filter(stands))
    }

    /// The visits of a series that are to come from `start` on, the nearest first.
    pub(crate) async fn rest_of_series(
        &self,
        business: Uuid,
        series: Uuid,
        start: Timestamp,
    ) -> sqlx::Result<Vec<Seen>> {
        let mut transaction = store::begin(&self.pool, business).await?;
        let rest = store::series::rest(&mut transaction, series, start).await?;
        transaction.rollback().await?;
        let seen = |(booking, version)| Seen {
            business,
            booking,
            version,
        };
        Ok(rest.into_iter().map(seen).collect())
    }

    /// The secret address of a booking that somebody may see anyway.
    pub(crate) fn address_of(&self, booking: Uuid) -> String {
        self.token(booking)
    }
}

impl<'a> Whose<'a> {
    fn way(self) -> Way<'a> {
        match self {
            Self::Person(person) => Way::Booked(person),
            Self::Of { source, by } => Way::Known {
                customer: source.customer,
                booked_as: (&source.name, source.phone.as_deref()),
                note: source.note.as_deref(),
                language: source.language,
                state: State::Confirmed,
                by,
                time_zone: source.time_zone.as_deref(),
                told: by == By::Customer,
            },
        }
    }
}

/// The free times nearest to one that cannot be had, within some days of it.
fn near(free: &[Timestamp], at: Option<Timestamp>) -> Vec<Timestamp> {
    let Some(at) = at else {
        return Vec::new();
    };
    let days = jiff::SignedDuration::from_hours(24 * DAYS_AROUND);
    let around: Vec<Timestamp> = free
        .iter()
        .copied()
        .filter(|start| start.duration_since(at).abs() <= days)
        .collect();
    booking::nearest(at, &around, OTHER_TIMES)
}

fn request_hash(service: Uuid, wish: &SeriesWish<'_>, rule: &str) -> Vec<u8> {
    let micros = |at: &Timestamp| at.as_microsecond().to_be_bytes();
    let starts: Vec<u8> = wish.starts.iter().flat_map(micros).collect();
    let first = micros(&wish.first);
    let staff = wish.who.staff();
    let mut fields: Vec<&[u8]> = vec![b"series", service.as_bytes(), &first, rule.as_bytes()];
    fields.push(&starts);
    // A release before this one knows no other wish than anyone.
    fields.extend(staff.iter().map(|staff| &staff.as_bytes()[..]));
    match &wish.whose {
        Whose::Person(person) => {
            fields.extend([
                person.name.as_bytes(),
                person.email.as_bytes(),
                person.phone.unwrap_or_default().as_bytes(),
                person.note.unwrap_or_default().as_bytes(),
            ]);
            fields.extend(person.time_zone.map(str::as_bytes));
        }
        Whose::Of { source, .. } => fields.push(source.booking.as_bytes()),
    }
    request::hash(&fields)
}
