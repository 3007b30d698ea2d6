//! Turns what happened to a booking into the messages about it. One transaction: either
//! all of them are planned and the event is done, or nothing is.

use booking::{QuietHours, State, reminder};
use chassis::Random;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::letter::About;
use crate::store::appointment::{self, Appointment, Settings};
use crate::store::outbox::{self, Leased, NewMessage};
use crate::store::{self, instant, webhook};

/// News that is older than this is none.
const NEWS_FOR: SignedDuration = SignedDuration::from_hours(72);

/// Plans the messages that follow from `event`, which the caller has leased.
pub(crate) async fn plan(
    connection: &mut PgConnection,
    event: &Leased,
    random: &Random,
    has_sms: bool,
    now: Timestamp,
) -> sqlx::Result<()> {
    let (Some(business), Some(booking)) = (event.business, event.booking) else {
        return Ok(());
    };
    store::scope(connection, business).await?;
    let Some(appointment) = appointment::by_id(connection, booking).await? else {
        return Ok(());
    };
    let version = event.booking_version.unwrap_or(appointment.version);
    let settings = appointment::settings(connection).await?;
    let planner = Planner {
        business,
        appointment: &appointment,
        settings: &settings,
        version,
        random,
        has_sms,
        now,
    };
    planner.calls(connection, event).await?;
    // What happened later says it all; two mails about one booking at once say less.
    if outbox::has_later_event(connection, booking, version).await? {
        return Ok(());
    }
    outbox::forget_older(connection, booking, version).await?;
    planner.news(connection, event).await?;
    planner.reminders(connection).await
}

struct Planner<'a> {
    business: Uuid,
    appointment: &'a Appointment,
    settings: &'a Settings,
    version: i32,
    random: &'a Random,
    has_sms: bool,
    now: Timestamp,
}

impl Planner<'_> {
    fn is_expected(&self) -> bool {
        State::parse(&self.appointment.state) == Some(State::Confirmed)
    }

    /// Tells the programs that the business has set up. They get every event, in the words
    /// of a program: which booking, how it is now and which version that is, and nothing
    /// about a person.
    async fn calls(&self, connection: &mut PgConnection, event: &Leased) -> sqlx::Result<()> {
        let appointment = self.appointment;
        let body = json!({
            "id": event.id,
            "type": format!("booking.{}", event.kind),
            "timestamp": self.now.to_string(),
            "data": {
                "booking": appointment.id,
                "version": appointment.version,
                "state": appointment.state,
                "start": instant(appointment.starts_at).to_string(),
                "end": instant(appointment.ends_at).to_string(),
                "time_zone": appointment.zone,
            },
        })
        .to_string();
        for webhook in webhook::active(connection, &event.kind).await? {
            let new = NewMessage {
                id: self.random.uuid(self.now),
                business: Some(self.business),
                dedupe_key: &format!("{}.{webhook}", event.id),
                channel: "webhook",
                kind: &event.kind,
                booking: Some(appointment.id),
                booking_version: Some(appointment.version),
                starts_at: None,
                recipient: Some(&webhook.to_string()),
                content: &body,
                send_after: self.now,
                expires_at: None,
            };
            outbox::plan(connection, &new).await?;
        }
        Ok(())
    }

    /// Tells the customer what happened.
    async fn news(&self, connection: &mut PgConnection, event: &Leased) -> sqlx::Result<()> {
        let is_news = matches!(
            About::parse(&event.kind),
            Some(About::Confirmed | About::Moved | About::Cancelled)
        );
        // What was called off with another one is told of there.
        let is_told = self.appointment.called_off_with;
        let is_told = is_told.is_some_and(|first| first != self.appointment.id);
        if !is_news || is_told || self.appointment.email.is_empty() {
            return Ok(());
        }
        let end = instant(self.appointment.ends_at);
        let stale = self.now.saturating_add(NEWS_FOR).unwrap_or(Timestamp::MAX);
        // Who was too late to be told of an appointment need not be told any more.
        let expires_at = if self.is_expected() {
            end.min(stale)
        } else {
            stale
        };
        self.write(connection, "email", &event.kind, self.now, expires_at)
            .await
    }

    /// Plans to remind the customer, where there is time for it.
    async fn reminders(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if !self.is_expected() {
            return Ok(());
        }
        let start = instant(self.appointment.starts_at);
        let zone = TimeZone::get(&self.appointment.zone).unwrap_or(TimeZone::UTC);
        let quiet = QuietHours {
            from: self.settings.quiet_from,
            until: self.settings.quiet_until,
        };
        let email = self.settings.reminder_email_minutes;
        let email = email.filter(|_| !self.appointment.email.is_empty());
        let sms = self.settings.reminder_sms_minutes;
        let sms = sms.filter(|_| self.has_sms && self.appointment.phone.is_some());
        for (channel, minutes) in [("email", email), ("sms", sms)] {
            let lead = minutes.map(|minutes| SignedDuration::from_mins(i64::from(minutes)));
            let at = lead.and_then(|lead| reminder(start, lead, quiet, &zone, self.now));
            if let Some(at) = at {
                self.write(connection, channel, "reminder", at, start)
                    .await?;
            }
        }
        Ok(())
    }

    async fn write(
        &self,
        connection: &mut PgConnection,
        channel: &str,
        kind: &str,
        send_after: Timestamp,
        expires_at: Timestamp,
    ) -> sqlx::Result<()> {
        let key = format!("{}:{}:{kind}:{channel}", self.appointment.id, self.version);
        let new = NewMessage {
            id: self.random.uuid(self.now),
            business: Some(self.business),
            dedupe_key: &key,
            channel,
            kind,
            booking: Some(self.appointment.id),
            booking_version: Some(self.version),
            starts_at: Some(instant(self.appointment.starts_at)),
            recipient: None,
            content: "",
            send_after,
            expires_at: Some(expires_at),
        };
        outbox::plan(connection, &new).await?;
        Ok(())
    }
}
