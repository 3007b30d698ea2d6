//! What a mail says, in plain words, before it is put into text and HTML. Pure.

use askama::Template;
use booking::State;
use jiff::ZonedDateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::sms::{self, Sms};
use crate::calendar::{self, Entry, Method, Parties};
use crate::language::{Language, Text as Words};
use crate::links::{Links, Reminders, Subscriber};
use crate::pages::words::{self, When};
use crate::store::appointment::{Appointment, Settings, Time};
use crate::store::instant;

/// One mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) to_name: String,
    pub(crate) to: String,
    /// The name before the address that it is sent from.
    pub(crate) sender: String,
    pub(crate) reply_to: Option<String>,
    pub(crate) language: Language,
    pub(crate) subject: String,
    pub(crate) heading: String,
    pub(crate) lead: String,
    pub(crate) facts: Vec<Fact>,
    pub(crate) action: Option<Action>,
    pub(crate) closing: Vec<String>,
    pub(crate) unsubscribe: Option<String>,
    pub(crate) no_text_messages: Option<String>,
    pub(crate) calendars: Vec<Attachment>,
}

/// One line of what was agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Where the reader can do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) label: String,
    pub(crate) url: String,
}

/// The calendar's file beside the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) method: &'static str,
    pub(crate) text: String,
}

#[derive(Template)]
#[template(path = "mail/letter.txt")]
struct Text<'a> {
    letter: &'a Letter,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    letter: &'a Letter,
}

impl Letter {
    /// The words as plain text and as HTML.
    pub(crate) fn render(&self) -> askama::Result<(String, String)> {
        Ok((
            Text { letter: self }.render()?,
            Html { letter: self }.render()?,
        ))
    }
}

/// What a letter about a booking is written from.
pub(crate) struct Desk<'a> {
    pub(crate) appointment: &'a Appointment,
    /// The visits that were called off with it, where that was more than one.
    pub(crate) together: &'a [Time],
    pub(crate) settings: &'a Settings,
    pub(crate) business: uuid::Uuid,
    pub(crate) links: &'a Links,
    /// Where visitors reach the application, without a slash at the end.
    pub(crate) public_url: &'a str,
    /// The address that mail is sent from.
    pub(crate) from: &'a str,
    pub(crate) now: jiff::Timestamp,
    /// Whether text messages can be sent at all.
    pub(crate) has_sms: bool,
}

/// What a letter to a customer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    Confirmed,
    Moved,
    Cancelled,
    Reminder,
}

impl About {
    pub(crate) fn parse(kind: &str) -> Option<Self> {
        Some(match kind {
            "confirmed" => Self::Confirmed,
            "moved" => Self::Moved,
            "cancelled" => Self::Cancelled,
            "reminder" => Self::Reminder,
            _ => return None,
        })
    }
}

