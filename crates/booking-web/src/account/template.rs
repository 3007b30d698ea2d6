//! What a new business begins with: services and hours that are believable for its kind,
//! so that it can be booked before anything is set up. And its address. Pure.

use crate::language::{Language, Text};

/// What kind of business somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Hair,
    Beauty,
    Health,
    Lessons,
    Other,
}

/// A service to begin with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beginning {
    pub(crate) slug: &'static str,
    pub(crate) minutes: i32,
    pub(crate) after_minutes: i32,
    pub(crate) rand: i64,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Hair,
        Self::Beauty,
        Self::Health,
        Self::Lessons,
        Self::Other,
    ];

    /// Its name in a form.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Hair => "hair",
            Self::Beauty => "beauty",
            Self::Health => "health",
            Self::Lessons => "lessons",
            Self::Other => "other",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    pub(crate) fn words(self, language: Language) -> Text {
        match self {
            Self::Hair => language.text("kind-hair"),
            Self::Beauty => language.text("kind-beauty"),
            Self::Health => language.text("kind-health"),
            Self::Lessons => language.text("kind-lessons"),
            Self::Other => language.text("kind-other"),
        }
    }

    /// Its first services, each with its name.
    pub(crate) fn services(self, language: Language) -> Vec<(Beginning, Text)> {
        let begin = |slug, minutes, after_minutes, rand| Beginning {
            slug,
            minutes,
            after_minutes,
            rand,
        };
        match self {
            Self::Hair => vec![
                (begin("cut", 30, 0, 200), language.text("service-cut")),
                (
                    begin("cut-and-wash", 45, 0, 280),
                    language.text("service-cut-and-wash"),
                ),
                (
                    begin("colour", 120, 15, 900),
                    language.text("service-colour"),
                ),
            ],
            Self::Beauty => vec![
                (
                    begin("manicure", 45, 10, 250),
                    language.text("service-manicure"),
                ),
                (
                    begin("facial", 60, 15, 450),
                    language.text("service-facial"),
                ),
                (
                    begin("massage", 60, 15, 500),
                    language.text("service-massage"),
                ),
            ],
            Self::Health => vec![
                (
                    begin("first-visit", 60, 10, 800),
                    language.text("service-first-visit"),
                ),
                (
                    begin("follow-up", 30, 5, 500),
                    language.text("service-follow-up"),
                ),
            ],
            Self::Lessons => vec![
                (
                    begin("trial-lesson", 30, 0, 0),
                    language.text("service-trial-lesson"),
                ),
                (begin("lesson", 60, 0, 350), language.text("service-lesson")),
            ],
            Self::Other => vec![
                (
                    begin("appointment", 30, 0, 0),
                    language.text("service-appointment"),
                ),
                (
                    begin("long-appointment", 60, 0, 0),
                    language.text("service-long-appointment"),
                ),
            ],
        }
    }

    /// Opening hours to begin with: weekday from Monday, and minutes since midnight.
    pub(crate) fn hours(self) -> Vec<(i16, i16, i16)> {
        let weekdays = 1..=5_i16;
        match self {
            Self::Hair | Self::Beauty => (2..=5)
                .map(|day| (day, 9 * 60, 18 * 60))
                .chain([(6, 8 * 60, 14 * 60)])
                .collect(),
            Self::Health | Self::Other => weekdays
                .flat_map(|day| [(day, 8 * 60, 13 * 60), (day, 14 * 60, 17 * 60)])
                .collect(),
            Self::Lessons => weekdays
                .map(|day| (day, 13 * 60, 19 * 60))
                .chain([(6, 9 * 60, 13 * 60)])
                .collect(),
        }
    }
}

