//! Whether a business may send somebody news and offers (POPIA s69): agreed to apart from
//! any booking, and taken back without signing in. What was said last counts, and all that
//! was said stays.

use super::notice::{self, MARKETING};
use crate::app::App;
use crate::desk::Booking;
use crate::error::Fault;
use crate::language::Language;
use crate::store;
use crate::store::notice::Consent;

/// What somebody agrees to, in their words.
pub(crate) fn offer(language: Language, business: &str) -> String {
    let offer = language.text("marketing-offer").with("business", business);
    format!("{offer}\n{}\n", language.text("marketing-hint"))
}

impl App {
    /// Whether the customer of a booking agrees now.
    pub(crate) async fn agrees_to_marketing(&self, booking: &Booking) -> Result<bool, Fault> {
        let business = self.business(&booking.business_slug).await?;
        let mut transaction = store::begin(&self.appointments.pool, business.id).await?;
        let customer = store::notice::customer_of_booking(&mut transaction, booking.id).await?;
        let customer = customer.ok_or(Fault::NotFound)?;
        let agrees = store::notice::agrees(&mut transaction, customer, MARKETING).await?;
        transaction.rollback().await?;
        Ok(agrees)
    }

    /// Writes down that the customer of a booking agrees, or takes it back. Said twice, it is
    /// written once.
    pub(crate) async fn say_to_marketing(
        &self,
        booking: &Booking,
        language: Language,
        agrees: bool,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let business = self.business(&booking.business_slug).await?;
        let mut transaction = store::begin(&self.appointments.pool, business.id).await?;
        let customer = store::notice::customer_of_booking(&mut transaction, booking.id).await?;
        let customer = customer.ok_or(Fault::NotFound)?;
        if store::notice::agrees(&mut transaction, customer, MARKETING).await? == agrees {
            return Ok(());
        }
        let text = offer(language, &business.name);
        let hash = notice::hash(&text);
        let consent = Consent {
            id: self.random.uuid(now),
            business: business.id,
            customer,
            booking: Some(booking.id),
            purpose: MARKETING,
            wording: notice::wording(&text, &hash, language.tag()),
            channel: "link",
            recorded_by: None,
            is_withdrawal: !agrees,
        };
        store::notice::record(&mut transaction, &consent, now).await?;
        transaction.commit().await?;
        Ok(())
    }
}