impl Desk<'_> {
    fn language(&self) -> Language {
        Language::of_tag(&self.appointment.locale).unwrap_or_default()
    }

    fn service(&self) -> String {
        if self.settings.hides_service {
            self.language().text("mail-appointment").to_string()
        } else {
            self.appointment.service.clone()
        }
    }

    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.appointment.zone).unwrap_or(TimeZone::UTC)
    }

    fn when(&self, language: Language) -> When {
        when(language, self.time(), &self.zone())
    }

    /// When the booking itself is.
    fn time(&self) -> Time {
        let appointment = self.appointment;
        Time {
            id: appointment.id,
            version: appointment.version,
            starts_at: appointment.starts_at,
            ends_at: appointment.ends_at,
        }
    }

    /// When all are that the letter is about.
    fn times(&self) -> impl Iterator<Item = Time> {
        let alone = self.together.is_empty().then(|| self.time());
        self.together.iter().copied().chain(alone)
    }

    /// The zone of the customer, where their clock shows another time then than that of the
    /// place.
    fn own_zone(&self, time: Time) -> Option<TimeZone> {
        let own = TimeZone::get(self.appointment.customer_zone.as_deref()?).ok()?;
        let start = instant(time.starts_at);
        (own.to_datetime(start) != self.zone().to_datetime(start)).then_some(own)
    }

    /// "Wednesday 24 March 2027, 09:30"
    fn moment(&self, language: Language) -> String {
        let start = instant(self.appointment.starts_at);
        words::day_and_clock(language, &start.to_zoned_datetime(self.zone()))
    }

    /// Who the customer is written to by.
    fn sender(&self) -> String {
        let own = self.settings.sender.clone();
        own.unwrap_or_else(|| self.appointment.business.clone())
    }

    /// Writes to the customer.
    pub(crate) fn letter(&self, about: About) -> Letter {
        let appointment = self.appointment;
        let language = self.language();
        let (subject, heading, lede) = self.said(about, language);
        Letter {
            to_name: appointment.customer.clone(),
            to: appointment.email.clone(),
            sender: self.sender(),
            reply_to: self.settings.email.clone(),
            language,
            subject: subject.to_string(),
            heading: heading.to_string(),
            lead: lede.to_string(),
            facts: self.facts(language),
            action: Some(self.action(about, language)),
            closing: Vec::new(),
            unsubscribe: (about == About::Reminder).then(|| self.unsubscribe(Reminders::Email)),
            no_text_messages: self
                .has_text_messages(about)
                .then(|| self.unsubscribe(Reminders::Sms)),
            calendars: if about == About::Reminder {
                Vec::new()
            } else {
                self.times()
                    .map(|time| self.calendar(about, language, time))
                    .collect()
            },
        }
    }

    /// Subject, heading and first sentence.
    fn said(&self, about: About, language: Language) -> (Words, Words, Words) {
        let business = &self.appointment.business;
        let moment = self.moment(language);
        let When { on_day, clock, .. } = self.when(language);
        match about {
            About::Confirmed => (
                language
                    .text("mail-confirmed-subject")
                    .with("moment", moment)
                    .with("business", business),
                language.text("booked-title"),
                language
                    .text("booked-lede")
                    .with("business", business)
                    .with("day", on_day)
                    .with("clock", clock),
            ),
            About::Moved => (
                language
                    .text("mail-moved-subject")
                    .with("moment", moment)
                    .with("business", business),
                language.text("mail-moved-title"),
                language
                    .text("mail-moved-lede")
                    .with("business", business)
                    .with("day", on_day)
                    .with("clock", clock),
            ),
            About::Reminder => (
                language
                    .text("mail-reminder-subject")
                    .with("moment", moment)
                    .with("business", business),
                language.text("mail-reminder-title"),
                language
                    .text("booked-lede")
                    .with("business", business)
                    .with("day", on_day)
                    .with("clock", clock),
            ),
            About::Cancelled if !self.together.is_empty() => self.all_cancelled(language),
            About::Cancelled => (
                language
                    .text("mail-cancelled-subject")
                    .with("moment", moment)
                    .with("business", business),
                language.text("cancelled-title"),
                self.cancelled(language, &on_day, &clock),
            ),
        }
    }

    /// The same for all that were called off together.
    fn all_cancelled(&self, language: Language) -> (Words, Words, Words) {
        let (business, count) = (&self.appointment.business, self.together.len());
        let lede = if self.is_by_business() {
            language
                .text("mail-cancelled-all-by-business")
                .with("count", count)
                .with("business", business)
        } else {
            language
                .text("mail-cancelled-all-by-you")
                .with("count", count)
                .with("business", business)
        };
        (
            language
                .text("mail-cancelled-all-subject")
                .with("count", count)
                .with("business", business),
            language.text("cancelled-title"),
            lede,
        )
    }

    fn is_by_business(&self) -> bool {
        State::parse(&self.appointment.state) == Some(State::CancelledByBusiness)
    }

    fn cancelled(&self, language: Language, on_day: &str, clock: &str) -> Words {
        if self.is_by_business() {
            language
                .text("mail-cancelled-by-business")
                .with("business", &self.appointment.business)
                .with("day", on_day)
                .with("clock", clock)
        } else {
            language
                .text("mail-cancelled-by-you")
                .with("day", on_day)
                .with("clock", clock)
        }
    }

    /// "Wednesday 24 March 2027, 09:30 to 10:15 (South Africa Standard Time)"
    fn time_in_full(&self, language: Language) -> String {
        self.in_full(language, self.time())
    }

    fn in_full(&self, language: Language, time: Time) -> String {
        let when = when(language, time, &self.zone());
        let zone = words::zone_name(language, &self.appointment.zone);
        format!("{}, {} ({zone})", when.day, when.hours)
    }

    /// The same by the clock of the customer, where that shows another time.
    fn own_time_in_full(&self, language: Language, time: Time) -> Option<String> {
        let own = self.own_zone(time)?;
        let when = when(language, time, &own);
        let zone = words::zone_name(language, own.iana_name().unwrap_or_default());
        Some(format!("{}, {} ({zone})", when.day, when.hours))
    }

    fn facts(&self, language: Language) -> Vec<Fact> {
        let appointment = self.appointment;
        let place = format!("{}, {}", appointment.business, appointment.place);
        let mut facts = Vec::new();
        for time in self.times() {
            facts.push(fact(
                &language.text("fact-when"),
                self.in_full(language, time),
            ));
            let own = self.own_time_in_full(language, time);
            facts.extend(own.map(|own| fact(&language.text("fact-your-time"), own)));
        }
        facts.extend([
            fact(&language.text("fact-service"), self.service()),
            fact(&language.text("fact-with"), appointment.staff.clone()),
            fact(&language.text("fact-where"), place),
        ]);
        facts
    }

    fn action(&self, about: About, language: Language) -> Action {
        if about == About::Cancelled {
            let slug = &self.appointment.business_slug;
            return Action {
                label: language.text("cancelled-again").to_string(),
                url: format!("{}/{slug}", self.public_url),
            };
        }
        let token = self.links.booking(self.appointment.id);
        Action {
            label: language.text("mail-see").to_string(),
            url: format!("{}/b/{token}", self.public_url),
        }
    }

    /// Whether the letter should say how to get no text messages: there is no room in them.
    fn has_text_messages(&self, about: About) -> bool {
        self.has_sms
            && self.appointment.phone.is_some()
            && self.settings.reminder_sms_minutes.is_some()
            && about != About::Cancelled
    }

    /// The text message that reminds the customer; none where there is no number.
    pub(crate) fn text_message(&self) -> Option<Sms> {
        let to = self.appointment.phone.clone()?;
        let language = self.language();
        let start = instant(self.appointment.starts_at);
        let here = moment_short(language, &start.to_zoned_datetime(self.zone()));
        let own = self.own_zone(self.time());
        let own = own.map(|own| moment_short(language, &start.to_zoned_datetime(own)));
        let moment = own.map_or_else(|| here.clone(), |own| format!("{here} ({own})"));
        let token = self.links.booking(self.appointment.id);
        let url = format!("{}/b/{token}", self.public_url);
        let text = sms::fitted(&self.appointment.business, |business| {
            language
                .text("sms-reminder")
                .with("business", business)
                .with("moment", &moment)
                .with("url", &url)
                .to_string()
        });
        Some(Sms { to, text })
    }

    fn unsubscribe(&self, reminders: Reminders) -> String {
        let token = self.links.unsubscribe(Subscriber {
            business: self.business,
            customer: self.appointment.customer_id,
            reminders,
        });
        format!("{}/unsubscribe/{token}", self.public_url)
    }

    fn calendar(&self, about: About, language: Language, time: Time) -> Attachment {
        let appointment = self.appointment;
        let parties = Parties {
            organizer: &appointment.business,
            organizer_email: self.from,
            attendee: &appointment.customer,
            attendee_email: &appointment.email,
        };
        let method = if about == About::Cancelled {
            Method::Cancel(parties)
        } else {
            Method::Request(parties)
        };
        let text = calendar::file(&Entry {
            method,
            uid: &time.id.to_string(),
            sequence: time.version,
            made: self.now,
            start: instant(time.starts_at),
            end: instant(time.ends_at),
            summary: &format!("{}, {}", self.service(), appointment.business),
            place: &appointment.place,
            description: &self.in_full(language, time),
        });
        Attachment {
            method: method.name(),
            text,
        }
    }

    /// Tells the business that a customer could not be told.
    pub(crate) fn alarm(&self, to: &str, kind: &str, reason: &str) -> Letter {
        let appointment = self.appointment;
        let language = Language::of_tag(&appointment.business_locale).unwrap_or_default();
        let name = &appointment.customer;
        let subject = match About::parse(kind) {
            Some(About::Reminder) => language.text("mail-alarm-remind").with("name", name),
            _ => language.text("mail-alarm-write").with("name", name),
        };
        let mut facts = vec![fact(
            &language.text("fact-when"),
            self.time_in_full(language),
        )];
        let phone = appointment.phone.clone().into_iter();
        facts.extend(phone.map(|phone| fact(&language.text("details-phone"), phone)));
        facts.push(fact(&language.text("mail-why"), reason.to_owned()));
        let lede = language.text("mail-alarm-lede").with("name", name);
        Letter {
            to_name: appointment.business.clone(),
            facts,
            ..plain(language, to, &subject, &lede)
        }
    }
}

