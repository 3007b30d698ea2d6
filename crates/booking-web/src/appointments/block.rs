//! Time off. It takes what is free of its time, and lists the bookings that it hits: each is
//! to be moved, cancelled or kept. What becomes free within it later is taken, too.

use booking::Span;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Appointments;
use super::keeper::Keeper;
use super::moves::By;
use super::time_off::Absence;
use crate::store;
use crate::store::block::NewBlock;
use crate::store::booking::Standing;
use crate::store::claim::Holder;
use crate::store::record::Audit;

/// The longest piece that one claim may take.
const PIECE_MAX: SignedDuration = SignedDuration::from_hours(24 * 30);

impl Appointments {
    /// Keeps what is free of an absence free, within a transaction. Gives the lanes that are
    /// to be bumped at its end; none where somebody books within it just now.
    pub(super) async fn block(
        &self,
        connection: &mut PgConnection,
        (business, lane): (Uuid, Uuid),
        absence: Absence<'_>,
        by: By,
        now: Timestamp,
    ) -> sqlx::Result<Option<Vec<Uuid>>> {
        let during = absence.during;
        let mut lanes = self
            .clear(connection, (during.start(), during.end()), now)
            .await?;
        let id = self.random.uuid(now);
        let new = NewBlock {
            id,
            business,
            lane,
            during,
            reason: absence.reason,
            now,
        };
        store::block::insert(connection, &new).await?;
        let ids = (business, id, lane);
        if !self.cover(connection, ids, during, now).await? {
            return Ok(None);
        }
        self.record_block(connection, business, id, "block.made", by, now)
            .await?;
        lanes.push(lane);
        Ok(Some(lanes))
    }

    /// Ends time off. `false` where it had ended, or they keep no such calendar.
    pub(crate) async fn unblock(
        &self,
        business: Uuid,
        block: Uuid,
        keeper: Keeper,
        now: Timestamp,
    ) -> sqlx::Result<bool> {
        let mut transaction = store::begin(&self.pool, business).await?;
        let connection = &mut *transaction;
        let Some((staff, lane)) = store::block::end(connection, block).await? else {
            return Ok(false);
        };
        if !keeper.keeps(staff) {
            return Ok(false);
        }
        self.record_block(connection, business, block, "block.ended", keeper.by(), now)
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
