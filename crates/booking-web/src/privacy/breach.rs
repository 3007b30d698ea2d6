//! What is said after a breach: to the Information Regulator, and to the people (POPIA
//! s22(5)). Drafts, which somebody reads before they are sent. Pure.

use jiff::tz::TimeZone;

use crate::language::{Language, Text};
use crate::pages::words;
use crate::store;
use crate::store::incident::Incident;

/// The two letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drafts {
    pub(crate) regulator: String,
    pub(crate) people: String,
}

/// What letters are written with.
pub(crate) struct Letterhead<'a> {
    pub(crate) language: Language,
    pub(crate) responsible: &'a str,
    pub(crate) officer: &'a str,
    pub(crate) zone: &'a TimeZone,
    /// How many people it is about.
    pub(crate) affected: usize,
}

/// Writes both.
pub(crate) fn drafts(incident: &Incident, head: &Letterhead<'_>) -> Drafts {
    let language = head.language;
    let at = |at| {
        words::moment(
            language,
            &store::instant(at).to_zoned_datetime(head.zone.clone()),
        )
    };
    let (noticed, began, ended) = (
        at(incident.noticed_at),
        at(incident.began_at),
        at(incident.ended_at),
    );
    let line = |text: Text, value: &str| format!("{text} {value}");
    let unknown = language.text("breach-intruder-unknown").to_string();
    let intruder = incident.intruder.as_deref().unwrap_or(&unknown);
    let common = vec![
        line(language.text("breach-what"), &incident.what),
        line(language.text("breach-when"), &format!("{began} – {ended}")),
        line(language.text("breach-noticed"), &noticed),
        line(language.text("breach-consequences"), &incident.consequences),
        line(language.text("breach-measures"), &incident.measures),
        line(language.text("breach-advice"), &incident.advice),
        line(language.text("breach-intruder"), intruder),
    ];
    let (name, officer) = (head.responsible, head.officer);
    let to_regulator = language
        .text("breach-to-regulator")
        .with("name", name)
        .with("officer", officer);
    let mut regulator = vec![to_regulator.to_string()];
    regulator.extend(common.iter().cloned());
    regulator.push(line(
        language.text("breach-people"),
        &head.affected.to_string(),
    ));
    if let Some(reason) = &incident.delay_reason {
        regulator.push(line(language.text("breach-delay"), reason));
    }
    let to_people = language.text("breach-to-people").with("name", name);
    let mut people = vec![to_people.to_string()];
    people.extend(common);
    let rights = language
        .text("breach-rights")
        .with("name", name)
        .with("officer", officer);
    people.push(rights.to_string());
    Drafts {
        regulator: regulator.join("\n"),
        people: people.join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn both_letters_say_all_that_the_law_asks_for_in_every_language() {
        let at = |text: &str| store::stored(text.parse().unwrap());
        let incident = Incident {
            id: Uuid::nil(),
            what: "A stolen telephone was signed in".into(),
            noticed_at: at("2027-03-24T07:30:00Z"),
            began_at: at("2027-03-23T20:00:00Z"),
            ended_at: at("2027-03-24T06:00:00Z"),
            account: None,
            consequences: "Somebody may call and pretend to be us".into(),
            measures: "The sign-in was ended".into(),
            advice: "Do not pay anybody who calls".into(),
            intruder: None,
            delay_reason: Some("It was a holiday".into()),
            portal_reference: None,
            reported_at: None,
            people_told_at: None,
        };
        for language in Language::ALL {
            let drafts = drafts(
                &incident,
                &Letterhead {
                    language,
                    responsible: "Karoo Cuts",
                    officer: "Sipho Dlamini",
                    zone: &TimeZone::get("Africa/Johannesburg").unwrap(),
                    affected: 17,
                },
            );
            let unknown = language.text("breach-intruder-unknown").to_string();
            for said in [
                "A stolen telephone was signed in",
                "Somebody may call and pretend to be us",
                "The sign-in was ended",
                "Do not pay anybody who calls",
                unknown.as_str(),
                "Karoo Cuts",
            ] {
                assert!(drafts.people.contains(said), "{said}");
                assert!(drafts.regulator.contains(said), "{said}");
            }
            assert!(drafts.regulator.contains("17") && drafts.regulator.contains("holiday"));
            assert!(!drafts.people.contains("holiday"));
        }
    }
}
