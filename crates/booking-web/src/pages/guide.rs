//! The API described for people: the document as a page of our own, without scripts. It is
//! in English, whatever the language of the frame around it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::Value;

use crate::address::Path;
use crate::api::document::{KINDS, PARTS, document, entries};
use crate::app::App;
use crate::error::{Fault, PROBLEMS};
use crate::language::Wanted;
use crate::pages::{Site, render};

#[derive(Template)]
#[template(path = "api.html")]
struct GuidePage<'a> {
    site: Site<'a>,
    about: &'a str,
    groups: Vec<Group<'a>>,
    /// What may stand in an address, and what it means.
    parts: &'static [(&'static str, &'static str)],
    problems: &'static str,
    kinds: &'static [(&'static str, u16, &'static str)],
}

/// What is sent and answered, on a page of its own, so that each stays light.
#[derive(Template)]
#[template(path = "api_objects.html")]
struct ObjectsPage<'a> {
    site: Site<'a>,
    shapes: Vec<Shape<'a>>,
}

/// Operations that belong together.
struct Group<'a> {
    name: &'a str,
    about: &'a str,
    operations: Vec<Operation<'a>>,
}

/// One thing that can be asked for.
struct Operation<'a> {
    id: &'a str,
    method: String,
    path: &'a str,
    summary: &'a str,
    description: &'a str,
    /// What a key must allow; empty where none is needed.
    scopes: Vec<&'a str>,
    fields: Vec<Field<'a>>,
    takes: Option<Kind<'a>>,
    gives: Vec<Gift<'a>>,
}

/// An answer.
struct Gift<'a> {
    status: &'a str,
    description: &'a str,
    kind: Option<Kind<'a>>,
}

/// An object that is sent or answered.
struct Shape<'a> {
    name: &'a str,
    about: &'a str,
    fields: Vec<Field<'a>>,
}

/// A parameter, or a field of an object.
struct Field<'a> {
    name: &'a str,
    place: &'a str,
    kind: Kind<'a>,
    is_required: bool,
    about: &'a str,
}

/// Of which kind a value is.
struct Kind<'a> {
    words: String,
    /// The object that is described on the page of objects, where it is one.
    shape: Option<&'a str>,
}

/// Answers `GET /api/v1/docs`.
pub(crate) async fn get(State(app): State<Arc<App>>, wanted: Wanted) -> Result<Response, Fault> {
    render(&page(Site::of(&app, wanted)))
}

/// Answers `GET /api/v1/docs/objects`.
pub(crate) async fn objects(
    State(app): State<Arc<App>>,
    wanted: Wanted,
) -> Result<Response, Fault> {
    render(&objects_page(Site::of(&app, wanted)))
}

/// Answers `GET /problems/{kind}`, which stands in every problem as its type.
pub(crate) async fn problem(Path(kind): Path<String>) -> Result<Response, Fault> {
    if !KINDS.iter().any(|(known, ..)| *known == kind) {
        return Err(Fault::NotFound);
    }
    Ok(Redirect::to(&format!("/api/v1/docs#problem-{kind}")).into_response())
}

