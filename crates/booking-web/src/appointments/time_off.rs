//! Time off, with what becomes of the bookings that it hits: each stays, is called off, or is
//! moved, and all of it happens at once or not at all. A booking about which nobody has
//! decided, because it came or changed meanwhile, is told and not lost.

use booking::{Span, State, Window};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Appointments;
use super::keeper::Keeper;
use super::limits::Limited;
use crate::crew::{Crew, Who};
use crate::store::block::Hit;
use crate::store::business::Business;
use crate::{availability, store};

/// Somebody who books at the same moment is waited for; then it is looked at again.
const ROUNDS: usize = 4;
/// Days before and after a booking in which another time for it is looked for.
const DAYS_AROUND: (i64, i64) = (3, 10);
/// Other times that are offered for a booking.
const OTHER_TIMES: usize = 3;

/// When somebody is to be away, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Absence<'a> {
    pub(crate) staff: Uuid,
    pub(crate) during: Span,
    /// leave, sick, training, closed or other.
    pub(crate) reason: &'a str,
}

/// What becomes of a booking that time off hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It takes place all the same.
    Stays,
    /// The business calls it off.
    Off,
    /// It is moved to another time, with whoever has it.
    Moved(Timestamp),
}

/// What was decided about a booking as it was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decision {
    pub(crate) booking: Uuid,
    pub(crate) version: i32,
    pub(crate) fate: Fate,
}

/// What becomes of the wish for time off.
#[derive(Debug, Clone)]
pub(crate) enum Leaving {
    /// It is kept free, and each booking is where it was decided.
    Away,
    /// Nobody has decided about these bookings as they are now; nothing has changed.
    Undecided(Vec<Hit>),
    /// This booking cannot be had where it was to be moved to; nothing has changed.
    Gone(Uuid),
    /// Others book within it all the time; nothing has changed.
    Again,
    /// They keep no such calendar.
    Unknown,
}

impl Appointments {
    /// Takes time off, where every booking that it hits is decided about.
    pub(crate) async fn leave(
        &self,
        business: &Business,
        absence: Absence<'_>,
        decisions: &[Decision],
        keeper: Keeper,
        now: Timestamp,
    ) -> sqlx::Result<Leaving> {
        if !keeper.keeps(absence.staff) {
            return Ok(Leaving::Unknown);
        }
        for _ in 0..ROUNDS {
            let attempt = self.try_to_leave(business, absence, decisions, keeper, now);
            match attempt.await {
                Ok(Leaving::Again) => {}
                Err(error) if store::is_conflict(&error) => {}
                other => return other,
            }
        }
        Ok(Leaving::Again)
    }

    async fn try_to_leave(
        &self,
        business: &Business,
        absence: Absence<'_>,
        decisions: &[Decision],
        keeper: Keeper,
        now: Timestamp,
    ) -> sqlx::Result<Leaving> {
        let mut transaction = store::begin(&self.pool, business.id).await?;
        let connection = &mut *transaction;
        store::hold::move_alone(connection, business.id).await?;
        let Some(lane) = store::staff::lane(connection, absence.staff).await? else {
            return Ok(Leaving::Unknown);
        };
        let made = self.block(connection, (business.id, lane), absence, keeper.by(), now);
        let Some(mut lanes) = made.await? else {
            return Ok(Leaving::Again);
        };
        // From here on nobody can begin anything within it, so these are all there are.
        let hits = store::block::hits(connection, lane, absence.during, now).await?;
        let decided = |hit: &Hit| decisions.iter().find(|d| d.is_about(hit)).map(|d| d.fate);
        let undecided: Vec<Hit> = hits
            .iter()
            .filter(|h| decided(h).is_none())
            .cloned()
            .collect();
        if !undecided.is_empty() {
            return Ok(Leaving::Undecided(undecided));
        }
        let mut limited = Vec::new();
        for hit in &hits {
            let fate = decided(hit).unwrap_or(Fate::Stays);
            match self
                .befall(connection, business, (hit, fate), keeper, now)
                .await?
            {
                Some((changed, under)) => {
                    lanes.extend(changed);
                    limited.extend(under);
                }
                None => return Ok(Leaving::Gone(hit.booking)),
            }
        }
        if let Some(booking) = self.one_too_many(connection, &limited, now).await? {
            return Ok(Leaving::Gone(booking));
        }
        store::lane::bump(connection, &lanes).await?;
        transaction.commit().await?;
        Ok(Leaving::Away)
    }

