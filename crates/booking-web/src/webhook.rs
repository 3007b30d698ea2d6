//! Webhooks of a business: addresses of its own programs that are called, signed, when
//! something happens to a booking. An address is looked at when it is saved and again with
//! each call; the secret is shown when it is made and never again.

use data_encoding::BASE64;
use jiff::SignedDuration;
use serde_json::json;
use uuid::Uuid;

use crate::app::App;
use crate::error::Fault;
use crate::messages::outbound::Unfit;
use crate::store;
use crate::store::outbox::{self, NewMessage};
use crate::store::webhook::{self, Listed, NewWebhook, Try};

/// What a webhook can be called for, by its name in the outbox.
pub(crate) const KINDS: [&str; 8] = [
    "confirmed",
    "moved",
    "cancelled",
    "arrived",
    "arrival_undone",
    "completed",
    "no_show",
    "no_show_undone",
];

/// So long a secret that was replaced signs beside the new one.
const OLD_SECRET_FOR: SignedDuration = SignedDuration::from_hours(24);
const SECRET_BYTES: usize = 32;
const URL_CHARS_MAX: usize = 2000;
const WEBHOOKS_MAX: usize = 20;

/// What becomes of the wish for a webhook.
pub(crate) enum Added {
    /// Its id and its secret, as it is shown.
    Now(Uuid, String),
    Unfit(Unfit),
    /// The business has enough of them.
    TooMany,
}

impl App {
    pub(crate) async fn webhooks(&self, business: Uuid) -> Result<Vec<Listed>, Fault> {
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let all = webhook::all(&mut transaction).await?;
        transaction.rollback().await?;
        Ok(all)
    }

    pub(crate) async fn webhook(&self, business: Uuid, id: Uuid) -> Result<Listed, Fault> {
        let all = self.webhooks(business).await?;
        all.into_iter()
            .find(|webhook| webhook.id == id)
            .ok_or(Fault::NotFound)
    }

    /// Adds one, called for these kinds of events, or for all where none is named. Who may do
    /// so is checked before; `by` is the account or the key of who does.
    pub(crate) async fn add_webhook(
        &self,
        business: Uuid,
        (url, kinds): (&str, &[String]),
        by: Uuid,
    ) -> Result<Added, Fault> {
        if url.len() > URL_CHARS_MAX {
            return Ok(Added::Unfit(Unfit::Shape));
        }
        if let Err(unfit) = self.webhook_reach.look(url).await {
            return Ok(Added::Unfit(unfit));
        }
        let now = self.clock.now();
        let (id, secret) = (self.random.uuid(now), self.secret());
        let new = NewWebhook {
            id,
            business,
            url,
            secret: &secret,
            kinds,
            now,
        };
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let connection = &mut *transaction;
        let working = webhook::all(connection).await?;
        if working.iter().filter(|webhook| webhook.is_active).count() >= WEBHOOKS_MAX {
            return Ok(Added::TooMany);
        }
        webhook::insert(connection, &new).await?;
        self.note(connection, business, by, ("webhook.added", id))
            .await?;
        transaction.commit().await?;
        Ok(Added::Now(id, shown(&secret)))
    }

    /// Switches one on or off; done again, it changes nothing.
    pub(crate) async fn switch_webhook(
        &self,
        business: Uuid,
        (id, is_active): (Uuid, bool),
        by: Uuid,
    ) -> Result<(), Fault> {
        self.webhook(business, id).await?;
        let action = if is_active {
            "webhook.on"
        } else {
            "webhook.off"
        };
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        if webhook::switch(&mut transaction, id, is_active).await? {
            self.note(&mut transaction, business, by, (action, id))
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Gives one another secret, and shows it. For a day both sign.
    pub(crate) async fn rotate_webhook(
        &self,
        business: Uuid,
        id: Uuid,
        by: Uuid,
    ) -> Result<String, Fault> {
        let (now, secret) = (self.clock.now(), self.secret());
        let until = now.saturating_add(OLD_SECRET_FOR).unwrap_or(now);
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        if !webhook::rotate(&mut transaction, id, &secret, until).await? {
            return Err(Fault::NotFound);
        }
        self.note(&mut transaction, business, by, ("webhook.rotated", id))
            .await?;
        transaction.commit().await?;
        Ok(shown(&secret))
    }

    /// Calls one that is on to see whether it answers; gives the id of the call.
    pub(crate) async fn ping_webhook(&self, business: Uuid, id: Uuid) -> Result<Uuid, Fault> {
        if !self.webhook(business, id).await?.is_active {
            return Err(Fault::Refused("the webhook is switched off"));
        }
        let now = self.clock.now();
        let call = self.random.uuid(now);
        let body = json!({"id": call, "type": "ping", "timestamp": now.to_string(), "data": {}});
        let new = NewMessage {
            id: call,
            business: Some(business),
            dedupe_key: &format!("{call}.{id}"),
            channel: "webhook",
            kind: "ping",
            booking: None,
            booking_version: None,
            starts_at: None,
            recipient: Some(&id.to_string()),
            content: &body.to_string(),
            send_after: now,
            expires_at: None,
        };
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        outbox::plan(&mut transaction, &new).await?;
        transaction.commit().await?;
        Ok(call)
    }

    /// The latest calls of one.
    pub(crate) async fn webhook_tries(&self, business: Uuid, id: Uuid) -> Result<Vec<Try>, Fault> {
        self.webhook(business, id).await?;
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let tries = webhook::tries(&mut transaction, id).await?;
        transaction.rollback().await?;
        Ok(tries)
    }

    /// Makes a call once more that was taken, dropped or given up.
    pub(crate) async fn call_again(
        &self,
        business: Uuid,
        (id, call): (Uuid, Uuid),
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        if !webhook::again(&mut transaction, id, call, now).await? {
            return Err(Fault::NotFound);
        }
        transaction.commit().await?;
        Ok(())
    }

    fn secret(&self) -> [u8; SECRET_BYTES] {
        let mut secret = [0; SECRET_BYTES];
        self.random.fill(&mut secret);
        secret
    }
}

/// A secret as libraries for Standard Webhooks read it.
fn shown(secret: &[u8]) -> String {
    format!("whsec_{}", BASE64.encode(secret))
}
