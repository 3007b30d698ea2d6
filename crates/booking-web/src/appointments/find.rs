//! The booking behind a secret address.

use sqlx::PgConnection;
use sqlx::postgres::PgTransaction;
use uuid::Uuid;

use super::{Appointments, token_hash};
use crate::crew::{Crew, Who};
use crate::store;
use crate::store::booking::Standing;
use crate::store::business::Business;

/// A booking as it is shown, with its business.
pub(crate) type Found = (Business, store::booking::Booking);

impl Appointments {
    /// The booking that a secret address leads to, with its business.
    pub(crate) async fn find(&self, token: &str) -> sqlx::Result<Option<Found>> {
        let (mut transaction, found) = self.enter(token).await?;
        let Some((business, booking)) = found else {
            return Ok(None);
        };
        let business = store::business::by_id(&mut transaction, business).await?;
        let booking = store::booking::by_id(&mut transaction, booking).await?;
        transaction.rollback().await?;
        Ok(business.zip(booking))
    }

    /// Begins a transaction in which nobody else can change the booking behind a secret
    /// address.
    pub(super) async fn lock(
        &self,
        token: &str,
    ) -> sqlx::Result<Option<(PgTransaction<'static>, Business, Standing)>> {
        let (mut transaction, found) = self.enter(token).await?;
        let Some((business, booking)) = found else {
            return Ok(None);
        };
        let found = self.standing(&mut transaction, business, booking).await?;
        Ok(found.map(|(business, standing)| (transaction, business, standing)))
    }

    /// Begins a transaction with the business in scope that a secret address leads to, and
    /// gives the ids of business and booking.
    pub(super) async fn enter(
        &self,
        token: &str,
    ) -> sqlx::Result<(PgTransaction<'static>, Option<(Uuid, Uuid)>)> {
        store::link::begin(&self.pool, &token_hash(token)).await
    }

    /// Who was asked for; anyone, where that one does not give the service any more.
    pub(super) async fn asked_for(
        &self,
        connection: &mut PgConnection,
        standing: &Standing,
    ) -> sqlx::Result<Who> {
        let who = Who::of(standing.wanted_staff);
        if who == Who::Anyone {
            return Ok(who);
        }
        let crew = Crew::read(connection, standing.service, who).await?;
        Ok(if crew.people.is_empty() {
            Who::Anyone
        } else {
            who
        })
    }

    /// Locks a booking of the business in scope.
    pub(super) async fn standing(
        &self,
        connection: &mut PgConnection,
        business: Uuid,
        booking: Uuid,
    ) -> sqlx::Result<Option<(Business, Standing)>> {
        let standing = store::booking::lock(connection, booking).await?;
        let business = store::business::by_id(connection, business).await?;
        Ok(business.zip(standing))
    }
}
