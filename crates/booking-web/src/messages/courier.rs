//! The steps of a delivery: lease, look at the present, say that the send begins, send,
//! write down what came of it. Each step stands in the row before the next one begins, so
//! that another worker can go on after a crash between any two.

use std::time::Duration;

use chassis::{Clock, Random};
use jiff::{SignedDuration, Timestamp};
use sqlx::error::DatabaseError;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::event;
use super::mail::Mail;
use super::outbound::Outbound;
use super::outcome::{self, Outcome, Patience};
use super::parcel::{Parcel, Prepared, Wrapping};
use super::sms::{Found, Vendor};
use super::tally::Tally;
use super::webhook;
use crate::links::Links;
use crate::store::outbox::{self, Leased, NewMessage, Settled};
use crate::store::{self, appointment};

/// A worker that is silent for so long has lost its rows to the others.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Longer than this no send may take; well within the lease.
const SEND_WITHIN: Duration = Duration::from_secs(40);
/// What a send begins in must last for all of it.
const LEASE_LEFT: SignedDuration = SignedDuration::from_secs(45);

/// Delivers rows of the outbox for one worker.
pub(crate) struct Courier {
    pub(crate) pool: PgPool,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    /// Says whose a lease is.
    pub(crate) owner: Uuid,
    pub(crate) links: Links,
    pub(crate) public_url: String,
    pub(crate) mail: Mail,
    pub(crate) sms: Option<Box<dyn Vendor>>,
    pub(crate) webhooks: Outbound,
    pub(crate) tally: Tally,
}

impl Courier {
    /// Leases rows that are due: those of `ids`, or any where there are no ids.
    pub(crate) async fn lease(&self, ids: &[Uuid], limit: usize) -> sqlx::Result<Vec<Leased>> {
        let now = self.clock.now();
        let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        let mut transaction = outbox::begin(&self.pool).await?;
        let connection = &mut *transaction;
        let rows = if ids.is_empty() {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            outbox::lease_due(connection, self.owner, now, until, limit).await?
        } else {
            outbox::lease_these(connection, self.owner, now, until, ids).await?
        };
        transaction.commit().await?;
        Ok(rows)
    }

    /// Does all that is to be done about a row that was leased. Where the database is away,
    /// the row is left as it is, for whoever leases it next; what else breaks is a failure of
    /// the row, so that it is seen when there are too many.
    pub(crate) async fn handle(&self, row: &Leased) {
        let done = if row.channel == "event" {
            self.unfold(row).await
        } else {
            self.deliver(row).await
        };
        match done {
            Ok(name) => self.tally.tried(&row.channel, &row.kind, name),
            Err(error) => {
                self.tally.tried(&row.channel, &row.kind, "broken");
                tracing::warn!(
                    channel = row.channel,
                    kind = row.kind,
                    row = %row.id,
                    %error,
                    "a message is left for later"
                );
                if !store::is_away(&error) {
                    self.failed(row, &error).await;
                }
            }
        }
    }

    /// Counts a failure that is ours. The error itself could tell what the row says.
    async fn failed(&self, row: &Leased, error: &sqlx::Error) {
        let code = error.as_database_error().and_then(DatabaseError::code);
        let outcome = Outcome::Later {
            reason: format!("broken here: {}", code.as_deref().unwrap_or("no answer")),
            wait: None,
        };
        if let Err(error) = self.settle(row, &outcome).await {
            tracing::warn!(row = %row.id, %error, "a failure is not written down");
        }
    }

