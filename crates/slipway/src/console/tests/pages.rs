//! Every page: what it says, and the rules that all of them keep.

use std::collections::BTreeSet;
use std::fs;

use axum::http::{Method, StatusCode};
use slipway_journal::event::rollout::{RolloutEvent, RolloutState, Trigger};

use super::house::House;
use crate::console::view::sample;

fn addresses() -> Vec<String> {
    let (one, two, three) = (
        sample::rollout_id(1),
        sample::rollout_id(2),
        sample::rollout_id(3),
    );
    vec![
        "/".into(),
        "/?refresh=off".into(),
        "/rollouts".into(),
        "/rollouts?q=clients".into(),
        "/sign-in".into(),
        "/sign-in?code=old".into(),
        "/rollouts?q=%3Cnobody%3E&skip=3".into(),
        format!("/rollouts/{one}"),
        format!("/rollouts/{two}"),
        format!("/rollouts/{three}"),
        format!("/receipts/{one}"),
        format!("/receipts/{two}"),
        "/journal".into(),
        "/journal?area=rollout&kind=trigger&rollout=".into(),
        "/journal?check=yes".into(),
        format!("/instances/{}/log", sample::instance_id(5)),
    ]
}

/// The values of `attribute` in `html`.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    html.split(&format!(" {attribute}=\""))
        .skip(1)
        .filter_map(|rest| rest.split_once('"').map(|(value, _)| value))
        .collect()
}

