//! Taking what a visit needs. The only place that claims: who can give
//! the service is asked in a fair order, and the database says who still has the time.

use std::collections::BTreeSet;

use booking::{Able, Span, Window};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::Appointments;
use super::limits::Limited;
use crate::availability::{self, Known};
use crate::crew::{Crew, Who};
use crate::quota::Moved;
use crate::store;
use crate::store::claim::{Holder, Wanted};
use crate::store::class::NewClass;
use crate::store::service::Service;

/// Whoever was beaten to begin a class may still sit in it, so it is looked at again.
const ROUNDS: usize = 2;

/// A visit for which everything that it needs is to be claimed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) business: Uuid,
    pub(super) zone: &'a TimeZone,
    pub(super) service: &'a Service,
    pub(super) who: Who,
    pub(super) booking: Uuid,
    pub(super) start: Timestamp,
    /// Until when its time is kept, if it is only held.
    pub(super) held_until: Option<Timestamp>,
    /// Where the visit was before, if it is moved.
    pub(super) moved: Option<Moved>,
}

/// What was claimed for a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) staff: Uuid,
    /// The lanes that have changed, to be bumped at the end of the transaction: whoever has
    /// a lane to bump waits for no claim any more.
    pub(super) lanes: Vec<Uuid>,
    /// The limits under which the visit falls, to be kept before the lanes are bumped.
    pub(super) limited: Vec<Limited>,
}

impl Appointments {
    /// Claims all that `visit` needs; nothing where the rules or others stand against it.
    /// Then what the transaction did so far must not be kept.
    pub(super) async fn take(
        &self,
        connection: &mut PgConnection,
        visit: Visit<'_>,
        now: Timestamp,
    ) -> sqlx::Result<Option<Taken>> {
        // A crowd that wants one time is told with one question that it is gone.
        let Some(run_out) = open(connection, visit, now).await? else {
            return Ok(None);
        };
        let cleared = self.give_back_run_out(connection, &run_out, now).await?;
        let taken = self.take_one(connection, visit, now).await?;
        Ok(taken.map(|taken| Taken {
            lanes: [taken.lanes, cleared].concat(),
            ..taken
        }))
    }

    async fn take_one(
        &self,
        connection: &mut PgConnection,
        visit: Visit<'_>,
        now: Timestamp,
    ) -> sqlx::Result<Option<Taken>> {
        for round in 1..=ROUNDS {
            let known = known(connection, visit, now).await?;
            let rules = availability::rules(visit.service);
            let Ok(able) = booking::able(&known.supply, &rules, visit.start, now) else {
                return Ok(None);
            };
            // A class that takes place anyway is filled before another one begins.
            if let Some(taken) = self.sit(connection, visit, &known, &able, now).await? {
                return Ok(Some(taken));
            }
            let mut people = fairly(&known, &able, visit.start);
            // Whoever took the first one's time may have begun a class that has a seat left.
            if visit.service.capacity > 1 && round < ROUNDS {
                people.truncate(1);
            }
            for person in people {
                let taken = self.begin(connection, visit, &known, &able, person, now);
                if let Some(taken) = taken.await? {
                    return Ok(Some(taken));
                }
            }
            if visit.service.capacity <= 1 {
                break;
            }
        }
        Ok(None)
    }

    /// Takes a seat in a class that has one left.
    async fn sit(
        &self,
        connection: &mut PgConnection,
        visit: Visit<'_>,
        known: &Known,
        able: &Able,
        now: Timestamp,
    ) -> sqlx::Result<Option<Taken>> {
        for class in able.classes.iter().filter_map(|s| known.classes.get(*s)) {
            let seat = self.random.uuid(now);
            if store::class::take_seat(connection, seat, class.id, visit.booking).await? {
                let mut people = known.crew.people.iter();
                let giver = people.find(|giver| giver.staff_id == class.staff_id);
                return Ok(giver.map(|giver| Taken::with(&visit, giver, vec![giver.lane_id])));
            }
        }
        Ok(None)
    }

    /// Claims the time of one person and of all that the visit needs beside. A room that
    /// somebody else was faster to take is left out and another one is tried; with the last
    /// one gone, nothing is kept.
    async fn begin(
        &self,
        connection: &mut PgConnection,
        visit: Visit<'_>,
        known: &Known,
        able: &Able,
        person: usize,
        now: Timestamp,
    ) -> sqlx::Result<Option<Taken>> {
        let Some(giver) = known.crew.people.get(person) else {
            return Ok(None);
        };
        let mut lost = BTreeSet::new();
        while let Some(mut wanted) = self.wanted(visit, known, able, person, &lost, now) {
            wanted.sort_unstable_by_key(|wanted| wanted.lane);
            let lanes: Vec<Uuid> = wanted.iter().map(|wanted| wanted.lane).collect();
            let taken = self
                .claim(connection, visit, giver.staff_id, &wanted, now)
                .await?;
            if taken.len() == lanes.len() {
                return Ok(Some(Taken::with(&visit, giver, lanes)));
            }
            lost.extend(lanes.into_iter().filter(|lane| !taken.contains(lane)));
        }
        Ok(None)
    }

