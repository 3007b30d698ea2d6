//! Bookings that are moved to another time: the same booking, nothing lost, nobody waits for
//! ever.

use crate::claims::invariants;
use crate::site::{Api, Said, World, wish};
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;

const BUSINESS: &str = "the-quiet-room";
const SERVICE: &str = "private-yoga";

async fn book(api: &Api, key: &str, start: &str) -> Said {
    let made = api.book(BUSINESS, key, &wish(SERVICE, start, key)).await;
    assert_eq!(made.status, 201, "{made:?}");
    made
}

async fn reschedule(api: &Api, token: &str, start: &str) -> Said {
    let path = format!("/api/v1/bookings/{token}/reschedule");
    api.post(&path, "any", &json!({ "start": start })).await
}

#[tokio::test]
async fn a_booking_that_is_moved_stays_the_same_booking() {
    let world = World::seeded().await;
    let site = world.site().await;
    let (api, visitor) = (site.api(), site.visitor());
    let free = api.free(BUSINESS, SERVICE, 14).await;
    let (old, new) = (&free[0], free.last().unwrap());
    let made = book(&api, "k", old).await;
    let token = made.text("token");
    for _ in 0..2 {
        let moved = reschedule(&api, token, new).await;
        assert_eq!(moved.status, 200, "{moved:?}");
        assert_eq!(
            (moved.text("id"), moved.text("start")),
            (made.text("id"), new.as_str())
        );
        assert_eq!(moved.body["version"], 2);
    }
    let after = api.free(BUSINESS, SERVICE, 14).await;
    assert!(after.contains(old) && !after.contains(new));
    let calendar = visitor.open(&format!("/b/{token}/calendar.ics")).await;
    assert!(
        calendar.html.contains("SEQUENCE:2\r\n"),
        "{}",
        calendar.html
    );
    let told = "select count(*) from audit a join outbox o on o.booking_id = a.subject
        where a.action = 'booking.moved' and o.kind = 'moved'
          and a.before->>'start' <> a.after->>'start'";
    assert_eq!(world.count(told).await, 1);
    assert_eq!(invariants(&world).await, [""; 0]);
}

#[tokio::test]
async fn a_visitor_moves_a_booking_on_its_page() {
    let world = World::seeded().await;
    let site = world.site().await;
    let (api, visitor) = (site.api(), site.visitor());
    let free = api.free(BUSINESS, SERVICE, 14).await;
    // The page offers the booking's own day first, and on that must be a time besides.
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let far = jiff::SignedDuration::from_hours(3);
    let has_more = |one: &&String| {
        let mut same_day = free.iter().filter(|other| other.get(..10) == one.get(..10));
        same_day.any(|other| at(other).duration_since(at(one)) >= far)
    };
    let made = book(&api, "k", free.iter().find(has_more).unwrap()).await;
    let link = format!("/b/{}", made.text("token"));
    let booked = visitor.open(&link).await;
    assert!(booked.links().contains(&format!("{link}/reschedule")));
    let page = visitor.open(&format!("{link}/reschedule")).await;
    assert_eq!(page.heading(), "Choose another time");
    let send = async |start: &str| {
        let fields = ["csrf", "version"].map(|name| (name.to_owned(), page.field(name)));
        let start = [("start".to_owned(), start.to_owned())];
        visitor
            .send(&page.address, &[&fields[..], &start].concat())
            .await
    };
    let without = send("").await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
    // Somebody else is faster.
    let far = free.last().unwrap();
    book(&api, "faster", far).await;
    let gone = send(far).await;
    assert_eq!(gone.status, StatusCode::CONFLICT);
    assert!(gone.html.contains("That time has just been taken"));
    let moved = send(&page.field("start")).await;
    assert_eq!(
        (moved.address.as_str(), moved.heading()),
        (link.as_str(), "You are booked")
    );
    let read = api
        .get(&format!("/api/v1/bookings/{}", made.text("token")))
        .await;
    assert_eq!(read.text("start"), page.field("start"));
}

