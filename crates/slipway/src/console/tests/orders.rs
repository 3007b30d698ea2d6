//! What changes something: asked twice, only for pages of this console, by words that
//! reach the engine.

use std::sync::Arc;

use axum::http::{Method, StatusCode};

use super::house::{House, Notes, Page};
use crate::console::view::sample;

const ROLLBACK: &str = "/services/booking/rollback";

/// The cookie and the token that a confirm page gives.
async fn form(house: &House, path: &str) -> (String, String) {
    let page = house.get(path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let cookie = page.header("set-cookie").to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let token = page.text.split("name=\"token\" value=\"").nth(1).unwrap();
    (cookie, token.split('"').next().unwrap().to_owned())
}

async fn send(house: &House, path: &str, cookie: &str, origin: &str, body: &str) -> Page {
    let headers = [
        ("cookie", cookie),
        ("origin", origin),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let sent: Vec<(&str, &str)> = headers.into_iter().filter(|(_, v)| !v.is_empty()).collect();
    house.ask(Method::POST, path, &sent, body).await
}

#[tokio::test]
async fn a_rollback_is_confirmed_and_then_done() {
    let notes = Arc::new(Notes::default());
    let house = House::open(1, Some(notes.clone())).await;
    let overview = house.get_with("/", "Roll back…").await;
    assert!(
        overview
            .text
            .contains("routing change, no restart, about 5 ms")
    );
    let (cookie, token) = form(&house, ROLLBACK).await;
    assert!(notes.orders().is_empty(), "asking is not doing");
    let origin = format!("http://{}", house.address);
    let body = format!("token={token}&reason=prices+are+wrong");
    let done = send(&house, ROLLBACK, &cookie, &origin, &body).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(
        done.header("location"),
        format!("/rollouts/{}", sample::rollout_id(1))
    );
    assert_eq!(
        notes.orders(),
        ["Person(\"console\") rolls back booking: prices are wrong"]
    );
    house.close().await;
}

#[tokio::test]
async fn a_forged_order_changes_nothing() {
    let notes = Arc::new(Notes::default());
    let house = House::open(1, Some(notes.clone())).await;
    let (cookie, token) = form(&house, ROLLBACK).await;
    let (other, _) = form(&house, ROLLBACK).await;
    assert_ne!(cookie, other);
    let origin = format!("http://{}", house.address);
    let body = format!("token={token}");
    let bare_cookie = format!("token={}", cookie.split_once('=').unwrap().1);
    for (cookie, origin, body) in [
        ("", origin.as_str(), body.as_str()),
        (&cookie, "", &body),
        (&cookie, "http://127.0.0.1:8080", &body),
        (&cookie, "null", &body),
        (&other, &origin, &body),
        (&cookie, &origin, ""),
        (&cookie, &origin, "token=0000"),
        (&cookie, &origin, &bare_cookie),
    ] {
        let page = send(&house, ROLLBACK, cookie, origin, body).await;
        assert_eq!(
            page.status,
            StatusCode::FORBIDDEN,
            "{cookie} {origin} {body}"
        );
        assert!(page.text.contains("Nothing was changed"));
    }
    assert!(notes.orders().is_empty());
    house.close().await;
}

#[tokio::test]
async fn a_refusal_is_shown_with_the_form() {
    let notes = Arc::new(Notes {
        refusal: Some("a rollout of <booking> is shifting; wait for its end".into()),
        ..Notes::default()
    });
    let house = House::open(3, Some(notes)).await;
    let path = format!("/rollouts/{}/cancel", sample::rollout_id(3));
    let (cookie, token) = form(&house, &path).await;
    let origin = format!("http://{}", house.address);
    let page = send(&house, &path, &cookie, &origin, &format!("token={token}")).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.text.contains("It was not done"));
    assert!(!page.text.contains("<booking>"));
    assert!(
        page.text.contains("name=\"token\""),
        "it can be tried again"
    );
    house.close().await;
}

#[tokio::test]
async fn a_rollout_that_is_over_cannot_be_cancelled() {
    let notes = Arc::new(Notes::default());
    let house = House::open(2, Some(notes)).await;
    let path = format!("/rollouts/{}/cancel", sample::rollout_id(2));
    let page = house.get(&path).await;
    assert!(page.text.contains("nothing is left to cancel"));
    assert!(!page.text.contains("<form"));
    house.close().await;
}

#[tokio::test]
async fn without_an_engine_nothing_can_be_ordered() {
    let house = House::open(1, None).await;
    let page = house.get(ROLLBACK).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text.contains("No rollout engine runs"));
    house.close().await;
}
