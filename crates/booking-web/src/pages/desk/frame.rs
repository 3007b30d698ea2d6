//! What surrounds every page of the desk: where one can go, and what was done just before.

use booking::Right;

use super::Desk;
use crate::assets;
use crate::language::{Language, Text};
use crate::pages::words;

/// The parts of the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Here {
    Today,
    Calendar,
    Customers,
    Services,
    Staff,
    Rooms,
    Members,
    Settings,
    Messages,
    Programs,
    Privacy,
}

impl Here {
    const ALL: [Self; 11] = [
        Self::Today,
        Self::Calendar,
        Self::Customers,
        Self::Services,
        Self::Staff,
        Self::Rooms,
        Self::Members,
        Self::Settings,
        Self::Messages,
        Self::Programs,
        Self::Privacy,
    ];

    /// Its address below that of the desk.
    fn path(self) -> &'static str {
        match self {
            Self::Today => "",
            Self::Calendar => "/calendar",
            Self::Customers => "/customers",
            Self::Services => "/services",
            Self::Staff => "/staff",
            Self::Rooms => "/rooms",
            Self::Members => "/members",
            Self::Settings => "/settings",
            Self::Messages => "/messages",
            Self::Programs => "/keys",
            Self::Privacy => "/privacy",
        }
    }

    fn name(self, language: Language) -> Text {
        match self {
            Self::Today => language.text("desk-today"),
            Self::Calendar => language.text("desk-calendar"),
            Self::Customers => language.text("customers-title"),
            Self::Services => language.text("services-title"),
            Self::Staff => language.text("staff-title"),
            Self::Rooms => language.text("rooms-title"),
            Self::Members => language.text("members-title"),
            Self::Settings => language.text("settings-title"),
            Self::Messages => language.text("messages-title"),
            Self::Programs => language.text("programs-title"),
            Self::Privacy => language.text("office-title"),
        }
    }

    /// What one must be allowed to do to go there.
    fn right(self) -> Right {
        match self {
            Self::Today | Self::Calendar => Right::KeepOwnCalendar,
            Self::Customers => Right::KeepCustomers,
            Self::Services | Self::Staff | Self::Rooms => Right::ChangeOffer,
            Self::Members => Right::ManageMembers,
            Self::Programs => Right::ManageKeys,
            Self::Privacy => Right::SeeAudit,
            Self::Settings | Self::Messages => Right::ChangeSettings,
        }
    }
}

/// A part of the desk to go to.
pub(crate) struct Tab {
    pub(super) address: String,
    pub(super) name: String,
    pub(super) is_here: bool,
}

/// The frame of one page.
pub(crate) struct Frame {
    pub(super) business: String,
    pub(super) slug: String,
    pub(super) base: String,
    pub(super) name: String,
    pub(super) role: String,
    pub(super) tabs: Vec<Tab>,
    pub(super) stylesheet: String,
    pub(super) csrf: String,
    pub(super) is_demonstration: bool,
    /// What was done just before, in words.
    pub(super) done: Option<String>,
}

impl Frame {
    pub(super) fn of(desk: &Desk, here: Here) -> Self {
        let language = desk.language();
        let tab = |there: Here| Tab {
            address: desk.path(there.path()),
            name: there.name(language).to_string(),
            is_here: there == here,
        };
        let open = Here::ALL
            .into_iter()
            .filter(|there| desk.may(there.right()));
        Self {
            business: desk.member.business.name.clone(),
            slug: desk.member.business.slug.clone(),
            base: desk.path(""),
            name: desk.member.account.name.clone(),
            role: words::role(language, desk.member.role).to_string(),
            tabs: open.map(tab).collect(),
            stylesheet: assets::desk_stylesheet(),
            csrf: desk.visit.form_token(),
            is_demonstration: desk.member.account.is_demonstration,
            done: desk.done.as_deref().and_then(|done| said(language, done)),
        }
    }
}

/// What was done, by its name in the address.
fn said(language: Language, done: &str) -> Option<String> {
    let text = match done {
        "saved" => language.text("desk-done-saved"),
        "again" => language.text("desk-done-again"),
        "merged" => language.text("desk-done-merged"),
        "booked" => language.text("desk-done-booked"),
        "told" => language.text("desk-done-told"),
        "moved" => language.text("desk-done-moved"),
        "cancelled" => language.text("desk-done-cancelled"),
        "away" => language.text("desk-done-away"),
        "back" => language.text("desk-done-back"),
        _ => return None,
    };
    Some(text.to_string())
}
