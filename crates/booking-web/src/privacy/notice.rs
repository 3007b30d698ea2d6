//! The notice that people read before they give anything (POPIA s18), made from messages
//! and from what the business says of itself. Its hash names the wording, to the letter.

use super::register::register;
use crate::language::{Language, Text};
use crate::store::notice::{Responsible, Wording};

/// Changes with the messages that the notice is made of.
pub(crate) const VERSION: &str = "2026-11";

/// For what data is used that a booking needs.
pub(crate) const BOOKING: &str = "carry-out-booking";
/// For what it is used only where somebody agrees.
pub(crate) const MARKETING: &str = "marketing";

/// One thing that the law wants said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) title: String,
    pub(crate) text: Vec<String>,
}

/// A notice in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    language: Language,
    pub(crate) items: Vec<Item>,
}

/// The notice of a business.
pub(crate) fn notice(language: Language, who: &Responsible) -> Notice {
    let mut items = what_and_why(language, who);
    items.extend(where_to_and_what_then(language, who));
    Notice { language, items }
}

fn item(title: &Text, text: Vec<String>) -> Item {
    Item {
        title: title.to_string(),
        text,
    }
}

fn one(title: &Text, text: &Text) -> Item {
    item(title, vec![text.to_string()])
}

fn what_and_why(language: Language, who: &Responsible) -> Vec<Item> {
    let name = &who.name;
    vec![
        one(
            &language.text("notice-what-title"),
            &language.text("notice-what"),
        ),
        item(
            &language.text("notice-who-title"),
            responsible(language, who),
        ),
        item(
            &language.text("notice-address-title"),
            vec![who.address.clone()],
        ),
        one(
            &language.text("notice-why-title"),
            &language.text("notice-why"),
        ),
        one(
            &language.text("notice-voluntary-title"),
            &language.text("notice-voluntary"),
        ),
        one(
            &language.text("notice-consequence-title"),
            &language.text("notice-consequence").with("name", name),
        ),
        one(
            &language.text("notice-law-title"),
            &language.text("notice-law").with("name", name),
        ),
    ]
}

fn where_to_and_what_then(language: Language, who: &Responsible) -> Vec<Item> {
    let days = |class: &str, choice: Option<i32>| {
        let registered = || {
            register()
                .class(class)
                .map_or(0, |class| i32::from(class.days))
        };
        choice.unwrap_or_else(registered)
    };
    let (note, contact) = (
        days("note", who.note_days),
        days("contact", who.contact_days),
    );
    vec![
        item(
            &language.text("notice-recipients-title"),
            recipients(language, who),
        ),
        one(
            &language.text("notice-abroad-title"),
            &language.text("notice-abroad"),
        ),
        one(
            &language.text("notice-long-title"),
            &language
                .text("notice-long")
                .with("note", note)
                .with("contact", contact),
        ),
        one(
            &language.text("notice-rights-title"),
            &language.text("notice-rights"),
        ),
        one(
            &language.text("notice-complain-title"),
            &language.text("notice-complain"),
        ),
    ]
}

fn responsible(language: Language, who: &Responsible) -> Vec<String> {
    let mut text = vec![
        language
            .text("notice-who")
            .with("name", &who.name)
            .to_string(),
    ];
    if let (Some(officer), Some(email)) = (&who.officer, &who.officer_email) {
        let line = language
            .text("notice-officer")
            .with("officer", officer)
            .with("email", email);
        text.push(line.to_string());
    }
    if let Some(phone) = &who.officer_phone {
        let line = language.text("notice-officer-phone").with("phone", phone);
        text.push(line.to_string());
    }
    text
}

fn recipients(language: Language, who: &Responsible) -> Vec<String> {
    let mut text = vec![
        language
            .text("notice-recipients")
            .with("name", &who.name)
            .to_string(),
    ];
    if let Some(more) = &who.recipients {
        let line = language
            .text("notice-recipients-more")
            .with("recipients", more);
        text.push(line.to_string());
    }
    text
}

impl Notice {
    /// All of it as plain text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for item in &self.items {
            for line in std::iter::once(&item.title).chain(&item.text) {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}

/// The hash that names a wording.
pub(crate) fn hash(text: &str) -> [u8; 32] {
    *blake3::hash(text.as_bytes()).as_bytes()
}

/// A wording as it is stored.
pub(crate) fn wording<'a>(text: &'a str, hash: &'a [u8], language: &'a str) -> Wording<'a> {
    Wording {
        hash,
        version: VERSION,
        language,
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who() -> Responsible {
        Responsible {
            name: "Karoo Cuts (Pty) Ltd".into(),
            address: "12 Church Street, Graaff-Reinet".into(),
            officer: Some("Sipho Dlamini".into()),
            officer_email: Some("privacy@karoo-cuts.example".into()),
            officer_phone: Some("049 555 0101".into()),
            recipients: Some("Our accountant".into()),
            contact_days: Some(400),
            note_days: None,
        }
    }

    #[test]
    fn every_item_that_the_law_asks_for_is_there_in_every_language() {
        for language in Language::ALL {
            let notice = notice(language, &who());
            assert_eq!(notice.items.len(), 12, "the items of s18");
            for item in &notice.items {
                assert!(!item.title.is_empty() && !item.text.is_empty(), "{item:?}");
                assert!(item.text.iter().all(|line| !line.is_empty()), "{item:?}");
            }
            let text = notice.text();
            for said in [
                "Karoo Cuts (Pty) Ltd",
                "12 Church Street, Graaff-Reinet",
                "Sipho Dlamini",
                "privacy@karoo-cuts.example",
                "049 555 0101",
                "Our accountant",
                "400",
                "365",
                "30",
                "POPIAComplaints@inforegulator.org.za",
            ] {
                assert!(text.contains(said), "{said} is not in {text}");
            }
        }
    }

    #[test]
    fn another_word_is_another_wording() {
        let english = notice(Language::English, &who()).text();
        let mut other = who();
        other.officer = Some("Thandi Nkosi".into());
        let moved = notice(Language::English, &other).text();
        let zulu = notice(Language::Zulu, &who()).text();
        assert_ne!(hash(&english), hash(&moved));
        assert_ne!(hash(&english), hash(&zulu));
        assert_eq!(
            hash(&english),
            hash(&notice(Language::English, &who()).text())
        );
    }
}
