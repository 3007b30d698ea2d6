//! Live updates: what comes, when it comes again, and that it ends.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use slipway_journal::Generation;
use slipway_journal::event::rollout::{RolloutEvent, RolloutState, Step};
use tokio::time::timeout;

use super::house::{House, PATIENCE};
use crate::console::STREAMS_MAX;
use crate::console::view::sample;

/// A stream of events as a browser reads it.
struct Stream {
    body: Incoming,
    text: String,
}

#[derive(Debug)]
struct Update {
    id: String,
    name: String,
    html: String,
}

impl Stream {
    async fn open(house: &House, path: &str, last: Option<&str>) -> Self {
        let headers: Vec<(&str, &str)> = last.map(|l| ("last-event-id", l)).into_iter().collect();
        let (status, headers, body) = house.open_stream(Method::GET, path, &headers, "").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers["content-type"], "text/event-stream");
        Self {
            body,
            text: String::new(),
        }
    }

    /// The next event; nothing once the stream ends.
    async fn next(&mut self) -> Option<Update> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let update = parse(event);
                self.text = rest.to_owned();
                return Some(update);
            }
            let frame = timeout(PATIENCE, self.body.frame()).await.unwrap()?;
            let data = frame.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    async fn next_with(&mut self, words: &str) -> Update {
        loop {
            let update = self.next().await.expect("the stream goes on");
            if update.html.contains(words) {
                return update;
            }
        }
    }
}

fn parse(event: &str) -> Update {
    let field = |name: &str| {
        let lines: Vec<&str> = event
            .lines()
            .filter_map(|l| l.strip_prefix(name)?.strip_prefix(": "))
            .collect();
        lines.join("\n")
    };
    Update {
        id: field("id"),
        name: field("event"),
        html: field("data"),
    }
}

fn live() -> RolloutEvent {
    RolloutEvent::Entered {
        rollout: sample::rollout_id(3),
        state: RolloutState::Live,
    }
}

#[tokio::test]
async fn the_overview_comes_whole_and_then_as_it_changes() {
    let house = House::open(3, None).await;
    let mut stream = Stream::open(&house, "/events", None).await;
    let mut names = Vec::new();
    for _ in 0..3 {
        names.push(stream.next().await.unwrap().name);
    }
    names.sort();
    assert_eq!(names, ["announcement", "service-booking", "summary"]);
    let seq = house.write(live()).await;
    let update = stream.next_with("serves every visitor").await;
    assert_eq!(
        (update.name.as_str(), update.id),
        ("service-booking", seq.to_string())
    );
    house.close().await;
}

#[tokio::test]
async fn a_new_table_is_seen_as_soon_as_its_step_is_done() {
    let house = House::open(2, None).await;
    house.get_with("/", "Routing table 22, ").await;
    house.tell_only_table(3);
    let step = Step::Shift {
        weight: 10_000,
        generation: Generation(23),
    };
    house
        .write(RolloutEvent::Done {
            rollout: sample::rollout_id(2),
            step,
            observed: "table served".into(),
            took_us: None,
            counters: None,
        })
        .await;
    house.get_with("/", "Routing table 23, ").await;
    house.close().await;
}

#[tokio::test]
async fn a_region_is_the_same_as_on_the_page() {
    let house = House::without_proxy(2, None).await;
    let path = format!("/rollouts/{}", sample::rollout_id(2));
    let page = house.get_with("/", "does not answer").await;
    assert_eq!(page.status, StatusCode::OK);
    let events = format!("/events?rollout={}", sample::rollout_id(2));
    let mut stream = Stream::open(&house, &events, None).await;
    let region = stream.next_with("What happened").await;
    assert_eq!(region.name, "rollout");
    let page = house.get(&path).await;
    assert!(page.text.contains(region.html.trim()), "{}", region.html);
    house.close().await;
}

#[tokio::test]
async fn a_browser_that_comes_back_gets_only_what_it_missed() {
    let house = House::without_proxy(3, None).await;
    house.get_with("/", "does not answer").await;
    let events = format!("/events?rollout={}", sample::rollout_id(3));
    let mut first = Stream::open(&house, &events, None).await;
    let seen = first.next().await.unwrap().id;
    drop(first);
    let mut again = Stream::open(&house, &events, Some(&seen)).await;
    let seq = house.write(live()).await;
    let update = again.next().await.unwrap();
    assert_eq!(
        update.id,
        seq.to_string(),
        "nothing before the change: {update:?}"
    );
    let mut late = Stream::open(&house, &events, Some(&seen)).await;
    let missed = late.next_with("Live").await;
    assert_eq!(missed.id, seq.to_string());
    house.close().await;
}

#[tokio::test]
async fn streams_end_with_control() {
    let house = House::open(3, None).await;
    let mut stream = Stream::open(&house, "/events", None).await;
    stream.next().await.unwrap();
    house.shutdown.request();
    while stream.next().await.is_some() {}
    // The console ends by itself, long before connections would be cut.
    timeout(Duration::from_secs(2), house.served)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn the_number_of_streams_is_bounded() {
    let house = House::without_proxy(1, None).await;
    let mut open = Vec::new();
    for _ in 0..STREAMS_MAX {
        open.push(Stream::open(&house, "/events", None).await);
    }
    let page = house.get("/events").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(house.get("/").await.status, StatusCode::OK);
    drop(open);
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let (status, _, body) = house.open_stream(Method::GET, "/events", &[], "").await;
        drop(body);
        if status == StatusCode::OK {
            break;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "places never came free"
        );
        tokio::task::yield_now().await;
    }
    house.close().await;
}

#[tokio::test]
async fn a_stream_of_an_unknown_rollout_is_not_opened() {
    let house = House::open(1, None).await;
    let page = house
        .get(&format!("/events?rollout={}", sample::rollout_id(99)))
        .await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    house.close().await;
}
