//! The API described for programs: `OpenAPI` 3.1, made of the handlers and of what they take
//! and give. A test holds it against the router.

use std::sync::LazyLock;

use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::{
    availability, bookings, businesses, customers, diary, feeds, holds, imports, keys, live,
    repeats, reschedule, series, webhooks,
};
use crate::error::{PROBLEMS, Problem};

const ABOUT: &str = "Times are instants in UTC; beside them stands the wall time at the business. \
    Each POST that makes something carries an `Idempotency-Key`. Each answer names its request in \
    `X-Request-Id`; an id that you send there is kept. What goes wrong is told as problem details.";

#[derive(OpenApi)]
#[openapi(
    info(title = "Booking", version = "1", description = ABOUT, license(name = "Apache-2.0", identifier = "Apache-2.0")),
    paths(
        businesses::list,
        businesses::services,
        availability::get,
        availability::month,
        availability::next,
        availability::staff,
        bookings::create,
        bookings::read,
        bookings::cancel,
        holds::create,
        holds::extend,
        reschedule::post,
        series::plan,
        series::create,
        live::get,
        imports::post,
        diary::list,
        diary::read,
        diary::cancel,
        repeats::read,
        repeats::cancel,
        customers::list,
        keys::list,
        keys::create,
        keys::revoke,
        feeds::list,
        feeds::create,
        feeds::revoke,
        webhooks::list,
        webhooks::create,
        webhooks::remove,
        webhooks::rotate,
        webhooks::ping,
        webhooks::deliveries,
        webhooks::again,
    ),
    components(schemas(Problem)),
    tags(
        (name = "Booking", description = "For everybody, without a key"),
        (name = "Business", description = "For the programs of a business, with a key"),
    )
)]
struct Handlers;

/// What may stand in an address, and what it means.
pub(crate) const PARTS: [(&str, &str); 5] = [
    ("business", "The slug of a business, such as `karoo-cuts`"),
    ("service", "The slug of a service, such as `haircut`"),
    ("id", "The id of what is asked for"),
    ("delivery", "The id of a call of a webhook"),
    ("token", "The secret part of a booking's address"),
];

/// What an answer to a request with a key says of how many more it may send.
const COUNTED: [(&str, &str); 2] = [
    (
        "ratelimit-policy",
        "How many requests a key may send in how many seconds",
    ),
    (
        "ratelimit",
        "How many are left, and in how many seconds all are there again",
    ),
];

/// The kinds of problems, with the status of each and what it means.
pub(crate) const KINDS: [(&str, u16, &str); 24] = [
    ("malformed-request", 400, "The request cannot be read."),
    (
        "sign-in-needed",
        401,
        "Only somebody who is signed in may do this.",
    ),
    (
        "key-needed",
        401,
        "A key of the business is needed, one that is neither revoked nor past its end.",
    ),
    (
        "changed-meanwhile",
        412,
        "It is no longer as `If-Match` says; read it again and decide anew.",
    ),
    (
        "password-needed-again",
        403,
        "The password must be given again first.",
    ),
    (
        "forbidden",
        403,
        "The role of who asks, or the key, does not include this.",
    ),
    (
        "forged-form",
        403,
        "A form did not come from a page of ours.",
    ),
    (
        "not-found",
        404,
        "There is nothing at this address, or it is somebody else's.",
    ),
    (
        "method-not-allowed",
        405,
        "The address does not take that method; `Allow` names those that it takes.",
    ),
    ("sender-silent", 408, "The body did not come in time."),
    (
        "slot-taken",
        409,
        "The time cannot be had; `alternatives` are the nearest free ones.",
    ),
    (
        "day-full",
        409,
        "As many have booked that day, or that week, as the business takes; `alternatives` are the nearest free times of others.",
    ),
    (
        "refused",
        409,
        "The rules of the business do not allow it any more.",
    ),
    (
        "changed",
        409,
        "The booking has another version than the one that was named.",
    ),
    (
        "body-too-large",
        413,
        "The body is larger than the address takes.",
    ),
    (
        "unsupported-media-type",
        415,
        "The body must be sent as another media type.",
    ),
    (
        "invalid-fields",
        422,
        "Some fields need another value; `errors` names each.",
    ),
    (
        "idempotency-key-reused",
        422,
        "The key was used before, with another body.",
    ),
    (
        "too-many-requests",
        429,
        "This was asked for too often. Wait as long as `Retry-After` says.",
    ),
    (
        "busy",
        429,
        "Too much is asked for at once; `Retry-After` says when to come again.",
    ),
    (
        "held-enough",
        429,
        "Too many times are held from here. A time can be booked without being held.",
    ),
    (
        "internal-error",
        500,
        "Something of ours is broken. Sending again with the same key is safe.",
    ),
    (
        "timed-out",
        503,
        "The answer took too long. Sending again with the same key is safe.",
    ),
    (
        "unavailable",
        503,
        "A part that is needed does not answer. Sending again with the same key is safe.",
    ),
];

static DOCUMENT: LazyLock<Value> = LazyLock::new(make);
static TEXT: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_string());

/// The document, whole.
pub(crate) fn document() -> &'static Value {
    &DOCUMENT
}

