//! Everything that is kept about one person, as a page to read and as a file.

use askama::Template;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::desk::Business;
use crate::error::Fault;
use crate::language::Language;
use crate::pages::{BusinessWords, Site, kept, render, words};
use crate::store::person::Rows;

/// What the file says about itself.
const FORMAT: &str = "booking-person-1";

/// Rows of one kind, each as names and values, in words.
pub(super) struct Kind {
    pub(super) name: String,
    pub(super) rows: Vec<Vec<(String, String)>>,
}

#[derive(Template)]
#[template(path = "copy.html")]
pub(super) struct CopyPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) business: BusinessWords,
    pub(super) moment: String,
    pub(super) kinds: Vec<Kind>,
}

/// The page.
pub(super) fn page(
    site: Site<'_>,
    business: &Business,
    rows: &[Rows],
    now: Timestamp,
) -> Result<Response, Fault> {
    let moment = now.to_zoned_datetime(business.zone.clone());
    render(&CopyPage {
        business: BusinessWords::of(site.language, business),
        moment: words::moment(site.language, &moment),
        kinds: kinds(site.language, rows),
        site,
    })
}

/// The file.
pub(crate) fn json(rows: &[Rows], now: Timestamp) -> String {
    let mut file = Map::new();
    file.insert("format".to_owned(), Value::from(FORMAT));
    file.insert("as_of".to_owned(), Value::from(now.to_string()));
    for rows in rows {
        let parsed = serde_json::from_str(&rows.json).unwrap_or_default();
        file.insert(rows.table.to_owned(), parsed);
    }
    Value::Object(file).to_string()
}

/// What is empty says nothing, and what is no text is shown as it is written.
fn kinds(language: Language, rows: &[Rows]) -> Vec<Kind> {
    let words = |row: Map<String, Value>| {
        row.into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(column, value)| {
                let text = match value {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                (kept::value(language, &column), text)
            })
            .collect()
    };
    rows.iter()
        .map(|kind| {
            let parsed: Vec<Map<String, Value>> =
                serde_json::from_str(&kind.json).unwrap_or_default();
            Kind {
                name: kept::kind(language, kind.table),
                rows: parsed.into_iter().map(words).collect(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_when_it_was_made_and_holds_every_row() {
        let rows = [Rows {
            table: "customer",
            json: r#"[{"name":"Zoë \"Z\" <b>","phone":null}]"#.to_owned(),
        }];
        let now = "2027-03-24T07:30:00Z".parse().unwrap();
        let file: Value = serde_json::from_str(&json(&rows, now)).unwrap();
        assert_eq!(file["as_of"], "2027-03-24T07:30:00Z");
        assert_eq!(file["customer"][0]["name"], "Zoë \"Z\" <b>");
        let kinds = kinds(Language::English, &rows);
        assert_eq!(kinds[0].name, "Your details");
        let name = ("Name".to_owned(), "Zoë \"Z\" <b>".to_owned());
        assert_eq!(kinds[0].rows[0], [name], "what is empty is left out");
    }
}
