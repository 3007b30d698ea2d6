//! Holds every answer of the API that a test gets against the API's own document, as it is
//! served.

use jsonschema::Validator;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::site::{Said, World};

/// The same for every site of a run: it is made of the code.
static DOCUMENT: OnceCell<Value> = OnceCell::const_new();

/// Fails where the answer is not what the document promises.
pub(crate) async fn check(
    client: &Client,
    origin: &str,
    (method, path): (&str, &str),
    said: &Said,
) {
    if !path.starts_with("/api/v1/") || path == "/api/v1/openapi.json" {
        return;
    }
    let document = DOCUMENT
        .get_or_init(async || {
            let answer = client.get(format!("{origin}/api/v1/openapi.json"));
            answer.send().await.unwrap().json().await.unwrap()
        })
        .await;
    if let Err(breach) = breach(document, (method, path), said) {
        panic!("{method} {path}: {breach} in {said:?}");
    }
}

/// Which promise the answer breaks, if any.
fn breach(document: &Value, (method, path): (&str, &str), said: &Said) -> Result<(), String> {
    let operation = operation(document, method, path);
    let responses = operation.map(|operation| &operation["responses"]);
    let response = responses.map_or(&Value::Null, |responses| {
        &responses[said.status.to_string()]
    });
    // An address without an operation answers with a problem, too.
    let content = if response.is_null() {
        json!({ "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" }
        }})
    } else {
        response["content"].clone()
    };
    if content.is_null() {
        return Ok(());
    }
    let media_type = said.media_type.split(';').next().unwrap_or_default();
    let Some(promised) = content.get(media_type) else {
        return Err(format!("{media_type} is not promised for {}", said.status));
    };
    if media_type != "application/json" && media_type != "application/problem+json" {
        return Ok(());
    }
    let mut schema = promised["schema"].clone();
    schema["components"] = document["components"].clone();
    let validator = Validator::new(&schema).unwrap();
    let wrong: Vec<_> = validator
        .iter_errors(&said.body)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("; "))
    }
}

/// What the document says of that address and method.
fn operation<'a>(document: &'a Value, method: &str, path: &str) -> Option<&'a Value> {
    let is_it = |template: &str| {
        let (ours, theirs): (Vec<_>, Vec<_>) =
            (path.split('/').collect(), template.split('/').collect());
        ours.len() == theirs.len()
            && ours
                .iter()
                .zip(&theirs)
                .all(|(a, b)| b.starts_with('{') || a == b)
    };
    let paths = document["paths"].as_object()?;
    let (_, operations) = paths.iter().find(|(template, _)| is_it(template))?;
    operations.get(method.to_ascii_lowercase())
}

#[tokio::test]
async fn the_document_is_served_and_what_it_does_not_promise_is_noticed() {
    let world = World::seeded().await;
    let site = world.site().await;
    let document = site.api().get("/api/v1/openapi.json").await;
    assert_eq!(document.status, 200);
    assert_eq!(document.text("openapi"), "3.1.0");
    let call = ("GET", "/api/v1/businesses");
    let mut said = site.api().get(call.1).await;
    assert_eq!(breach(&document.body, call, &said), Ok(()));
    said.body["businesses"][0]["slug"] = json!(7);
    let noticed = breach(&document.body, call, &said).unwrap_err();
    assert!(noticed.contains("/businesses/0/slug"), "{noticed}");
    said.status = 418;
    assert!(breach(&document.body, call, &said).is_err());

    let guide = site.visitor().open("/problems/slot-taken").await;
    assert_eq!(guide.status, 303);
    let guide = site.visitor().open("/api/v1/docs").await;
    assert_eq!(guide.heading(), "API");
    assert!(guide.html.contains("id=\"problem-slot-taken\""));
}
