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
    /// What is kept of every address that they are reminded at; none where the customer was
    /// forgotten.
    hashes: Vec<[u8; 32]>,
}

impl App {
    pub(crate) async fn subscription(&self, token: &str) -> Result<Subscription, Fault> {
        let subscriber = self.links.subscriber(token).ok_or(Fault::NotFound)?;
        let (business, reminders) = (subscriber.business, subscriber.reminders);
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let found = store::business::by_id(&mut transaction, business).await?;
        let found = found.ok_or(Fault::NotFound)?;
        let addresses = match reminders {
            Reminders::Email => appointment::emails(&mut transaction, subscriber.customer).await?,
            Reminders::Sms => appointment::phones(&mut transaction, subscriber.customer).await?,
        };
        let hash = |address: &String| links::suppressed(business, reminders, address);
        let hashes: Vec<_> = addresses.iter().map(hash).collect();
        let (mut is_over, channel) = (true, reminders.channel());
        for hash in &hashes {
            is_over &= appointment::is_suppressed(&mut transaction, channel, hash).await?;
        }
        transaction.rollback().await?;
        Ok(Subscription {
            business_id: business,
            business: found.name,
            language: Language::of_tag(&found.locale).unwrap_or_default(),
            reminders,
            is_over,
            hashes,
        })
    }

    /// Ends it; ended twice, it stays ended.
    pub(crate) async fn end_subscription(&self, subscription: &Subscription) -> Result<(), Fault> {
        let (business, now) = (subscription.business_id, self.clock.now());
        let channel = subscription.reminders.channel();
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        for hash in &subscription.hashes {
            appointment::suppress(&mut transaction, business, channel, hash, now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