    /// Does to a booking what was decided. Gives the lanes that are to be bumped and the limits
    /// that are to be kept; none where it cannot be done.
    async fn befall(
        &self,
        connection: &mut PgConnection,
        business: &Business,
        (hit, fate): (&Hit, Fate),
        keeper: Keeper,
        now: Timestamp,
    ) -> sqlx::Result<Option<(Vec<Uuid>, Vec<Limited>)>> {
        if fate == Fate::Stays {
            return Ok(Some((Vec::new(), Vec::new())));
        }
        let standing = store::booking::lock(connection, hit.booking).await?;
        let Some(standing) = standing.filter(|standing| standing.version == hit.version) else {
            return Ok(None);
        };
        let by = keeper.by();
        if let Fate::Moved(start) = fate {
            let to = (start, Who::Anyone);
            let taken = self.retime(connection, (business, &standing), to, by, now);
            Ok(taken.await?.map(|taken| (taken.lanes, taken.limited)))
        } else {
            let to = State::CancelledByBusiness;
            let freed = self.shift(connection, &standing, to, by, now).await?;
            Ok(freed.map(|lanes| (lanes, Vec::new())))
        }
    }

    /// The bookings that time off would hit, each with the nearest other times for it.
    pub(crate) async fn would_hit(
        &self,
        business: &Business,
        absence: Absence<'_>,
        keeper: Keeper,
        now: Timestamp,
    ) -> sqlx::Result<Vec<(Hit, Vec<Timestamp>)>> {
        let mut transaction = store::begin(&self.pool, business.id).await?;
        let connection = &mut *transaction;
        let lane = store::staff::lane(connection, absence.staff).await?;
        let (Some(lane), true) = (lane, keeper.keeps(absence.staff)) else {
            return Ok(Vec::new());
        };
        let hits = store::block::hits(connection, lane, absence.during, now).await?;
        let zone = TimeZone::get(&business.zone).unwrap_or(TimeZone::UTC);
        let mut free = Vec::new();
        let mut services: Vec<Uuid> = hits.iter().map(|hit| hit.service_id).collect();
        services.sort_unstable();
        services.dedup();
        for service in services {
            let of_service = hits.iter().filter(|hit| hit.service_id == service);
            let starts: Vec<Timestamp> = of_service.map(|hit| hit.start).collect();
            let found = other_times(connection, &zone, (service, &starts), absence, now).await?;
            free.push((service, found));
        }
        transaction.rollback().await?;
        let hits = hits.into_iter().map(|hit| {
            let of_service = free.iter().find(|(service, _)| *service == hit.service_id);
            let times = of_service
                .map(|(_, times)| times.as_slice())
                .unwrap_or_default();
            let nearest = booking::nearest(hit.start, times, OTHER_TIMES);
            (hit, nearest)
        });
        Ok(hits.collect())
    }
}

impl Decision {
    fn is_about(&self, hit: &Hit) -> bool {
        (self.booking, self.version) == (hit.booking, hit.version)
            // Of what is only held nobody knows whose it is; it stays until it is let go.
            && (self.fate == Fate::Stays || !hit.is_held)
    }
}

/// The free times of a service around `starts`, with that person away.
async fn other_times(
    connection: &mut PgConnection,
    zone: &TimeZone,
    (service, starts): (Uuid, &[Timestamp]),
    absence: Absence<'_>,
    now: Timestamp,
) -> sqlx::Result<Vec<Timestamp>> {
    let service = store::service::by_id(connection, service).await?;
    let ends = starts.iter().min().zip(starts.iter().max());
    let Some((mut service, (first, last))) = service.zip(ends) else {
        return Ok(Vec::new());
    };
    service.notice_minutes = 0;
    let day = |at: &Timestamp| zone.to_datetime(*at).date();
    let window = Window {
        from: day(first)
            .saturating_sub(DAYS_AROUND.0.days())
            .max(day(&now)),
        to: day(last).saturating_add(DAYS_AROUND.1.days()),
    };
    let crew = Crew::read(connection, service.id, Who::Anyone).await?;
    let mut known = availability::known(connection, zone, &service, crew, window, now).await?;
    let people = known.crew.people.iter().zip(&mut known.supply.people);
    for (_, lane) in people.filter(|(person, _)| person.staff_id == absence.staff) {
        lane.away.push(absence.during);
    }
    let rules = availability::rules(&service);
    let free = booking::free_times(&known.supply, &rules, window, now);
    Ok(free.into_iter().map(|slot| slot.start).collect())
}
