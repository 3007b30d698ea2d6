//! The booking behind a secret address.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Appointments, token_hash};
use crate::crew::{Crew, Who};
use crate::store;
use crate::store::booking::Standing;
use crate::store::business::Business;

impl Appointments {
    /// The booking that a secret address leads to, with its business.
    pub(crate) async fn find(
        &self,
        token: &str,
    ) -> sqlx::Result<Option<(Business, store::booking::Booking)>> {
        let mut transaction = self.pool.begin().await?;
        let found = store::link::find(&mut transaction, &token_hash(token)).await?;
        let Some((business, booking)) = found else {
            return Ok(None);
        };
        store::scope(&mut transaction, business).await?;
        let business = store::business::by_id(&mut transaction, business).await?;
        let booking = store::booking::by_id(&mut transaction, booking).await?;
        transaction.rollback().await?;
        Ok(business.zip(booking))
    }

    /// The same for the rest of the transaction, in which nobody else can change it.
    pub(super) async fn locked(
        &self,
        connection: &mut PgConnection,
        token: &str,
    ) -> sqlx::Result<Option<(Business, Standing)>> {
        match self.located(connection, token).await? {
            Some((business, booking)) => self.standing(connection, business, booking).await,
            None => Ok(None),
        }
    }

    /// The ids of business and booking behind a secret address, with the business in scope.
    pub(super) async fn located(
        &self,
        connection: &mut PgConnection,
        token: &str,
    ) -> sqlx::Result<Option<(Uuid, Uuid)>> {
        let found = store::link::find(connection, &token_hash(token)).await?;
        if let Some((business, _)) = found {
            store::scope(connection, business).await?;
        }
        Ok(found)
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
