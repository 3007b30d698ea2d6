//! The rules of a zone have changed after somebody booked: the time on the wall is what was
//! promised, so the instant moves. All visits of a business at once, since each takes the place
//! of its neighbour; one that cannot be had stays where it is and is told.

use std::collections::{BTreeMap, BTreeSet};

use booking::State;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::Appointments;
use super::moves::{By, Change, Picture};
use crate::store;
use crate::store::booking::NewTime;
use crate::store::rezone::Promised;

/// Whether anything is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rezoning {
    /// Only told.
    Looked,
    Done,
}

/// What becomes of a visit whose time on the wall is at another instant now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes to that instant.
    To(Timestamp),
    /// Somebody else has the time there.
    Taken(Timestamp),
    /// The clocks leave that time out now.
    LeftOut,
    /// Its zone or its time on the wall is not known here.
    Unreadable,
}

/// A visit whose time on the wall is at another instant now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misplaced {
    pub(crate) booking: Uuid,
    pub(crate) from: Timestamp,
    pub(crate) wall: String,
    pub(crate) zone: String,
    pub(crate) fate: Fate,
}

/// A visit that is to move with all that is claimed for it; the claims of a class are shared.
#[derive(Debug, Clone)]
struct Move {
    promised: Promised,
    to: Timestamp,
}

impl Move {
    /// Whose claims they are.
    fn holder(&self) -> Uuid {
        self.promised.class.unwrap_or(self.promised.booking)
    }
}

impl Appointments {
    /// Moves what is misplaced at a business, or only tells what would become of it.
    pub(crate) async fn rezone(
        &self,
        business: Uuid,
        rezoning: Rezoning,
        now: Timestamp,
    ) -> sqlx::Result<Vec<Misplaced>> {
        let mut taken = BTreeSet::new();
        loop {
            let mut transaction = store::begin(&self.pool, business).await?;
            let connection = &mut *transaction;
            store::hold::move_alone(connection, business).await?;
            let promised = store::rezone::promised(connection, now).await?;
            let (moves, mut misplaced) = misplaced(promised, &taken);
            // Whoever gave way makes room, so that those who are left are looked at again.
            let refused = self.place(connection, &moves).await?;
            if !refused.is_empty() {
                taken.extend(refused);
                continue;
            }
            misplaced.extend(
                moves
                    .iter()
                    .map(|one| told(&one.promised, Fate::To(one.to))),
            );
            misplaced.sort_by_key(|one| (one.from, one.booking));
            if rezoning == Rezoning::Done {
                let lanes = self.write_moves(connection, business, &moves, now).await?;
                store::lane::bump(connection, &lanes).await?;
                transaction.commit().await?;
            }
            return Ok(misplaced);
        }
    }

    /// Claims the new times of all of them. Gives whose time somebody else has; then nothing
    /// must be kept.
    async fn place(
        &self,
        connection: &mut PgConnection,
        moves: &[Move],
    ) -> sqlx::Result<BTreeSet<Uuid>> {
        let by: BTreeMap<Uuid, _> = moves
            .iter()
            .map(|one| (one.holder(), one.to.duration_since(one.promised.start)))
            .collect();
        let holders: Vec<Uuid> = by.keys().copied().collect();
        let mut claimed = store::rezone::give_back(connection, &holders).await?;
        claimed.sort_by_key(|claim| (claim.lane, claim.during));
        let mut refused = BTreeSet::new();
        for claim in &claimed {
            let Some(by) = by.get(&claim.of) else {
                continue;
            };
            let mut attempt = connection.begin().await?;
            match store::rezone::claim_later(&mut attempt, claim, *by).await {
                Ok(()) => attempt.commit().await?,
                Err(error) if store::is_conflict(&error) => {
                    attempt.rollback().await?;
                    refused.insert(claim.of);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }

    /// Writes the new instants, each with its entry in the audit and word for the customer,
    /// whose calendar shows the old one. Gives the lanes that have changed.
    async fn write_moves(
        &self,
        connection: &mut PgConnection,
        business: Uuid,
        moves: &[Move],
        now: Timestamp,
    ) -> sqlx::Result<Vec<Uuid>> {
        let mut lanes = Vec::new();
        for one in moves {
            if let Some(class) = one.promised.class {
                store::rezone::move_class(connection, class, one.to).await?;
            }
            let id = one.promised.booking;
            let standing = store::booking::lock(connection, id).await?;
            let Some(standing) = standing.filter(|standing| standing.start == one.promised.start)
            else {
                continue;
            };
            let length = standing.end.duration_since(standing.start);
            let time = NewTime {
                staff: standing.staff,
                start: one.to,
                end: one.to.saturating_add(length).unwrap_or(one.to),
                local_start: &one.promised.local_start,
            };
            if !store::booking::retime(connection, &standing, &time).await? {
                continue;
            }
            lanes.extend(store::hold::lanes(connection, id).await?);
            // Of a time that is only held nobody is told.
            if standing.state == State::Confirmed {
                let before = Picture::of(&standing);
                let change = Change {
                    business,
                    booking: id,
                    version: standing.version + 1,
                    event: "moved",
                    before: Some(before),
                    after: Picture {
                        start: one.to,
                        ..before
                    },
                };
                self.record(connection, &change, By::Clock, now).await?;
            }
        }
        Ok(lanes)
    }
}

/// Those that are to move, and those that cannot: in a place that is `taken`, or at a time that
/// is left out.
fn misplaced(promised: Vec<Promised>, taken: &BTreeSet<Uuid>) -> (Vec<Move>, Vec<Misplaced>) {
    let (mut moves, mut stays) = (Vec::new(), Vec::new());
    for promised in promised {
        let zone = TimeZone::get(&promised.zone).ok();
        let wall = promised.local_start.parse::<DateTime>().ok();
        let Some((zone, wall)) = zone.zip(wall) else {
            stays.push(told(&promised, Fate::Unreadable));
            continue;
        };
        // A time that comes twice is right at either.
        if zone.to_datetime(promised.start) == wall {
            continue;
        }
        let Some(to) = booking::wall_instant(&zone, wall) else {
            stays.push(told(&promised, Fate::LeftOut));
            continue;
        };
        let one = Move { promised, to };
        if taken.contains(&one.holder()) {
            stays.push(told(&one.promised, Fate::Taken(to)));
        } else {
            moves.push(one);
        }
    }
    (moves, stays)
}

fn told(promised: &Promised, fate: Fate) -> Misplaced {
    Misplaced {
        booking: promised.booking,
        from: promised.start,
        wall: promised.local_start.clone(),
        zone: promised.zone.clone(),
        fate,
    }
}
