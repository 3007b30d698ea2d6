//! Makes of a row what is to be sent just now: everything is read again, so that nobody is
//! told what is no longer so.

use booking::{QuietHours, State};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::letter::{self, About, AccountContent, Desk, Letter};
use super::sms::Sms;
use super::webhook::Call;
use crate::links::{self, Links, Reminders};
use crate::store::outbox::Leased;
use crate::store::{self, appointment, instant, webhook};

/// What is to be sent.
#[derive(Debug)]
pub(crate) enum Parcel {
    Letter(Box<Letter>),
    Sms(Sms),
    Call(Call),
}

/// What a look at the present says about a row.
#[derive(Debug)]
pub(crate) enum Prepared {
    Ready(Parcel),
    /// Nobody is to be disturbed before then.
    NotYet(Timestamp),
    /// There is no point in sending it, and why.
    Pointless(&'static str),
    /// It can never be sent, and why.
    Broken(&'static str),
}

/// What parcels are made with.
pub(crate) struct Wrapping<'a> {
    pub(crate) pool: &'a PgPool,
    pub(crate) links: &'a Links,
    pub(crate) public_url: &'a str,
    pub(crate) from: &'a str,
    pub(crate) now: Timestamp,
    /// Whether text messages can be sent at all.
    pub(crate) has_sms: bool,
}

impl Wrapping<'_> {
    /// Looks at the present and makes the parcel.
    pub(crate) async fn prepare(&self, row: &Leased) -> sqlx::Result<Prepared> {
        if row.expires_at.is_some_and(|at| instant(at) <= self.now) {
            return Ok(Prepared::Pointless("it came too late"));
        }
        if row.kind.starts_with("account.") || row.kind.starts_with("privacy.") {
            return Ok(self.account(row));
        }
        let Some(business) = row.business else {
            return Ok(Prepared::Broken("it belongs to no business"));
        };
        let mut transaction = store::begin(self.pool, business).await?;
        if row.channel == "webhook" {
            return call(&mut transaction, row, self.now).await;
        }
        let Some(booking) = row.booking else {
            return Ok(Prepared::Broken("it belongs to no booking"));
        };
        let found = appointment::by_id(&mut transaction, booking).await?;
        let settings = appointment::settings(&mut transaction).await?;
        let Some(found) = found else {
            return Ok(Prepared::Pointless("the booking is gone"));
        };
        let together = appointment::called_off_together(&mut transaction, found.id).await?;
        let desk = Desk {
            appointment: &found,
            together: &together,
            settings: &settings,
            business,
            links: self.links,
            public_url: self.public_url,
            from: self.from,
            now: self.now,
            has_sms: self.has_sms,
        };
        if row.kind == "alarm" {
            return Ok(alarm(row, &desk));
        }
        let Some(about) = About::parse(&row.kind) else {
            return Ok(Prepared::Broken("its kind is not known"));
        };
        if let Some(why) = why_not(row, &desk, about) {
            return Ok(Prepared::Pointless(why));
        }
        if about == About::Reminder && self.is_unwanted(&mut transaction, row, &desk).await? {
            return Ok(Prepared::Pointless("the customer wants no reminders"));
        }
        if about == About::Reminder
            && let Some(end) = quiet_until(&desk)
        {
            return Ok(if end < instant(found.starts_at) {
                Prepared::NotYet(end)
            } else {
                Prepared::Pointless("it is quiet until the appointment")
            });
        }
        transaction.rollback().await?;
        if row.channel == "email" {
            return Ok(Prepared::Ready(Parcel::Letter(Box::new(
                desk.letter(about),
            ))));
        }
        Ok(match desk.text_message() {
            Some(sms) => Prepared::Ready(Parcel::Sms(sms)),
            None => Prepared::Pointless("there is no number any more"),
        })
    }

    /// Whether whoever would be reminded does not want to be.
    async fn is_unwanted(
        &self,
        connection: &mut PgConnection,
        row: &Leased,
        desk: &Desk<'_>,
    ) -> sqlx::Result<bool> {
        let appointment = desk.appointment;
        let (reminders, address) = if row.channel == "sms" {
            (
                Reminders::Sms,
                appointment.phone.as_deref().unwrap_or_default(),
            )
        } else {
            (Reminders::Email, appointment.email.as_str())
        };
        let hash = links::suppressed(desk.business, reminders, address);
        appointment::is_suppressed(connection, reminders.channel(), &hash).await
    }

    fn account(&self, row: &Leased) -> Prepared {
        let content = serde_json::from_str::<AccountContent>(&row.content);
        let (Ok(content), Some(to)) = (content, &row.recipient) else {
            return Prepared::Broken("it does not say what to write");
        };
        match letter::account(&row.kind, to, &content, self.public_url) {
            Some(letter) => Prepared::Ready(Parcel::Letter(Box::new(letter))),
            None => Prepared::Broken("its kind is not known"),
        }
    }
}

/// When nobody minds to be reminded again, where it is a quiet hour now.
fn quiet_until(desk: &Desk<'_>) -> Option<Timestamp> {
    let quiet = QuietHours {
        from: desk.settings.quiet_from,
        until: desk.settings.quiet_until,
    };
    let zone = TimeZone::get(&desk.appointment.zone).unwrap_or(TimeZone::UTC);
    quiet.ends(desk.now, &zone)
}

fn alarm(row: &Leased, desk: &Desk<'_>) -> Prepared {
    let Some(to) = &row.recipient else {
        return Prepared::Broken("it does not say to whom");
    };
    let (kind, reason) = row.content.split_once('\n').unwrap_or((&row.content, ""));
    let letter = desk.alarm(to, kind, reason);
    Prepared::Ready(Parcel::Letter(Box::new(letter)))
}

/// Why a message to the customer makes no sense any more.
fn why_not(row: &Leased, desk: &Desk<'_>, about: About) -> Option<&'static str> {
    let appointment = desk.appointment;
    let state = State::parse(&appointment.state);
    let is_so = match about {
        About::Cancelled => state.is_some_and(State::is_cancelled),
        About::Confirmed | About::Moved | About::Reminder => state == Some(State::Confirmed),
    };
    if !is_so {
        return Some("the booking is in another state by now");
    }
    if row.starts_at.is_some_and(|at| at != appointment.starts_at) {
        return Some("the booking has another time by now");
    }
    let has_begun = instant(appointment.starts_at) <= desk.now;
    (about == About::Reminder && has_begun).then_some("the appointment has begun")
}

/// The call of a webhook that is still wanted.
async fn call(
    connection: &mut PgConnection,
    row: &Leased,
    now: Timestamp,
) -> sqlx::Result<Prepared> {
    let id = row
        .recipient
        .as_deref()
        .and_then(|id| id.parse::<Uuid>().ok());
    let Some(id) = id else {
        return Ok(Prepared::Broken("it does not say to whom"));
    };
    let Some(webhook) = webhook::by_id(connection, id, now).await? else {
        return Ok(Prepared::Pointless("the webhook is gone"));
    };
    Ok(Prepared::Ready(Parcel::Call(Call {
        url: webhook.url,
        secret: webhook.secret,
        old_secret: webhook.old_secret,
        id: row.dedupe_key.clone(),
        body: row.content.clone(),
    })))
}
