//! The booking behind a secret address.

use super::{Appointments, token_hash};
use crate::store;
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
}