    /// Claims what is wanted of a person and gives the lanes that it got; where some are
    /// missing, nothing is kept.
    async fn claim(
        &self,
        connection: &mut PgConnection,
        visit: Visit<'_>,
        staff: Uuid,
        wanted: &[Wanted],
        now: Timestamp,
    ) -> sqlx::Result<Vec<Uuid>> {
        let business = visit.business;
        if let ([_], ..=1) = (wanted, visit.service.capacity) {
            // Of a single lane there is no half that would have to be given back.
            let held = (Holder::Booking(visit.booking), visit.held_until);
            return store::claim::take(connection, business, held, wanted).await;
        }
        let mut attempt = connection.begin().await?;
        let holder = self.holder(&mut attempt, visit, staff, now).await?;
        let until = match holder {
            Holder::Booking(_) => visit.held_until,
            // A class takes place, whatever becomes of one seat.
            Holder::Class(_) => None,
        };
        let taken = store::claim::take(&mut attempt, business, (holder, until), wanted).await?;
        if taken.len() == wanted.len() {
            attempt.commit().await?;
        } else {
            attempt.rollback().await?;
        }
        Ok(taken)
    }

    /// The claims of a visit with one person, without the lanes that are `lost`. None where
    /// not enough is left.
    fn wanted(
        &self,
        visit: Visit<'_>,
        known: &Known,
        able: &Able,
        person: usize,
        lost: &BTreeSet<Uuid>,
        now: Timestamp,
    ) -> Option<Vec<Wanted>> {
        let rules = availability::rules(visit.service);
        let claim = |lane: Uuid, part: booking::Part| {
            let during = part.claim(visit.start)?;
            let id = self.random.uuid(now);
            (!lost.contains(&lane)).then_some(Wanted { id, lane, during })
        };
        let giver = known.crew.people.get(person)?;
        let mut wanted = vec![claim(giver.lane_id, rules.whole())?];
        for (need, free) in known.crew.needs.iter().zip(&able.needs) {
            let part = need.part.unwrap_or_else(|| rules.whole());
            let units = free.iter().filter_map(|place| need.units.get(*place));
            let claims: Vec<_> = units
                .filter_map(|unit| claim(unit.lane, part))
                .take(need.quantity)
                .collect();
            if claims.len() < need.quantity {
                return None;
            }
            wanted.extend(claims);
        }
        Some(wanted)
    }

    /// For whom the lanes are taken: the booking, or a new class with its first seat.
    async fn holder(
        &self,
        connection: &mut PgConnection,
        visit: Visit<'_>,
        staff: Uuid,
        now: Timestamp,
    ) -> sqlx::Result<Holder> {
        if visit.service.capacity <= 1 {
            return Ok(Holder::Booking(visit.booking));
        }
        let (class, seat) = (self.random.uuid(now), self.random.uuid(now));
        let new = NewClass {
            id: class,
            business: visit.business,
            service: visit.service.id,
            staff,
            start: visit.start,
            capacity: visit.service.capacity,
            is_planned: false,
        };
        store::class::insert(connection, new).await?;
        store::class::take_seat(connection, seat, class, visit.booking).await?;
        Ok(Holder::Class(class))
    }
}

/// The time in which anything may stand in the way of a visit that begins at `start`.
pub(super) fn around(start: Timestamp) -> (Timestamp, Timestamp) {
    let day = SignedDuration::from_hours(36);
    (
        start.saturating_sub(day).unwrap_or(start),
        start.saturating_add(day).unwrap_or(start),
    )
}

/// The holds around the visit that have run out; none where nobody is free for it. Hours, buffers
/// and rooms are not asked about.
async fn open(
    connection: &mut PgConnection,
    visit: Visit<'_>,
    now: Timestamp,
) -> sqlx::Result<Option<Vec<Uuid>>> {
    let length = availability::rules(visit.service).duration;
    let end = visit.start.saturating_add(length).unwrap_or(visit.start);
    let Some(during) = Span::new(visit.start, end) else {
        return Ok(None);
    };
    let times = (during, around(visit.start));
    let (service, staff) = (visit.service.id, visit.who.staff());
    let seen = store::claim::glance(connection, service, staff, times, now).await?;
    // Whoever gives a class may still have a seat.
    let is_open = seen.is_anybody_free || visit.service.capacity > 1;
    Ok(is_open.then_some(seen.run_out))
}

/// What is known about those who will do, on the day of the visit.
async fn known(
    connection: &mut PgConnection,
    visit: Visit<'_>,
    now: Timestamp,
) -> sqlx::Result<Known> {
    let date = visit.zone.to_datetime(visit.start).date();
    let window = Window {
        from: date,
        to: date,
    };
    let crew = Crew::read(connection, visit.service.id, visit.who).await?;
    let asked = (window, visit.moved);
    availability::known_besides(connection, visit.zone, visit.service, crew, asked, now).await
}

/// The people who are able, those with the least to do around that time first.
fn fairly(known: &Known, able: &Able, start: Timestamp) -> Vec<usize> {
    let half_a_day = SignedDuration::from_hours(12);
    let from = start.saturating_sub(half_a_day).unwrap_or(start);
    let to = start.saturating_add(half_a_day).unwrap_or(start);
    let near = Span::new(from, to);
    let load = |place: &usize| {
        let busy = known.supply.people.get(*place).map(|lane| &lane.busy);
        let busy = busy.into_iter().flatten();
        busy.filter(|busy| near.is_some_and(|near| busy.overlaps(near)))
            .count()
    };
    let mut people = able.people.clone();
    people.sort_by_cached_key(load);
    people
}