fn when(language: Language, time: Time, zone: &TimeZone) -> When {
    let (start, end) = (instant(time.starts_at), instant(time.ends_at));
    When::of(language, start, end, zone)
}

/// "Wed 24 March, 09:30 SAST"
fn moment_short(language: Language, at: &ZonedDateTime) -> String {
    let (day, clock) = (words::day_short(language, at.date()), words::clock(at));
    format!("{day}, {clock} {}", at.strftime("%Z"))
}

fn fact(name: &Words, value: String) -> Fact {
    Fact {
        name: name.to_string(),
        value,
    }
}

/// A letter of ours with nothing but a heading and a sentence.
fn plain(language: Language, to: &str, subject: &Words, lede: &Words) -> Letter {
    Letter {
        to_name: String::new(),
        to: to.to_owned(),
        sender: "Booking".to_owned(),
        reply_to: None,
        language,
        subject: subject.to_string(),
        heading: subject.to_string(),
        lead: lede.to_string(),
        facts: Vec::new(),
        action: None,
        closing: Vec::new(),
        unsubscribe: None,
        no_text_messages: None,
        calendars: Vec::new(),
    }
}

/// What a mail about an account says beyond its kind.
#[derive(Debug, Deserialize)]
pub(crate) struct AccountContent {
    /// How the reader is called; may be empty.
    #[serde(default)]
    pub(crate) name: String,
    /// The path with the secret, from the first slash on.
    pub(crate) path: String,
    /// Where somebody is invited to.
    #[serde(default)]
    pub(crate) business: String,
    /// The tag of the reader's language.
    #[serde(default)]
    pub(crate) language: String,
    /// What the business answers.
    #[serde(default)]
    pub(crate) outcome: String,
}

