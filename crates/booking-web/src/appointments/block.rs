//! Time off. It takes what is free of its time, and lists the bookings that it hits: each is
//! to be moved, cancelled or kept. What becomes free within it later is taken, too.
#![expect(dead_code, reason = "the desk comes next")]

use booking::Span;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Appointments;
use super::moves::By;
use crate::store;
use crate::store::block::{Hit, NewBlock};
use crate::store::booking::Standing;
use crate::store::claim::Holder;
use crate::store::record::Audit;

/// The longest piece that one claim may take.
const PIECE_MAX: SignedDuration = SignedDuration::from_hours(24 * 30);

/// What becomes of time off.
#[derive(Debug, Clone)]
pub(crate) enum Blocking {
    /// It is kept free, but for these bookings.
    Kept {
        /// Names it, to end it.
        id: Uuid,
        /// To be moved, cancelled or kept, one by one.
        hits: Vec<Hit>,
    },
    /// Somebody booked within it just now; ask again.
    Again,
    /// There is no such person.
    Unknown,
}

impl Appointments {
    /// The bookings that time off of `staff` would hit.
    pub(crate) async fn hits(
        &self,
        business: Uuid,
        staff: Uuid,
        during: Span,
        now: Timestamp,
    ) -> sqlx::Result<Vec<Hit>> {
        let mut transaction = store::begin(&self.pool, business).await?;
        let lane = store::staff::lane(&mut transaction, staff).await?;
        let hits = match lane {
            Some(lane) => store::block::hits(&mut transaction, lane, during, now).await?,
            None => Vec::new(),
        };
        transaction.rollback().await?;
        Ok(hits)
    }

    /// Keeps `during` free of new bookings with `staff`.
    pub(crate) async fn block(
        &self,
        business: Uuid,
        staff: Uuid,
        (during, reason): (Span, &str),
        by: By,
        now: Timestamp,
    ) -> sqlx::Result<Blocking> {
        match self
            .try_block(business, staff, (during, reason), by, now)
            .await
        {
            Err(error) if store::is_conflict(&error) => Ok(Blocking::Again),
            other => other,
        }
    }

    async fn try_block(
        &self,
        business: Uuid,
        staff: Uuid,
        (during, reason): (Span, &str),
        by: By,
        now: Timestamp,
    ) -> sqlx::Result<Blocking> {
        let mut transaction = store::begin(&self.pool, business).await?;
        let connection = &mut *transaction;
        let Some(lane) = store::staff::lane(connection, staff).await? else {
            return Ok(Blocking::Unknown);
        };
        let mut lanes = self
            .clear(connection, (during.start(), during.end()), now)
            .await?;
        let id = self.random.uuid(now);
        let new = NewBlock {
            id,
            business,
            lane,
            during,
            reason,
            now,
        };
        store::block::insert(connection, &new).await?;
        if !self
            .cover(connection, (business, id, lane), during, now)
            .await?
        {
            return Ok(Blocking::Again);
        }
        let hits = store::block::hits(connection, lane, during, now).await?;
        self.record_block(connection, business, id, "block.made", by, now)
            .await?;
        lanes.push(lane);
        store::lane::bump(connection, &lanes).await?;
        transaction.commit().await?;
        Ok(Blocking::Kept { id, hits })
    }

    /// Ends time off. `false` where it had ended, or there is none.
    pub(crate) async fn unblock(
        &self,
        business: Uuid,
        block: Uuid,
        by: By,
        now: Timestamp,
    ) -> sqlx::Result<bool> {
        let mut transaction = store::begin(&self.pool, business).await?;
        let connection = &mut *transaction;
        let Some(lane) = store::block::end(connection, block).await? else {
            return Ok(false);
        };
        self.record_block(connection, business, block, "block.ended", by, now)
            .await?;
        store::lane::bump(connection, &[lane]).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Frees what a booking has claimed, or its seat. What time off covers goes to it; the rest is free.
    /// Gives the lanes, to be bumped at the end.
    pub(super) async fn give_back(
        &self,
        connection: &mut PgConnection,
        standing: &Standing,
        now: Timestamp,
    ) -> sqlx::Result<Vec<Uuid>> {
        let holder = Holder::Booking(standing.id);
        let mut freed = store::claim::release(connection, holder).await?;
        let mut lanes = Vec::new();
        if let Some(left) = store::class::leave(connection, standing.id).await? {
            lanes.push(left.lane);
            if left.is_over {
                let holder = Holder::Class(left.class);
                freed.extend(store::claim::release(connection, holder).await?);
            }
        }
        for (lane, span) in &freed {
            for (block, part) in store::block::within(connection, *lane, *span).await? {
                let ids = (standing.business, block, *lane);
                // What somebody else has by now is not free.
                self.cover(connection, ids, part, now).await?;
            }
        }
        lanes.extend(freed.into_iter().map(|(lane, _)| lane));
        Ok(lanes)
    }

    /// Claims for a block what nobody has of `during`. `false` where somebody was faster.
    async fn cover(
        &self,
        connection: &mut PgConnection,
        ids: (Uuid, Uuid, Uuid),
        during: Span,
        now: Timestamp,
    ) -> sqlx::Result<bool> {
        for gap in store::block::gaps(connection, ids.2, during).await? {
            for piece in pieces(gap) {
                let id = self.random.uuid(now);
                if !store::block::take(connection, id, ids, piece).await? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn record_block(
        &self,
        connection: &mut PgConnection,
        business: Uuid,
        block: Uuid,
        action: &str,
        by: By,
        now: Timestamp,
    ) -> sqlx::Result<()> {
        let audit = Audit {
            id: self.random.uuid(now),
            business,
            actor: by.actor().as_str(),
            actor_id: by.id(),
            action,
            subject: block,
            before: None,
            after: None,
            now,
        };
        store::record::audit_change(connection, &audit).await
    }
}

/// `span` in pieces that one claim may take.
fn pieces(span: Span) -> Vec<Span> {
    let mut pieces = Vec::new();
    let mut start = span.start();
    while let Some(piece) = start
        .checked_add(PIECE_MAX)
        .ok()
        .and_then(|end| Span::new(start, end.min(span.end())))
    {
        pieces.push(piece);
        start = piece.end();
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_leave_is_claimed_in_pieces_that_touch() {
        let at = |days: i64| Timestamp::from_second(days * 86_400).unwrap();
        let whole = Span::new(at(0), at(75)).unwrap();
        let pieces = pieces(whole);
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces[0].start(), whole.start());
        assert!(pieces.windows(2).all(|two| two[0].end() == two[1].start()));
        assert_eq!(pieces[2].end(), whole.end());
    }
}
