//! Holds, in the words of the domain.

use booking::State;
use jiff::Timestamp;

use crate::app::App;
use crate::appointments::{Answer, Choice, Confirmation, Extension, Holding};
use crate::crew::Who;
use crate::desk::{Booked, Booking, Offer};
use crate::error::Fault;
use crate::intake::Checked;
use crate::language::Language;
use crate::openings::Nearest;

/// What becomes of the choice of a time.
pub(crate) enum Chosen {
    /// It is held under this secret address.
    Held(String),
    /// The nearest free times instead.
    Gone(Nearest),
    /// Too many are held; the time can still be booked without being held.
    TooMany,
    KeyReused,
}

/// What a visitor holds of a service.
pub(crate) struct HeldTime {
    pub(crate) token: String,
    pub(crate) start: Timestamp,
    pub(crate) until: Timestamp,
}

impl Booking {
    /// Until when the time is held; none where it is no hold, or has run out.
    pub(crate) fn held_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.hold_until
            .filter(|until| self.state == State::Held && *until > now)
    }

    /// The name of the one who gives it, where they were asked for.
    pub(crate) fn chosen_staff(&self) -> Option<String> {
        self.staff.clone().filter(|_| self.who != Who::Anyone)
    }

    /// Whether it still waits for somebody to say who they are.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Held | State::Expired)
    }
}

impl App {
    pub(crate) async fn hold(&self, offer: &Offer, choice: Choice<'_>) -> Result<Chosen, Fault> {
        let now = self.clock.now();
        let holding = self.appointments.hold(offer.offered(), choice, now).await?;
        Ok(match holding {
            Holding::Kept { token } => Chosen::Held(token),
            Holding::Gone => {
                self.metrics.conflicts.inc();
                Chosen::Gone(self.nearest(offer, choice.who, choice.start, None).await?)
            }
            Holding::TooMany => Chosen::TooMany,
            Holding::KeyReused => Chosen::KeyReused,
        })
    }

    pub(crate) async fn confirm(
        &self,
        token: &str,
        checked: &Checked,
        language: Option<Language>,
        key: Option<&str>,
    ) -> Result<Booked, Fault> {
        let now = self.clock.now();
        let person = checked.person(language);
        let confirmation = self.appointments.confirm(token, person, key, now).await?;
        let answer = match confirmation {
            Confirmation::Answer(answer) => answer,
            Confirmation::Ended => return Err(Fault::Refused("the booking was cancelled before")),
            Confirmation::Unknown => return Err(Fault::NotFound),
        };
        Ok(match answer {
            Answer::Made { token, booking } => self.made(token, *booking)?,
            Answer::MadeBefore { token } => self.made_before(token).await?,
            Answer::Gone => {
                self.metrics.conflicts.inc();
                let held = self.booking(token).await?;
                let offer = self.offer_of(token).await?;
                let nearest = self.nearest(&offer, held.who, checked.start, None);
                Booked::Gone(nearest.await?)
            }
            Answer::KeyReused => Booked::KeyReused,
        })
    }

    /// Keeps a held time for longer, once; gives until when it is held.
    pub(crate) async fn extend(&self, token: &str) -> Result<Timestamp, Fault> {
        match self.appointments.extend(token, self.clock.now()).await? {
            Extension::Until(until) => Ok(until),
            Extension::Over => Err(Fault::Refused("the time is no longer held")),
            Extension::Unknown => Err(Fault::NotFound),
        }
    }

    /// What this visitor holds of a service.
    pub(crate) async fn held_by(
        &self,
        offer: &Offer,
        visit: &[u8; 32],
    ) -> Result<Option<HeldTime>, Fault> {
        let (business, service) = (offer.business.id, offer.service.row.id);
        let now = self.clock.now();
        let held = self
            .appointments
            .held_by(business, service, visit, now)
            .await?;
        Ok(held.map(|(token, start, until)| HeldTime {
            token,
            start,
            until,
        }))
    }

    /// What the booking behind a secret address is a booking of.
    pub(crate) async fn offer_of(&self, token: &str) -> Result<Offer, Fault> {
        let booking = self.booking(token).await?;
        Offer::of(self, &booking).await
    }
}