#[tokio::test]
async fn every_page_keeps_the_rules() {
    let house = House::open(3, None).await;
    house.get_with("/", "Requests per second").await;
    for address in addresses() {
        let page = house.get(&address).await;
        assert_eq!(page.status, StatusCode::OK, "{address}");
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("cache-control"), "no-store");
        let html = &page.text;
        assert_eq!(html.matches("<h1").count(), 1, "{address}");
        assert!(html.len() < 100_000, "{address} has {} bytes", html.len());
        for inline in [
            " style=\"",
            "<style",
            " onclick=",
            " onload=",
            "javascript:",
        ] {
            assert!(!html.contains(inline), "{address} holds {inline}");
        }
        assert_eq!(
            html.matches("<script").count(),
            html.matches("<script src=\"/assets/").count()
        );
        let ids = values(html, "id");
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{address} repeats an id: {ids:?}");
        for reference in values(html, "aria-labelledby")
            .into_iter()
            .chain(values(html, "for"))
        {
            assert!(unique.contains(reference), "{address}: {reference}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn the_links_of_every_page_lead_somewhere() {
    let house = House::open(3, None).await;
    house.get_with("/", "Requests per second").await;
    let mut links = BTreeSet::new();
    for address in addresses() {
        let page = house.get(&address).await;
        for attribute in ["href", "src", "action"] {
            let found = values(&page.text, attribute).into_iter();
            links.extend(
                found
                    .filter(|l| l.starts_with('/'))
                    .map(|l| l.replace("&amp;", "&").replace("&#38;", "&")),
            );
        }
    }
    assert!(links.len() > 15, "{links:?}");
    for link in links {
        let page = house.get(&link).await;
        // Instances of the sample have no log, and say so.
        assert_eq!(page.status, StatusCode::OK, "{link}");
    }
    house.close().await;
}

#[tokio::test]
async fn an_empty_journal_says_what_to_do() {
    let house = House::open(0, None).await;
    let page = house.get("/").await;
    assert!(page.text.contains("slipway ship"), "{}", page.text);
    for (address, words) in [
        ("/rollouts", "No rollout yet"),
        ("/rollouts", "No release yet"),
        ("/journal", "Control 0.1.0 started"),
    ] {
        assert!(house.get(address).await.text.contains(words), "{address}");
    }
    house.close().await;
}

#[tokio::test]
async fn the_overview_shows_slots_traffic_and_the_running_rollout() {
    let house = House::open(3, None).await;
    let page = house.get_with("/", "Requests per second").await;
    for words in [
        "Routing table 23, ",
        "aria-current=\"step\"",
        "coming up",
        "live · 100 %",
        "healthy",
        "Rolling back now:",
        "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>",
    ] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    assert!(!page.text.contains("Roll back…"), "no engine, no button");
    let still = house.get("/?refresh=off").await;
    assert!(!still.text.contains("http-equiv"));
    house.close().await;
}

#[tokio::test]
async fn a_silent_proxy_is_said_and_nothing_else_breaks() {
    let house = House::without_proxy(1, None).await;
    let page = house.get_with("/", "The proxy does not answer").await;
    assert!(page.text.contains("serves every visitor"), "{}", page.text);
    assert!(!page.text.contains("Requests per second"));
    house.close().await;
}

#[tokio::test]
async fn what_others_wrote_is_shown_as_text() {
    let house = House::open(3, None).await;
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let rollout = sample::rollout_id(3);
    house
        .write(RolloutEvent::TriggerFired {
            rollout,
            trigger: Trigger::FailedHealth,
            evidence: evil.into(),
        })
        .await;
    house
        .write(RolloutEvent::Entered {
            rollout,
            state: RolloutState::Holding {
                reason: evil.into(),
            },
        })
        .await;
    let instance = sample::instance_id(5).to_string();
    let folder = house.state.instances().join(&instance);
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("log"),
        format!("{evil}\n{{\"message\":\"{}\"}}\n", "<b>bold</b>"),
    )
    .unwrap();
    for address in [
        "/".to_owned(),
        format!("/rollouts/{rollout}"),
        "/journal".to_owned(),
        "/rollouts".to_owned(),
        format!("/instances/{instance}/log"),
        "/journal?kind=%3Cscript%3Ealert(1)%3C%2Fscript%3E".to_owned(),
    ] {
        let page = house.get_with(&address, "alert(1)").await;
        for raw in ["<script>alert", "<img src=x", "<b>bold"] {
            assert!(!page.text.contains(raw), "{address} holds {raw}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn a_name_that_is_not_loopback_gets_nothing() {
    let house = House::open(1, None).await;
    for host in ["example.org", "rebound.example.org:8081", "10.0.0.7"] {
        let page = house
            .ask(Method::GET, "/journal", &[("host", host)], "")
            .await;
        assert_eq!(page.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert!(!page.text.contains("entries"), "{host}");
    }
    let page = house
        .ask(Method::GET, "/", &[("host", "localhost:1")], "")
        .await;
    assert_eq!(page.status, StatusCode::OK);
    house.close().await;
}

#[tokio::test]
async fn what_is_unknown_is_a_page_that_says_so() {
    let house = House::open(1, None).await;
    let unknown = sample::rollout_id(99);
    for address in [
        "/nowhere".to_owned(),
        format!("/rollouts/{unknown}"),
        "/rollouts/none".to_owned(),
        format!("/receipts/{unknown}"),
        format!("/instances/{unknown}/log"),
        "/instances/..%2F..%2Fjournal.db/log".to_owned(),
        "/services/other/rollback".to_owned(),
        "/assets/console.0000.css".to_owned(),
    ] {
        let page = house.get(&address).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{address}");
        assert!(page.text.contains("Nothing here"), "{address}");
    }
    let page = house.ask(Method::DELETE, "/journal", &[], "").await;
    assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
    house.close().await;
}

#[tokio::test]
async fn a_receipt_is_one_file_that_needs_nothing_else() {
    let house = House::open(2, None).await;
    let id = sample::rollout_id(2);
    let page = house.get(&format!("/receipts/{id}/file")).await;
    let disposition = page.header("content-disposition");
    assert!(
        disposition.starts_with("attachment; filename=\"receipt-booking-"),
        "{disposition}"
    );
    for words in ["<style>", "Rollback", "6.1 ms", "; 64 failed."] {
        assert!(page.text.contains(words), "{words}");
    }
    for outside in ["/assets/", "<script", "href=", "http://", "url("] {
        assert!(!page.text.contains(outside), "{outside}");
    }
    house.close().await;
}

#[tokio::test]
async fn the_journal_is_searched_and_checked() {
    let house = House::open(3, None).await;
    let page = house.get("/journal?check=yes&kind=trigger-fired").await;
    assert!(page.text.contains("Whole: each of the"), "{}", page.text);
    assert_eq!(page.text.matches("<details>").count(), 1);
    assert!(page.text.contains("Trigger error burst: 64 of 118"));
    let none = house.get("/journal?kind=nothing-like-it").await;
    assert!(none.text.contains("No entry found"));
    let early = house.get("/journal?before=3").await;
    assert_eq!(early.text.matches("<details>").count(), 2);
    house.close().await;
}

#[tokio::test]
async fn a_log_shows_its_last_lines_only() {
    let house = House::open(3, None).await;
    let instance = sample::instance_id(6).to_string();
    let folder = house.state.instances().join(&instance);
    fs::create_dir_all(&folder).unwrap();
    let lines: Vec<String> = (0..9_000)
        .map(|n| format!(r#"{{"timestamp":"t","level":"INFO","message":"line {n} of the log"}}"#))
        .collect();
    let lines = lines.join("\n");
    fs::write(folder.join("log"), lines).unwrap();
    let page = house.get(&format!("/instances/{instance}/log")).await;
    assert_eq!(page.text.matches("log__message").count(), 200);
    assert!(page.text.contains("line 8999 of") && page.text.contains("line 8800 of"));
    assert!(!page.text.contains("line 8799 of"));
    house.close().await;
}
