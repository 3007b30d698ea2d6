//! The pages that people see: plain HTML that works without scripts, rendered from
//! the files in `templates/`. A page shows expected refusals itself; faults go to
//! [`crate::error`].

pub(crate) mod account;
#[cfg(test)]
#[path = "pages/tests/accounts.rs"]
mod accounts_gallery;
pub(crate) mod ask;
pub(crate) mod booking;
pub(crate) mod business;
pub(crate) mod cancel;
pub(crate) mod copy;
pub(crate) mod desk;
pub(crate) mod details;
pub(crate) mod embed;
pub(crate) mod fault;
mod form;
#[cfg(test)]
#[path = "pages/tests/gallery.rs"]
mod gallery;
pub(crate) mod guide;
pub(crate) mod hold;
pub(crate) mod home;
pub(crate) mod incidents;
mod kept;
pub(crate) mod marketing;
pub(crate) mod members;
pub(crate) mod month;
pub(crate) mod office;
pub(crate) mod passkeys;
mod picture;
pub(crate) mod places;
pub(crate) mod privacy;
#[cfg(test)]
#[path = "pages/tests/privacy.rs"]
mod privacy_gallery;
pub(crate) mod repeat;
pub(crate) mod reschedule;
pub(crate) mod reset;
pub(crate) mod second_step;
pub(crate) mod sign_in;
pub(crate) mod start;
pub(crate) mod times;
pub(crate) mod unsubscribe;
pub(crate) mod week;
mod whom;
pub(crate) mod words;

use askama::Template;
use axum::response::{Html, IntoResponse as _, Response};

use crate::app::App;
use crate::assets;
use crate::desk::{Booking, Business, Location, Service};
use crate::error::Fault;
use crate::language::{Language, Text, Wanted};
use crate::pages::words::When;

/// What the frame of every page shows.
pub(crate) struct Site<'a> {
    /// In which its words are.
    pub(crate) language: Language,
    wanted: Wanted,
    stylesheet: String,
    icon: String,
    countdown: String,
    passkey: String,
    password: String,
    release: &'a str,
}

impl<'a> Site<'a> {
    /// The frame in the language that the visitor wants.
    pub(crate) fn of(app: &'a App, wanted: Wanted) -> Self {
        Self {
            language: wanted.language(),
            wanted,
            stylesheet: assets::stylesheet(),
            icon: assets::icon(),
            countdown: assets::countdown(),
            passkey: assets::passkey(),
            password: assets::password(),
            release: &app.release,
        }
    }

    /// The message of that key in the page's language.
    pub(crate) fn text(&self, key: &'static str) -> Text {
        self.language.text(key)
    }

    /// The languages to choose from, each with this page's address in it.
    fn languages(&self) -> Vec<(Language, String)> {
        let address = |language| (language, self.wanted.address_in(language));
        Language::ALL.map(address).to_vec()
    }
}

/// A business in words.
pub(crate) struct BusinessWords {
    slug: String,
    name: String,
    monogram: String,
    about: Option<String>,
    zone_name: String,
    is_listed: bool,
}

impl BusinessWords {
    fn of(language: Language, business: &Business) -> Self {
        Self {
            slug: business.slug.clone(),
            name: business.name.clone(),
            monogram: words::monogram(&business.name),
            about: business.about.clone(),
            zone_name: words::zone_name(language, &business.zone_id),
            is_listed: business.is_listed,
        }
    }
}

/// A service in words.
pub(crate) struct ServiceWords {
    slug: String,
    name: String,
    about: Option<String>,
    duration: String,
    price: String,
}

impl ServiceWords {
    fn of(language: Language, service: &Service) -> Self {
        Self {
            slug: service.slug.clone(),
            name: service.name.clone(),
            about: service.about.clone(),
            duration: words::duration(language, service.duration_minutes),
            price: words::price(language, service.price_cents, &service.currency),
        }
    }
}

/// Where a business is, in words.
pub(crate) struct LocationWords {
    name: String,
    address: String,
}

impl LocationWords {
    fn of(location: &Location) -> Self {
        Self {
            name: location.name.clone(),
            address: location.address.clone(),
        }
    }
}

/// A booking in words.
pub(crate) struct BookingWords {
    business: String,
    business_slug: String,
    service: String,
    service_slug: String,
    staff: Option<String>,
    place: Option<String>,
    price: String,
    zone_name: String,
    when: When,
}

impl BookingWords {
    fn of(language: Language, booking: &Booking) -> Self {
        Self {
            business: booking.business.clone(),
            business_slug: booking.business_slug.clone(),
            service: booking.service.clone(),
            service_slug: booking.service_slug.clone(),
            staff: booking.staff.clone(),
            place: booking.place.clone(),
            price: words::price(language, booking.price_cents, &booking.currency),
            zone_name: words::zone_name(language, &booking.zone_id),
            when: When::of(language, booking.start, booking.end, &booking.zone),
        }
    }
}

fn render(page: &impl Template) -> Result<Response, Fault> {
    let html = page
        .render()
        .map_err(|error| Fault::Broken(anyhow::Error::new(error).context("rendering a page")))?;
    Ok(Html(html).into_response())
}