/// What is said of a factor that changed.
fn factor(language: Language, kind: &str) -> Option<[Words; 3]> {
    let of_codes = language.text("mail-codes-subject");
    let of_passkeys = language.text("mail-passkey-subject");
    let (subject, lede) = match kind {
        "account.codes-on" => (of_codes, language.text("mail-codes-on")),
        "account.codes-off" => (of_codes, language.text("mail-codes-off")),
        "account.passkey-on" => (of_passkeys, language.text("mail-passkey-on")),
        "account.passkey-off" => (of_passkeys, language.text("mail-passkey-off")),
        _ => return None,
    };
    Some([subject, lede, language.text("mail-codes-action")])
}

/// Writes to somebody about their account or their data; none for a kind that is not known.
pub(crate) fn account(
    kind: &str,
    to: &str,
    content: &AccountContent,
    public_url: &str,
) -> Option<Letter> {
    let language = Language::of_tag(&content.language).unwrap_or_default();
    let business = &content.business;
    let (subject, lede, label) = match kind {
        "account.reset" => (
            language.text("mail-reset-subject"),
            language.text("mail-reset-lede"),
            language.text("mail-reset-subject"),
        ),
        "account.confirm" => (
            language.text("mail-confirm-subject"),
            language.text("mail-confirm-lede"),
            language.text("mail-confirm-action"),
        ),
        "account.changed" => (
            language.text("mail-changed-subject"),
            language.text("mail-changed-lede"),
            language.text("mail-changed-action"),
        ),
        "account.invitation" => (
            language
                .text("mail-invitation-subject")
                .with("business", business),
            language
                .text("mail-invitation-lede")
                .with("business", business),
            language.text("mail-invitation-action"),
        ),
        "privacy.request" => (
            language
                .text("mail-privacy-subject")
                .with("business", business),
            language
                .text("mail-privacy-lede")
                .with("business", business),
            language.text("mail-privacy-action"),
        ),
        "privacy.outcome" => (
            language
                .text("mail-outcome-subject")
                .with("business", business),
            language
                .text("mail-outcome-lede")
                .with("business", business)
                .with("outcome", &content.outcome),
            language.text("privacy-link"),
        ),
        _ if kind.starts_with("privacy.warning.") => (
            language.text("mail-warning-subject"),
            language.text("mail-warning-lede"),
            language.text("mail-warning-action"),
        ),
        _ => factor(language, kind)?.into(),
    };
    Some(Letter {
        to_name: content.name.clone(),
        action: Some(Action {
            label: label.to_string(),
            url: format!("{public_url}{}", content.path),
        }),
        closing: vec![language.text("mail-leave").to_string()],
        ..plain(language, to, &subject, &lede)
    })
}