fn page(site: Site<'_>) -> GuidePage<'_> {
    let document = document();
    let groups = document["tags"].as_array().into_iter().flatten();
    GuidePage {
        site,
        about: text(&document["info"]["description"]),
        groups: groups.map(|tag| group(document, tag)).collect(),
        parts: &PARTS,
        problems: PROBLEMS,
        kinds: &KINDS,
    }
}

fn objects_page(site: Site<'_>) -> ObjectsPage<'_> {
    ObjectsPage {
        site,
        shapes: entries(&document()["components"]["schemas"])
            .map(|(name, schema)| Shape {
                name,
                about: text(&schema["description"]),
                fields: fields(schema),
            })
            .collect(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn group<'a>(document: &'a Value, tag: &'a Value) -> Group<'a> {
    let operations = entries(&document["paths"])
        .flat_map(|(path, operations)| entries(operations).map(move |(m, o)| (path, m, o)))
        .filter(|(_, _, operation)| operation["tags"][0] == tag["name"])
        .map(|(path, method, operation)| self::operation(path, method, operation));
    Group {
        name: text(&tag["name"]),
        about: text(&tag["description"]),
        operations: operations.collect(),
    }
}

fn operation<'a>(path: &'a str, method: &str, operation: &'a Value) -> Operation<'a> {
    let schemes = operation["security"].as_array().into_iter().flatten();
    let scopes = schemes
        .flat_map(entries)
        .filter_map(|(_, scopes)| scopes.as_array())
        .flatten();
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    Operation {
        id: text(&operation["operationId"]),
        method: method.to_uppercase(),
        path,
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        scopes: scopes.map(text).collect(),
        // What stands in the address is said once, for all.
        fields: parameters
            .filter(|parameter| parameter["in"] != "path")
            .map(|parameter| Field {
                name: text(&parameter["name"]),
                place: text(&parameter["in"]),
                kind: kind(&parameter["schema"]),
                is_required: parameter["required"] == true,
                about: text(&parameter["description"]),
            })
            .collect(),
        takes: content(&operation["requestBody"]),
        // What every other answer is, is said once, too.
        gives: entries(&operation["responses"])
            .filter(|(status, _)| status.as_str() != "default")
            .map(|(status, answer)| Gift {
                status,
                description: text(&answer["description"]),
                kind: content(answer),
            })
            .collect(),
    }
}

/// What a body is, in its first media type.
fn content(body: &Value) -> Option<Kind<'_>> {
    let (media_type, content) = entries(&body["content"]).next()?;
    let kind = kind(&content["schema"]);
    Some(if kind.shape.is_some() {
        kind
    } else {
        Kind {
            words: media_type.clone(),
            shape: None,
        }
    })
}

/// The fields of an object, also of those that it is made of.
fn fields(schema: &Value) -> Vec<Field<'_>> {
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let own = entries(&schema["properties"]).map(|(name, value)| Field {
        name,
        place: "",
        kind: kind(value),
        is_required: is_required(name),
        about: text(&value["description"]),
    });
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let inherited = parts.flat_map(|part| match kind(part).shape {
        Some(name) => fields(&document()["components"]["schemas"][name]),
        None => fields(part),
    });
    inherited.chain(own).collect()
}

fn kind(schema: &Value) -> Kind<'_> {
    if let Some(name) = text(&schema["$ref"])
        .rsplit('/')
        .next()
        .filter(|name| !name.is_empty())
    {
        return Kind {
            words: name.to_owned(),
            shape: Some(name),
        };
    }
    if let Some(items) = schema.get("items") {
        let inner = kind(items);
        return Kind {
            words: format!("list of {}", inner.words),
            shape: inner.shape,
        };
    }
    let types = match &schema["type"] {
        Value::Array(types) => types
            .iter()
            .map(text)
            .find(|one| *one != "null")
            .unwrap_or("any"),
        other => other.as_str().unwrap_or("any"),
    };
    let words = match text(&schema["format"]) {
        "" => types.to_owned(),
        format => format!("{types} ({format})"),
    };
    Kind { words, shape: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::gallery;

    #[test]
    fn the_page_names_every_operation_and_keeps_the_rules_of_all_pages() {
        let html = page(gallery::site(crate::language::Language::English))
            .render()
            .unwrap();
        gallery::check("api", &html);
        for (path, operations) in entries(&document()["paths"]) {
            for (method, _) in entries(operations) {
                let title = format!(">{}</span> <code>{path}</code>", method.to_uppercase());
                assert!(html.contains(&title), "{title} is missing");
            }
        }
        for (kind, ..) in KINDS {
            assert!(html.contains(&format!("id=\"problem-{kind}\"")), "{kind}");
        }
    }

    #[test]
    fn every_object_that_is_sent_or_answered_is_described_where_its_links_lead() {
        let site = || gallery::site(crate::language::Language::English);
        let operations = page(site()).render().unwrap();
        let objects = objects_page(site()).render().unwrap();
        gallery::check("api-objects", &objects);
        let mark = "href=\"/api/v1/docs/objects#";
        let linked: Vec<&str> = [&operations, &objects]
            .into_iter()
            .flat_map(|html| html.split(mark).skip(1))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(linked.len() > 20, "{linked:?}");
        for id in linked {
            assert!(objects.contains(&format!("id=\"{id}\"")), "{id}");
        }
    }
}