/// Answers `GET /api/v1/openapi.json`.
pub(crate) async fn get() -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, TEXT.as_str()).into_response()
}

fn make() -> Value {
    let mut document = serde_json::to_value(Handlers::openapi()).unwrap_or_default();
    document["servers"] = json!([{ "url": "/" }]);
    document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"] = KINDS
        .iter()
        .map(|(kind, ..)| Value::from(format!("{PROBLEMS}{kind}")))
        .collect();
    document["components"]["securitySchemes"]["key"] = json!({
        "type": "http",
        "scheme": "bearer",
        "description": "A key of the business, such as bk_…; its owner makes it",
    });
    // Any bytes: an empty schema takes them all.
    let import = "/paths/~1api~1v1~1businesses~1{business}~1imports/post/requestBody/content";
    for (_, content) in document
        .pointer_mut(import)
        .into_iter()
        .flat_map(entries_mut)
    {
        *content = json!({});
    }
    let paths = document["paths"].as_object_mut();
    for (path, operations) in paths.into_iter().flatten() {
        let parts = parameters(path);
        for operation in operations.as_object_mut().into_iter().flatten() {
            let (method, operation) = operation;
            operation["operationId"] = name(method, path).into();
            complete(operation, &parts);
        }
    }
    document
}

/// The name of an operation: `get-businesses-business-services`.
fn name(method: &str, path: &str) -> String {
    let path = path.trim_start_matches("/api/v1");
    format!("{method}{}", path.replace('/', "-").replace(['{', '}'], ""))
}

fn entries_mut(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flat_map(Map::iter_mut)
}

/// The parts of an address that its template names.
fn parameters(path: &str) -> Vec<Value> {
    let named = |name: &str| path.contains(&format!("{{{name}}}"));
    PARTS
        .iter()
        .filter(|(name, _)| named(name))
        .map(|(name, words)| {
            json!({
                "name": name,
                "in": "path",
                "required": true,
                "description": words,
                "schema": if ["id", "delivery"].contains(name) {
                    json!({ "type": "string", "format": "uuid" })
                } else {
                    json!({ "type": "string" })
                },
            })
        })
        .collect()
}

/// Adds what is the same for all operations.
fn complete(operation: &mut Value, parts: &[Value]) {
    let own = operation["parameters"].take();
    let own = own.as_array().cloned().unwrap_or_default();
    operation["parameters"] = parts.iter().cloned().chain(own).collect();
    for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
        if parameter["name"] == "idempotency-key" {
            parameter["schema"]["pattern"] = bookings::KEY_PATTERN.into();
        }
    }
    let is_counted = operation.get("security").is_some();
    let problem = json!({
        "description": "What went wrong",
        "content": {
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } }
        },
    });
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.insert("default".to_owned(), problem);
        for response in responses.values_mut().filter(|_| is_counted) {
            for (name, words) in COUNTED {
                response["headers"][name] = json!({
                    "description": words,
                    "schema": { "type": "string" },
                });
            }
        }
    }
}

/// An object's entries; none where it is none.
pub(crate) fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The addresses of the API in a table of routes, with their methods.
    fn routes(table: &str) -> BTreeSet<(String, String)> {
        let mut routes = BTreeSet::new();
        for route in table.split(".route(").skip(1) {
            let address = route.split('"').nth(1).unwrap();
            let handlers = route.split('"').nth(2).unwrap();
            for method in ["get", "post", "put", "patch", "delete"] {
                if address.starts_with("/api/v1/") && handlers.contains(&format!("{method}(api::"))
                {
                    routes.insert((address.to_owned(), method.to_owned()));
                }
            }
        }
        routes
    }

    #[test]
    fn every_route_of_the_api_is_described_and_nothing_else() {
        let mut routed = routes(include_str!("../router.rs"));
        // What describes is not described.
        routed.retain(|(path, _)| path != "/api/v1/openapi.json");
        let described: BTreeSet<_> = entries(&document()["paths"])
            .flat_map(|(path, operations)| {
                entries(operations).map(|(method, _)| (path.clone(), method.clone()))
            })
            .collect();
        assert!(routed.len() >= 8, "the routes are not read");
        assert_eq!(routed, described);
    }

    #[test]
    fn every_part_of_an_address_is_described() {
        for (path, operations) in entries(&document()["paths"]) {
            for (method, operation) in entries(operations) {
                let names: Vec<_> = operation["parameters"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|parameter| parameter["in"] == "path")
                    .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
                    .collect();
                assert_eq!(path.matches('{').count(), names.len(), "{method} {path}");
                assert!(operation["summary"].is_string(), "{method} {path}");
            }
        }
    }

    #[test]
    fn every_kind_of_problem_is_described() {
        let source = include_str!("../error.rs");
        let kinds = source.split("fn kind(&self)").nth(1).unwrap();
        let kinds = kinds.split("fn ").next().unwrap();
        let written: BTreeSet<_> = kinds.split('"').skip(1).step_by(2).collect();
        let described: BTreeSet<_> = KINDS.iter().map(|(kind, ..)| *kind).collect();
        assert_eq!(written, described);
        assert_eq!(described.len(), KINDS.len());
    }
}
