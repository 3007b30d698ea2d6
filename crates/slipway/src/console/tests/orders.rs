//! What changes something: asked twice, only for pages of this console, by words that
//! reach the engine.

use std::sync::Arc;

use axum::http::{Method, StatusCode};

use slipway_journal::event::rollout::{RolloutEvent, RolloutState};
use slipway_journal::{Actor, Event};

use super::house::{House, Notes, Page};
use crate::console::view::sample;

const ROLLBACK: &str = "/services/booking/rollback";

/// The cookie and the token that a confirm page gives.
async fn form(house: &House, path: &str) -> (String, String) {
    let signed_in = [("cookie", house.session.as_str()), ("host", &house.home)];
    let page = house.ask(Method::GET, path, &signed_in, "").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let cookie = page.header("set-cookie").to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let token = page.text.split("name=\"token\" value=\"").nth(1).unwrap();
    let cookie = format!("{cookie}; {}", house.session);
    (cookie, token.split('"').next().unwrap().to_owned())
}

async fn send(house: &House, path: &str, cookie: &str, origin: &str, body: &str) -> Page {
    let headers = [
        ("cookie", cookie),
        ("origin", origin),
        ("host", &house.home),
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
    let origin = format!("http://{}", house.home);
    let body = format!("token={token}&reason=prices+are+wrong");
    let done = send(&house, ROLLBACK, &cookie, &origin, &body).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(
        done.header("location"),
        format!("/rollouts/{}", sample::rollout_id(1))
    );
    assert_eq!(
        notes.orders(),
        ["Person(\"thandi\") rolls back booking: prices are wrong"]
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
    let origin = format!("http://{}", house.home);
    let body = format!("token={token}");
    let own = cookie.split(';').next().unwrap();
    let bare_cookie = format!("token={}", own.split_once('=').unwrap().1);
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
    let origin = format!("http://{}", house.home);
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

#[tokio::test]
async fn a_share_of_the_traffic_is_held_and_made_larger_by_those_who_confirm_it() {
    let notes = Arc::new(Notes {
        standing: Some(sample::standing()),
        ..Notes::default()
    });
    let house = House::open(3, Some(notes.clone())).await;
    let id = sample::rollout_id(3);
    let shifting = RolloutState::Shifting { weight: 1_000 };
    let event = RolloutEvent::Entered {
        rollout: id,
        state: shifting,
    };
    let actor = Actor::System("executor".into());
    let written = house.journal.append(actor, vec![Event::Rollout(event)]);
    written.await.unwrap();
    let page = house.get_with(&format!("/rollouts/{id}"), "Advance…").await;
    assert!(
        page.text.contains("4 to one that it does harm"),
        "{}",
        page.text
    );
    let origin = format!("http://{}", house.home);
    for (order, words, said) in [
        ("hold", "It keeps that share", "Hold"),
        ("advance", "whatever the judge lacks", "Advance"),
        ("resume", "The judge decides again", "Resume"),
    ] {
        let path = format!("/rollouts/{id}/steer/{order}");
        let signed_in = [("cookie", house.session.as_str()), ("host", &house.home)];
        let asked = house.ask(Method::GET, &path, &signed_in, "").await;
        assert!(
            asked.text.contains("has 10 % of the visitors now"),
            "{}",
            asked.text
        );
        assert!(asked.text.contains(words));
        let (cookie, token) = form(&house, &path).await;
        let body = format!("token={token}&reason=mail+at+ten&share=1000");
        assert!(asked.text.contains("name=\"share\" value=\"1000\""));
        let done = send(&house, &path, &cookie, &origin, &body).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
        let expected = format!("Person(\"thandi\") says {said} of {id} at 1000: mail at ten");
        assert_eq!(notes.orders().last(), Some(&expected));
    }
    let unknown = house.get(&format!("/rollouts/{id}/steer/leap")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    house.close().await;
}

#[tokio::test]
async fn where_there_is_no_share_there_is_no_button() {
    let house = House::open(2, Some(Arc::new(Notes::default()))).await;
    let path = format!("/rollouts/{}/steer/hold", sample::rollout_id(1));
    let page = house.get(&path).await;
    assert!(page.text.contains("no share of the traffic"));
    assert!(!page.text.contains("<form"));
    house.close().await;
}

#[tokio::test]
async fn whoever_is_not_signed_in_may_look_and_change_nothing() {
    let notes = Arc::new(Notes::default());
    let house = House::open(1, Some(notes.clone())).await;
    let page = house.get(ROLLBACK).await;
    assert!(page.text.contains("Sign in first"), "{}", page.text);
    assert!(!page.text.contains("name=\"token\""));
    let (cookie, token) = form(&house, ROLLBACK).await;
    let own = cookie.split(';').next().unwrap();
    let origin = format!("http://{}", house.home);
    for session in ["", "; slipway-session=aaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        let cookie = format!("{own}{session}");
        let body = format!("token={token}");
        let page = send(&house, ROLLBACK, &cookie, &origin, &body).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(page.text.contains("Nobody is signed in"), "{}", page.text);
    }
    // A session that was carried off to another name is none there.
    let headers = [
        ("cookie", cookie.as_str()),
        ("origin", &format!("http://{}", house.address)),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let body = format!("token={token}");
    let page = house.ask(Method::POST, ROLLBACK, &headers, &body).await;
    assert!(page.text.contains("Nobody is signed in"), "{}", page.text);
    assert!(notes.orders().is_empty());
    house.close().await;
}

#[tokio::test]
async fn a_link_signs_in_once_and_signing_out_ends_it() {
    let notes = Arc::new(Notes::default());
    let house = House::open(1, Some(notes.clone())).await;
    let code = house.sessions.invite(Actor::Person("sipho".to_owned()));
    let path = format!("/sign-in?code={code}");
    // Under an address that other servers share there is nothing to be had by it.
    assert!(house.get(&path).await.text.contains("This link is over"));
    let at_home = [("host", house.home.as_str())];
    let page = house.ask(Method::GET, &path, &at_home, "").await;
    assert!(page.text.contains("Sign in as sipho?"), "{}", page.text);
    let own = page
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let token = page.text.split("name=\"token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    let origin = format!("http://{}", house.home);
    let body = format!("token={token}&code={code}");
    let elsewhere = send(&house, "/sign-in", &own, "http://127.0.0.1:1", &body).await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN);
    let done = send(&house, "/sign-in", &own, &origin, &body).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let cookie = done.header("set-cookie");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
        "{cookie}"
    );
    let both = format!("{own}; {}", cookie.split(';').next().unwrap());
    let again = send(&house, "/sign-in", &own, &origin, &body).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(again.text.contains("This link is over"));
    let done = send(&house, ROLLBACK, &both, &origin, &format!("token={token}")).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let orders = ["Person(\"sipho\") rolls back booking: asked for at the console"];
    assert_eq!(notes.orders(), orders);
    let out = send(
        &house,
        "/sign-out",
        &both,
        &origin,
        &format!("token={token}"),
    )
    .await;
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    let late = send(&house, ROLLBACK, &both, &origin, &format!("token={token}")).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    house.close().await;
}