/// Addresses that are ours, now or some day.
const RESERVED: &[&str] = &[
    "about",
    "account",
    "accounts",
    "admin",
    "api",
    "app",
    "assets",
    "b",
    "billing",
    "blog",
    "book",
    "booking",
    "bookings",
    "business",
    "calendar",
    "confirm",
    "contact",
    "dashboard",
    "desk",
    "docs",
    "embed",
    "favicon",
    "feeds",
    "feed",
    "forgot",
    "health",
    "help",
    "home",
    "invitation",
    "legal",
    "login",
    "logout",
    "mail",
    "metrics",
    "pay",
    "payment",
    "press",
    "pricing",
    "privacy",
    "problems",
    "register",
    "reset",
    "robots",
    "search",
    "security",
    "settings",
    "sign-in",
    "sign-out",
    "sign-up",
    "signin",
    "signup",
    "sitemap",
    "start",
    "static",
    "status",
    "support",
    "terms",
    "unsubscribe",
    "wait",
    "webhooks",
    "well-known",
    "www",
];

const SLUG_CHARS_MAX: usize = 40;

/// Whether an address may be given to a business.
pub(crate) fn is_reserved(slug: &str) -> bool {
    RESERVED.contains(&slug)
}

/// An address made of a name: its letters and digits without marks, joined by hyphens.
pub(crate) fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        match plain(c) {
            "" if !slug.is_empty() && !slug.ends_with('-') && !"'’".contains(c) => slug.push('-'),
            letters => slug.push_str(letters),
        }
        if slug.len() >= SLUG_CHARS_MAX - 3 {
            break;
        }
    }
    let slug = slug.trim_matches('-');
    if slug.starts_with(|c: char| c.is_ascii_digit()) {
        return format!("at-{slug}");
    }
    if slug.is_empty() {
        return "our-bookings".to_owned();
    }
    if slug.len() < 2 || is_reserved(slug) {
        return format!("{slug}-bookings");
    }
    slug.to_owned()
}

/// A letter without its marks; nothing for what is no letter that an address has.
fn plain(c: char) -> &'static str {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
    if let Some(at) = LETTERS.find(c) {
        return LETTERS.get(at..=at).unwrap_or_default();
    }
    match c {
        'à' | 'á' | 'â' | 'ã' | 'å' => "a",
        'ä' | 'æ' => "ae",
        'ç' => "c",
        'è' | 'é' | 'ê' | 'ë' => "e",
        'ì' | 'í' | 'î' | 'ï' => "i",
        'ñ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' => "o",
        'ö' => "oe",
        'š' => "s",
        'ß' => "ss",
        'ù' | 'ú' | 'û' => "u",
        'ü' => "ue",
        'ý' | 'ÿ' => "y",
        'ž' => "z",
        '&' => "and",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_made_of_any_name() {
        for (name, slug) in [
            ("Karoo Cuts", "karoo-cuts"),
            ("Zoë’s Nails & Brows", "zoes-nails-and-brows"),
            ("  Dr. Müller (Bluff)  ", "dr-mueller-bluff"),
            ("24 Hour Gym", "at-24-hour-gym"),
            ("Help", "help-bookings"),
            ("美容", "our-bookings"),
        ] {
            assert_eq!(slug_of(name), slug, "{name}");
        }
        let long = slug_of(&"very long name ".repeat(10));
        assert!(
            long.len() <= SLUG_CHARS_MAX && !long.ends_with('-'),
            "{long}"
        );
    }

    #[test]
    fn every_first_part_of_our_own_addresses_is_reserved() {
        let router = include_str!("../router.rs");
        for part in router.split("\"/").skip(1) {
            let first = part.split(['/', '"', '.']).next().unwrap();
            if first.chars().all(|c| c.is_ascii_lowercase() || c == '-') && first.len() > 1 {
                assert!(is_reserved(first), "/{first} could be a business");
            }
        }
    }

    #[test]
    fn every_kind_begins_with_services_that_fit_into_its_hours() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
            let hours = kind.hours();
            for (service, _) in kind.services(Language::English) {
                let needed = service.minutes + service.after_minutes;
                let fits = hours
                    .iter()
                    .any(|(_, opens, closes)| i32::from(closes - opens) >= needed);
                assert!(fits, "{kind:?}: {}", service.slug);
            }
        }
    }
}
