//! Whether somebody is reminded of appointments, and how that ends.

use crate::app::App;
use crate::error::Fault;
use crate::language::Language;
use crate::links::{self, Reminders};
use crate::store::{self, appointment};

/// The reminders that a secret address is about.
pub(crate) struct Subscription {
    business_id: uuid::Uuid,
    pub(crate) business: String,
    /// What the business speaks.
    pub(crate) language: Language,
    pub(crate) reminders: Reminders,
    pub(crate) is_over: bool,
    /// What is kept of the address; none where the customer was forgotten.
    hash: Option<[u8; 32]>,
}

impl App {
    pub(crate) async fn subscription(&self, token: &str) -> Result<Subscription, Fault> {
        let subscriber = self.links.subscriber(token).ok_or(Fault::NotFound)?;
        let (business, reminders) = (subscriber.business, subscriber.reminders);
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let found = store::business::by_id(&mut transaction, business).await?;
        let found = found.ok_or(Fault::NotFound)?;
        let contact = appointment::contact(&mut transaction, subscriber.customer).await?;
        let address = contact.and_then(|(email, phone)| match reminders {
            Reminders::Email => Some(email),
            Reminders::Sms => phone,
        });
        let hash = address.map(|address| links::suppressed(business, reminders, &address));
        let is_over = match &hash {
            Some(hash) => {
                let channel = reminders.channel();
                appointment::is_suppressed(&mut transaction, channel, hash).await?
            }
            None => true,
        };
        transaction.rollback().await?;
        Ok(Subscription {
            business_id: business,
            business: found.name,
            language: Language::of_tag(&found.locale).unwrap_or_default(),
            reminders,
            is_over,
            hash,
        })
    }

    /// Ends it; ended twice, it stays ended.
    pub(crate) async fn end_subscription(&self, subscription: &Subscription) -> Result<(), Fault> {
        let Some(hash) = &subscription.hash else {
            return Ok(());
        };
        let (business, now) = (subscription.business_id, self.clock.now());
        let channel = subscription.reminders.channel();
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        appointment::suppress(&mut transaction, business, channel, hash, now).await?;
        transaction.commit().await?;
        Ok(())
    }
}
