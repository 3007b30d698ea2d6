//! Taking and giving back what a visit needs. The only place that claims: who can give
//! the service is asked in a fair order, and the database says who still has the time.

use booking::Window;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Appointments;
use crate::availability::{self, Candidate};
use crate::store;
use crate::store::service::Service;

/// A visit for which everything that it needs is to be claimed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) business: Uuid,
    pub(super) zone: &'a TimeZone,
    pub(super) service: &'a Service,
    pub(super) booking: Uuid,
    pub(super) start: Timestamp,
}

/// What was claimed for a visit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) staff: Uuid,
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
        let date = visit.zone.to_datetime(visit.start).date();
        let window = Window {
            from: date,
            to: date,
        };
        let (zone, service) = (visit.zone, visit.service);
        let candidates = availability::candidates(connection, zone, service.id, window).await?;
        let able = able(candidates, service, visit.start, now);
        let able = self.fairly(connection, able, visit.start).await?;
        self.claim(connection, visit, able, now).await
    }

    /// Frees all that a booking has claimed.
    pub(super) async fn give_back(
        &self,
        connection: &mut PgConnection,
        booking: Uuid,
    ) -> sqlx::Result<()> {
        for lane in store::claim::release(connection, booking).await? {
            store::lane::bump(connection, lane).await?;
        }
        Ok(())
    }

    /// Those with the least to do around that time first.
    async fn fairly(
        &self,
        connection: &mut PgConnection,
        mut able: Vec<Candidate>,
        start: Timestamp,
    ) -> sqlx::Result<Vec<Candidate>> {
        if able.len() < 2 {
            return Ok(able);
        }
        let lanes: Vec<Uuid> = able.iter().map(|c| c.giver.lane_id).collect();
        let day = SignedDuration::from_hours(12);
        let (from, to) = (start.saturating_sub(day), start.saturating_add(day));
        let (Ok(from), Ok(to)) = (from, to) else {
            return Ok(able);
        };
        let load = store::claim::load(connection, &lanes, from, to).await?;
        able.sort_by_key(|c| {
            load.iter()
                .find(|(lane, _)| *lane == c.giver.lane_id)
                .map_or(0, |(_, claims)| *claims)
        });
        Ok(able)
    }

    /// Claims the time with the first candidate who can still have it.
    async fn claim(
        &self,
        connection: &mut PgConnection,
        visit: Visit<'_>,
        able: Vec<Candidate>,
        now: Timestamp,
    ) -> sqlx::Result<Option<Taken>> {
        let Some(during) = availability::rules(visit.service).claim(visit.start) else {
            return Ok(None);
        };
        let (business, booking) = (visit.business, visit.booking);
        for candidate in able {
            let (id, lane) = (self.random.uuid(now), candidate.giver.lane_id);
            if store::claim::take(connection, id, business, lane, booking, during).await? {
                store::lane::bump(connection, lane).await?;
                let staff = candidate.giver.staff_id;
                return Ok(Some(Taken { staff }));
            }
        }
        Ok(None)
    }
}

fn able(
    candidates: Vec<Candidate>,
    service: &Service,
    start: Timestamp,
    now: Timestamp,
) -> Vec<Candidate> {
    let rules = availability::rules(service);
    candidates
        .into_iter()
        .filter(|c| booking::why_not(&c.lane, &rules, start, now).is_none())
        .collect()
}