    /// Turns an event into messages.
    async fn unfold(&self, row: &Leased) -> sqlx::Result<&'static str> {
        let now = self.clock.now();
        let mut transaction = outbox::begin(&self.pool).await?;
        event::plan(&mut transaction, row, &self.random, self.sms.is_some(), now).await?;
        let outcome = Outcome::Sent { provider_id: None };
        let settled = self.settled(row, &outcome, now);
        if !outbox::settle(&mut transaction, row.id, self.owner, settled).await? {
            // Somebody else has it, and has planned the same.
            return Ok("lost");
        }
        transaction.commit().await?;
        Ok(outcome::name(&outcome))
    }

    async fn deliver(&self, row: &Leased) -> sqlx::Result<&'static str> {
        let outcome = match self.prepare(row).await? {
            Prepared::NotYet(until) => Outcome::Postponed(until),
            Prepared::Pointless(why) => Outcome::Dropped(why.to_owned()),
            Prepared::Broken(why) => Outcome::Refused(why.to_owned()),
            Prepared::Ready(parcel) => match self.known(row).await {
                Some(outcome) => outcome,
                None if self.begin(row).await? => self.send(row, &parcel).await,
                None => return Ok("lost"),
            },
        };
        self.settle(row, &outcome).await
    }

    /// Where nobody knows whether a row was sent, whoever may know is asked; none where it
    /// was not sent, or where nobody can be asked and it is to be repeated under its key.
    pub(crate) async fn known(&self, row: &Leased) -> Option<Outcome> {
        let (true, "sms", Some(vendor)) = (row.state == "unknown", row.channel.as_str(), &self.sms)
        else {
            return None;
        };
        match vendor.find(&row.dedupe_key).await {
            Found::Taken { provider_id } => Some(Outcome::Sent { provider_id }),
            Found::Unclear(why) => Some(Outcome::Unknown(why)),
            Found::Never => None,
        }
    }

    /// Looks at the present.
    pub(crate) async fn prepare(&self, row: &Leased) -> sqlx::Result<Prepared> {
        let wrapping = Wrapping {
            pool: &self.pool,
            links: &self.links,
            public_url: &self.public_url,
            from: self.mail.from(),
            now: self.clock.now(),
            has_sms: self.sms.is_some(),
        };
        wrapping.prepare(row).await
    }

    /// Says that the send begins. `false` where the lease is too short for it or lost.
    pub(crate) async fn begin(&self, row: &Leased) -> sqlx::Result<bool> {
        let end = self.clock.now().saturating_add(LEASE_LEFT);
        let end = end.unwrap_or(Timestamp::MAX);
        let mut transaction = outbox::begin(&self.pool).await?;
        let is_ours = outbox::mark_sending(&mut transaction, row.id, self.owner, end).await?;
        transaction.commit().await?;
        Ok(is_ours)
    }

    pub(crate) async fn send(&self, row: &Leased, parcel: &Parcel) -> Outcome {
        let sending = async {
            match parcel {
                Parcel::Letter(letter) => {
                    let now = self.clock.now();
                    self.mail.send(&row.dedupe_key, letter, now).await
                }
                Parcel::Sms(sms) => match &self.sms {
                    Some(vendor) => vendor.send(&row.dedupe_key, sms).await,
                    None => Outcome::Refused("no vendor of text messages is set up".to_owned()),
                },
                Parcel::Call(call) => webhook::send(&self.webhooks, call, self.clock.now()).await,
            }
        };
        match tokio::time::timeout(SEND_WITHIN, sending).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Unknown("no answer in time".to_owned()),
        }
    }

    /// Writes down what came of a row.
    pub(crate) async fn settle(
        &self,
        row: &Leased,
        outcome: &Outcome,
    ) -> sqlx::Result<&'static str> {
        let now = self.clock.now();
        let settled = self.settled(row, outcome, now);
        let mut transaction = outbox::begin(&self.pool).await?;
        if !outbox::settle(&mut transaction, row.id, self.owner, settled).await? {
            tracing::warn!(row = %row.id, kind = row.kind, "a lease ran out while sending");
            return Ok("lost");
        }
        if settled.state == "dead" {
            tracing::warn!(row = %row.id, kind = row.kind, channel = row.channel, "a message is given up");
            let reason = settled.reason.unwrap_or_default();
            self.alarm(&mut transaction, row, reason, now).await?;
        }
        transaction.commit().await?;
        Ok(if settled.state == "dead" {
            "dead"
        } else {
            outcome::name(outcome)
        })
    }

    fn settled<'a>(&self, row: &Leased, outcome: &'a Outcome, now: Timestamp) -> Settled<'a> {
        let patience = Patience::of(&row.channel);
        let settled = outcome::settled(outcome, patience, row.attempts, &self.random, now);
        match outcome {
            // What may have been sent is asked about first, whenever its time comes.
            Outcome::Postponed(_) if row.state == "unknown" => Settled {
                state: "unknown",
                ..settled
            },
            _ => settled,
        }
    }

    /// Tells the business that a customer could not be told.
    async fn alarm(
        &self,
        connection: &mut PgConnection,
        row: &Leased,
        reason: &str,
        now: Timestamp,
    ) -> sqlx::Result<()> {
        let (Some(business), Some(booking)) = (row.business, row.booking) else {
            return Ok(());
        };
        if !matches!(row.channel.as_str(), "email" | "sms") || row.kind == "alarm" {
            return Ok(());
        }
        store::scope(connection, business).await?;
        let Some(to) = appointment::mailbox(connection).await? else {
            return Ok(());
        };
        let new = NewMessage {
            id: self.random.uuid(now),
            business: Some(business),
            dedupe_key: &format!("{}:alarm", row.dedupe_key),
            channel: "email",
            kind: "alarm",
            booking: Some(booking),
            booking_version: None,
            starts_at: None,
            recipient: Some(&to),
            content: &format!("{}\n{reason}", row.kind),
            send_after: now,
            expires_at: None,
        };
        outbox::plan(connection, &new).await?;
        Ok(())
    }
}
