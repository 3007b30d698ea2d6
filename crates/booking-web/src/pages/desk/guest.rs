//! For whom the desk books: somebody who is found, or somebody new, who may have neither an
//! address nor a number.

use booking::Right;
use serde::Deserialize;
use uuid::Uuid;

use super::Desk;
use super::customers::digits;
use crate::appointments::Guest;
use crate::error::Fault;
use crate::intake::{self, Problem};
use crate::store;
use crate::store::customer::Found;

/// So many of those who are found are shown.
const FOUND_MAX: usize = 8;

/// Who comes, as it is shown and sent.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct GuestForm {
    /// What is looked for among the customers.
    #[serde(default)]
    pub(super) q: String,
    /// The id of a customer; nothing for somebody new.
    #[serde(default)]
    pub(super) guest: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) phone: String,
    #[serde(default)]
    pub(super) email: String,
    #[serde(default)]
    pub(super) note: String,
    /// `yes` where they were told what their details are used for.
    #[serde(default)]
    pub(super) told: String,
}

/// Those who can be chosen.
pub(super) struct Guests {
    /// Whether one may look customers up.
    pub(super) may_search: bool,
    /// Whether something was looked for.
    pub(super) is_searched: bool,
    pub(super) found: Vec<Found>,
}

impl Guests {
    pub(super) async fn read(desk: &Desk, form: &GuestForm) -> Result<Self, Fault> {
        let text = form.q.trim();
        let mut guests = Self {
            may_search: desk.may(Right::KeepCustomers),
            is_searched: !text.is_empty(),
            found: Vec::new(),
        };
        if guests.may_search && guests.is_searched {
            let mut transaction = desk.begin().await?;
            let digits = digits(text);
            guests.found =
                store::customer::search(&mut transaction, text, digits.as_deref()).await?;
            guests.found.truncate(FOUND_MAX);
            let shown = guests.found.iter().map(|found| Some(found.id));
            desk.saw(&mut transaction, shown).await?;
            transaction.commit().await?;
        }
        Ok(guests)
    }
}

/// Who comes, after it was checked.
#[derive(Debug)]
pub(super) struct CheckedGuest {
    known: Option<Uuid>,
    name: String,
    phone: Option<String>,
    email: Option<String>,
    pub(super) note: Option<String>,
    pub(super) told: bool,
}

impl CheckedGuest {
    pub(super) fn guest(&self) -> Guest<'_> {
        match self.known {
            Some(id) => Guest::Known(id),
            None => Guest::New {
                name: &self.name,
                email: self.email.as_deref(),
                phone: self.phone.as_deref(),
            },
        }
    }
}

impl GuestForm {
    pub(super) fn is_chosen(&self, id: &Uuid) -> bool {
        self.guest.parse() == Ok(*id)
    }

    pub(super) fn is_told(&self) -> bool {
        self.told == "yes"
    }

    pub(super) fn is_new(&self) -> bool {
        self.guest.is_empty()
    }

    /// Checks all fields, or names every one that needs another value.
    pub(super) fn check(&self, desk: &Desk) -> Result<CheckedGuest, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut keep = |field, detail| problems.push(Problem { field, detail });
        let known = self
            .guest
            .parse()
            .ok()
            .filter(|_| desk.may(Right::KeepCustomers));
        let mut checked = CheckedGuest {
            known,
            name: String::new(),
            phone: None,
            email: None,
            note: None,
            told: self.is_told(),
        };
        if known.is_none() {
            match intake::name(&self.name) {
                Ok(name) => checked.name = name,
                Err(detail) => keep("name", detail),
            }
            match intake::phone(&self.phone) {
                Ok(phone) => checked.phone = phone,
                Err(detail) => keep("phone", detail),
            }
            if !self.email.trim().is_empty() {
                match intake::email(&self.email) {
                    Ok(email) => checked.email = Some(email),
                    Err(detail) => keep("email", detail),
                }
            }
        }
        match intake::note(&self.note) {
            Ok(note) => checked.note = note,
            Err(detail) => keep("note", detail),
        }
        if problems.is_empty() {
            Ok(checked)
        } else {
            Err(problems)
        }
    }
}
