//! What the terms of a booking allow its customer, and what the business cannot take away.

use crate::claims::invariants;
use crate::site::{Api, Said, World, wish};
use reqwest::StatusCode;
use serde_json::json;

const BUSINESS: &str = "the-quiet-room";
const SERVICE: &str = "private-yoga";

/// Books a time under these terms; gives what was free.
async fn booked_under(world: &World, api: &Api, terms: &'static str) -> (Said, Vec<String>) {
    let pool = world.all().await;
    sqlx::query(
        "insert into policy (id, business_id, terms)
         select gen_random_uuid(), id, $1::jsonb from business where slug = $2
         on conflict on constraint policy_service_unique do update set terms = excluded.terms",
    )
    .bind(terms)
    .bind(BUSINESS)
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    let free = api.free(BUSINESS, SERVICE, 14).await;
    let made = api.book(BUSINESS, "k", &wish(SERVICE, &free[0], "k")).await;
    assert_eq!(made.status, 201, "{made:?}");
    (made, free)
}

async fn moved(api: &Api, token: &str, start: &str) -> Said {
    let path = format!("/api/v1/bookings/{token}/reschedule");
    api.post(&path, "any", &json!({ "start": start })).await
}

/// Half the price is due for all of the time that is left.
const HALF: &str = r#"{"limit_minutes":0,"bands":[{"notice_minutes":100000,"percent":50}]}"#;
/// The time for cancelling was over long ago.
const OVER: &str = r#"{"limit_minutes":1000000}"#;

#[tokio::test]
async fn where_cancelling_costs_nobody_moves_away_from_the_fee() {
    let world = World::seeded().await;
    let site = world.site().await;
    let (api, visitor) = (site.api(), site.visitor());
    let (made, free) = booked_under(&world, &api, HALF).await;
    let token = made.text("token");
    let refused = moved(&api, token, free.last().unwrap()).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.text("type").ends_with("/refused"), "{refused:?}");
    let page = visitor.open(&format!("/b/{token}")).await;
    let links = page.links();
    assert!(!links.contains(&format!("/b/{token}/reschedule")));
    assert!(links.contains(&format!("/b/{token}/cancel")));
    let away = visitor.open(&format!("/b/{token}/reschedule")).await;
    assert_eq!(away.status, StatusCode::SEE_OTHER);
    let cancelled = api.cancel(token).await;
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    let due = "select fee_cents from booking where fee_cents > 0";
    assert!(world.count(due).await > 0);
}

#[tokio::test]
async fn hospital_and_bereavement_count_when_it_is_too_late_for_anything_else() {
    let world = World::seeded().await;
    let site = world.site().await;
    let (api, visitor) = (site.api(), site.visitor());
    let (made, _) = booked_under(&world, &api, OVER).await;
    let link = format!("/b/{}", made.text("token"));
    let page = visitor.open(&link).await;
    assert!(page.links().contains(&format!("{link}/cancel")));
    let form = visitor.open(&format!("{link}/cancel")).await;
    assert!(form.html.contains("It is too late to cancel, unless"));
    let csrf = [("csrf".to_owned(), form.field("csrf"))];
    let without = visitor.send(&form.address, &csrf).await;
    assert_eq!(without.status, StatusCode::CONFLICT);
    let waiver = ("waiver".to_owned(), "hospital-or-bereavement".to_owned());
    let with = visitor
        .send(&form.address, &[&csrf[..], &[waiver]].concat())
        .await;
    assert_eq!(with.heading(), "Your booking is cancelled");
    assert_eq!(
        world
            .count("select count(*) from booking where fee_is_waived")
            .await,
        1
    );
}

#[tokio::test]
async fn what_was_booked_can_be_moved_when_the_service_is_offered_no_longer() {
    let world = World::seeded().await;
    let site = world.site().await;
    let (api, visitor) = (site.api(), site.visitor());
    let free = api.free(BUSINESS, SERVICE, 14).await;
    let made = api.book(BUSINESS, "k", &wish(SERVICE, &free[0], "k")).await;
    let token = made.text("token");
    let pool = world.all().await;
    sqlx::query("update service set is_active = false where slug = $1")
        .bind(SERVICE)
        .execute(&pool)
        .await
        .unwrap();
    let page = visitor.open(&format!("/b/{token}/reschedule")).await;
    assert_eq!(page.heading(), "Choose another time");
    let past = moved(&api, token, "2020-01-01T08:00:00Z").await;
    assert_eq!(past.status, 409, "{past:?}");
    let there = moved(&api, token, free.last().unwrap()).await;
    assert_eq!(there.status, 200, "{there:?}");
    let again = visitor.open(&format!("/{BUSINESS}/{SERVICE}")).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_booking_that_moves_stays_with_the_same_person_where_that_can_be() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let path = "/api/v1/businesses/bluff-physio/services/follow-up/staff";
    let staff = api.get(path).await;
    let ids: Vec<String> = staff.body["staff"]
        .as_array()
        .unwrap()
        .iter()
        .map(|person| person["id"].as_str().unwrap().to_owned())
        .collect();
    for (n, id) in ids.iter().enumerate() {
        let days = format!(
            "/api/v1/businesses/bluff-physio/services/follow-up/availability?days=31&staff={id}"
        );
        let said = api.get(&days).await;
        let slots = said.body["slots"].as_array().unwrap();
        let starts: Vec<String> = slots
            .iter()
            .map(|slot| slot["start"].as_str().unwrap().to_owned())
            .collect();
        let mut wish = wish("follow-up", &starts[starts.len() / 2 + n], "aches");
        wish["staff"] = json!(id);
        let made = api.book("bluff-physio", &format!("k{n}"), &wish).await;
        assert_eq!(made.status, 201, "{made:?}");
        let there = moved(&api, made.text("token"), &starts[starts.len() - 1 - n]).await;
        assert_eq!(there.status, 200, "{there:?}");
        let after = api
            .get(&format!("/api/v1/bookings/{}", made.text("token")))
            .await;
        assert_eq!(after.body["staff"], made.body["staff"], "{after:?}");
    }
    assert_eq!(invariants(&world).await, [""; 0]);
}