#[tokio::test]
async fn it_may_overlap_its_own_old_time_and_nothing_is_lost_where_the_new_one_is_gone() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    // Half of the steps of this service lie within a visit.
    let service = "counselling";
    let free = api.free(BUSINESS, service, 31).await;
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let near = free.windows(2).find_map(|two| {
        let apart = at(&two[1]).duration_since(at(&two[0])).as_mins();
        (apart <= 30).then(|| (two[0].clone(), two[1].clone()))
    });
    let (first, second) = near.unwrap();
    // Everybody who gives it but one is taken at the second time.
    let made = api.book(BUSINESS, "k", &wish(service, &first, "k")).await;
    assert_eq!(made.status, 201, "{made:?}");
    let mut n = 0;
    let gone = loop {
        let other = api
            .book(BUSINESS, &format!("o{n}"), &wish(service, &second, "o"))
            .await;
        n += 1;
        if other.status == 409 {
            break other;
        }
    };
    assert_eq!(gone.body["alternatives"].as_array().unwrap().len(), 3);
    let token = made.text("token");
    let moved = reschedule(&api, token, &second).await;
    assert_eq!(
        (moved.status, moved.text("start")),
        (200, second.as_str()),
        "{moved:?}"
    );

    let taken = reschedule(&api, token, "2020-01-01T08:00:00Z").await;
    assert_eq!(taken.status, 409, "{taken:?}");
    let read = api.get(&format!("/api/v1/bookings/{token}")).await;
    assert_eq!(read.text("start"), second);
    assert_eq!(invariants(&world).await, [""; 0]);
}

#[tokio::test]
async fn a_booking_that_has_changed_since_is_not_moved_and_one_that_is_over_neither() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let free = api.free(BUSINESS, SERVICE, 14).await;
    let made = book(&api, "k", &free[0]).await;
    let token = made.text("token");
    let path = format!("/api/v1/bookings/{token}/reschedule");
    let attempts = [free.len() / 2, free.len() - 1].map(|place| {
        let (api, path) = (api.clone(), path.clone());
        let body = json!({ "start": free[place], "version": 1 });
        async move { api.post(&path, "any", &body).await }
    });
    let said = join_all(attempts).await;
    let mut statuses: Vec<_> = said.iter().map(|said| said.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let lost = said.iter().find(|said| said.status == 409).unwrap();
    assert!(lost.text("type").ends_with("/changed"), "{lost:?}");

    api.cancel(token).await;
    let late = reschedule(&api, token, &free[0]).await;
    assert_eq!(late.status, 409);
    assert!(late.text("type").ends_with("/refused"), "{late:?}");
    let unknown = reschedule(&api, "nobody", &free[0]).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_want_each_others_time_both_keep_their_own_and_nobody_deadlocks() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let free = api.free(BUSINESS, SERVICE, 14).await;
    let (a, b) = (&free[0], free.last().unwrap());
    let (one, two) = (book(&api, "a", a).await, book(&api, "b", b).await);
    let swaps = (0..24).map(|n| {
        let (token, start) = if n % 2 == 0 {
            (one.text("token"), b)
        } else {
            (two.text("token"), a)
        };
        reschedule(&api, token, start)
    });
    let said = join_all(swaps).await;
    assert!(said.iter().all(|said| said.status == 409), "{said:?}");
    assert_eq!(invariants(&world).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn moving_cancelling_and_booking_at_once_leave_the_truth() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    for round in 0..6 {
        let free = api.free(BUSINESS, SERVICE, 31).await;
        let (from, to) = (&free[0], &free[free.len() / 2]);
        let made = book(&api, &format!("k{round}"), from).await;
        let token = made.text("token");
        let other = wish(SERVICE, to, &format!("o{round}"));
        let other_key = format!("o{round}");
        let (moved, cancelled, booked) = tokio::join!(
            reschedule(&api, token, to),
            api.cancel(token),
            api.book(BUSINESS, &other_key, &other)
        );
        assert_eq!(cancelled.status, 200, "{cancelled:?}");
        assert!([200, 409].contains(&moved.status), "{moved:?}");
        assert!([201, 409].contains(&booked.status), "{booked:?}");
        let read = api.get(&format!("/api/v1/bookings/{token}")).await;
        assert_eq!(read.text("state"), "cancelled_by_customer");
    }
    assert_eq!(invariants(&world).await, [""; 0]);
}
