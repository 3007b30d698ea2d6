//! Free times as programs ask for them: with whom, by month, the next ones; classes and
//! rooms when many want the last one; and that every change shows at once.

use std::collections::BTreeSet;

use crate::claims::invariants;
use crate::site::{Api, World, said, wish};
use futures_util::future::join_all;
use serde_json::{Value, json};

const PHYSIO: &str = "/api/v1/businesses/bluff-physio/services/follow-up";
pub(crate) const YOGA: (&str, &str) = ("the-quiet-room", "yoga-class");

async fn slots(api: &Api, path: &str) -> Vec<Value> {
    let said = api.get(path).await;
    let slots = said.body["slots"].as_array();
    slots.unwrap_or_else(|| panic!("{said:?}")).clone()
}

fn starts(slots: &[Value]) -> BTreeSet<String> {
    let start = |slot: &Value| slot["start"].as_str().unwrap().to_owned();
    slots.iter().map(start).collect()
}

/// The first class with so many seats left or more.
pub(crate) async fn class(api: &Api, seats: u64) -> (String, u64) {
    let (business, service) = YOGA;
    let path = format!("/api/v1/businesses/{business}/services/{service}/availability/next?n=20");
    let slots = slots(api, &path).await;
    let left = |slot: &Value| slot["seats"].as_u64().unwrap();
    let class = slots.iter().find(|slot| left(slot) >= seats).unwrap();
    (class["start"].as_str().unwrap().to_owned(), left(class))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_seats_of_a_class_go_to_as_many_as_there_are() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let (business, service) = YOGA;
    let (start, seats) = class(&api, 3).await;
    let attempts = (0..seats + 20).map(|client| {
        let wish = wish(service, &start, &format!("sits-{client}"));
        let api = &api;
        async move { api.book(business, &format!("key-{client}"), &wish).await }
    });
    let all = join_all(attempts).await;
    let made: Vec<_> = all.iter().filter(|said| said.status == 201).collect();
    assert_eq!(made.len() as u64, seats);
    assert!(
        all.iter().all(|s| [201, 409].contains(&s.status)),
        "{all:?}"
    );
    let over = "select count(*) from class where taken > capacity";
    assert_eq!(world.count(over).await, 0);
    assert_eq!(invariants(&world).await, [""; 0]);
    // Who leaves makes room for one, and the class goes on.
    assert_eq!(api.cancel(made[0].text("token")).await.status, 200);
    let again = api
        .book(business, "again", &wish(service, &start, "late"))
        .await;
    assert_eq!(again.status, 201);
    let full = api
        .book(business, "full", &wish(service, &start, "later"))
        .await;
    assert_eq!(full.status, 409);
    assert_eq!(invariants(&world).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_people_and_two_rooms_are_two_visits_at_a_time() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let free = api.free("bluff-physio", "follow-up", 31).await;
    let start = &free[free.len() / 2];
    let attempts = (0..30).map(|client| {
        let service = ["follow-up", "first-visit", "sports-massage"][client % 3];
        let wish = wish(service, start, &format!("aches-{client}"));
        let api = &api;
        async move {
            api.book("bluff-physio", &format!("key-{client}"), &wish)
                .await
        }
    });
    let all = join_all(attempts).await;
    assert!(
        all.iter().all(|s| [201, 409].contains(&s.status)),
        "{all:?}"
    );
    let made = all.iter().filter(|said| said.status == 201).count();
    assert!((1..=2).contains(&made), "{made}");
    // Whoever was refused was refused for good: nothing that was left was overlooked.
    for service in ["follow-up", "first-visit", "sports-massage"] {
        let late = wish(service, start, "late");
        let said = api.book("bluff-physio", service, &late).await;
        assert_eq!(said.status, 409, "{service}: {said:?}");
    }
    let bare = "select count(*) from booking where created_at > now() - interval '1 hour'
        and not exists (select from claim join lane on lane.id = claim.lane_id
            where claim.booking_id = booking.id and claim.active and lane.kind = 'room')";
    assert_eq!(world.count(bare).await, 0, "a visit without a room");
    assert_eq!(invariants(&world).await, [""; 0]);
}

#[tokio::test]
async fn times_can_be_had_with_one_member_of_staff_or_with_anyone() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let staff = api.get(&format!("{PHYSIO}/staff")).await;
    let staff = staff.body["staff"].as_array().unwrap().clone();
    assert_eq!(staff.len(), 3);
    let days = format!("{PHYSIO}/availability?days=14&staff=");
    let anyone = starts(&slots(&api, &format!("{days}anyone")).await);
    let mut together = BTreeSet::new();
    for member in &staff {
        let own = slots(&api, &format!("{days}{}", member["id"].as_str().unwrap())).await;
        together.extend(starts(&own));
    }
    assert_eq!(together, anyone);
    let id = staff[1]["id"].as_str().unwrap();
    let own = starts(&slots(&api, &format!("{days}{id}")).await);
    let mut wanted = wish("follow-up", own.first().unwrap(), "t");
    wanted["staff"] = json!(id);
    let made = api.book("bluff-physio", "with", &wanted).await;
    assert_eq!(made.status, 201, "{made:?}");
    let whose = "select count(*) from booking join staff on staff.id = booking.staff_id
        where booking.created_at > now() - interval '1 hour' and staff.name = ";
    let name = staff[1]["name"].as_str().unwrap();
    let query: &'static str = Box::leak(format!("{whose}'{name}'").into_boxed_str());
    assert_eq!(world.count(query).await, 1);
    wanted["staff"] = json!("nobody");
    let nobody = api.book("bluff-physio", "without", &wanted).await;
    assert_eq!(nobody.status, 409, "{nobody:?}");
    let refused = api.get(&format!("{days}nobody&tz=Nowhere")).await;
    assert_eq!(refused.status, 422, "{refused:?}");
}

#[tokio::test]
async fn the_same_times_are_shown_in_the_zone_of_the_customer() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let here = slots(&api, &format!("{PHYSIO}/availability?days=7")).await;
    let path = format!("{PHYSIO}/availability?days=7&tz=Pacific/Auckland");
    let there = slots(&api, &path).await;
    assert_eq!(starts(&here), starts(&there));
    assert_ne!(here[0]["local_start"], there[0]["local_start"]);
}

#[tokio::test]
async fn a_month_counts_what_its_days_have_and_the_next_are_the_first() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let next = slots(&api, &format!("{PHYSIO}/availability/next?n=5")).await;
    assert_eq!(next.len(), 5);
    let first = next[0]["local_start"].as_str().unwrap();
    let (month, day) = first.split_at(7);
    let said = api
        .get(&format!("{PHYSIO}/availability/month?month={month}"))
        .await;
    let days = said.body["days"].as_array().unwrap();
    let date = format!("{month}{}", day.split_once('T').unwrap().0);
    assert_eq!(days[0]["date"], date.as_str());
    assert_eq!(days[0]["first"], first);
    let on_day = format!("{PHYSIO}/availability?from={date}&to={date}");
    let on_day = slots(&api, &on_day).await;
    assert_eq!(days[0]["free"], on_day.len());
}

#[tokio::test]
async fn an_answer_that_is_known_is_not_sent_again_until_something_changes() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    // Far enough ahead that time passing changes nothing.
    let date = &api.free("bluff-physio", "follow-up", 31).await;
    let date = date.last().unwrap().split('T').next().unwrap().to_owned();
    for question in [
        format!("?from={date}&to={date}"),
        format!("/month?month={}", date.rsplit_once('-').unwrap().0),
    ] {
        let ask = |tag: &str| {
            let request = api
                .client
                .get(site.url(&format!("{PHYSIO}/availability{question}")));
            request.header("if-none-match", tag).send()
        };
        let first = ask("\"none\"").await.unwrap();
        assert_eq!(first.status(), 200);
        let tag = first.headers()["etag"].to_str().unwrap().to_owned();
        let again = ask(&tag).await.unwrap();
        let is_far = question.starts_with('?');
        assert!(again.status() == 304 || !is_far, "{question}");
        let free = slots(
            &api,
            &format!("{PHYSIO}/availability?from={date}&to={date}"),
        )
        .await;
        let start = free[0]["start"].as_str().unwrap();
        let made = api
            .book("bluff-physio", &question, &wish("follow-up", start, "t"))
            .await;
        assert_eq!(made.status, 201);
        assert_eq!(ask(&tag).await.unwrap().status(), 200, "{question}");
    }
}

#[tokio::test]
async fn every_change_of_a_rule_shows_at_once() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let free = api.free("bluff-physio", "follow-up", 31).await;
    // Not the day on which the demonstration closes early, nor the holiday that it works on.
    let is_plain = |date: &&str| !date.ends_with("-12-24") && !date.ends_with("-12-16");
    let mut dates = free
        .iter()
        .rev()
        .map(|start| start.split('T').next().unwrap());
    let date = dates.find(is_plain).unwrap().to_owned();
    let all = world.all().await;
    let on_day = async || {
        let path = format!("{PHYSIO}/availability?from={date}&to={date}");
        slots(&api, &path).await.len()
    };
    let before = on_day().await;
    let change = async |statement: String| {
        let mut connection = all.acquire().await.unwrap();
        let mut transaction = sqlx::Connection::begin(&mut *connection).await.unwrap();
        let scope = "select set_config('booking.business', id::text, true) from business
             where slug = 'bluff-physio'";
        sqlx::query(scope)
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        let statement = sqlx::AssertSqlSafe(statement);
        let done = sqlx::query(statement).execute(&mut *transaction).await;
        assert!(done.unwrap().rows_affected() > 0);
        transaction.commit().await.unwrap();
    };
    let business = "(select id from business where slug = 'bluff-physio')";
    let changes = [
        (
            format!(
                "insert into location_exception (id, business_id, location_id, date)
                 select gen_random_uuid(), business_id, id, '{date}' from location
                 where business_id = {business}"
            ),
            format!("delete from location_exception where date = '{date}'"),
        ),
        (
            format!("insert into holiday_choice values ({business}, '{date}', true, 'Election')"),
            format!("delete from holiday_choice where date = '{date}'"),
        ),
        (
            format!(
                "insert into opening_exception (id, business_id, lane_id, date)
                 select gen_random_uuid(), business_id, lane_id, '{date}' from staff
                 where business_id = {business}"
            ),
            format!("delete from opening_exception where date = '{date}'"),
        ),
        (
            format!("update staff set is_active = false where business_id = {business}"),
            format!("update staff set is_active = true where business_id = {business}"),
        ),
        (
            format!(
                "update lane set is_active = false where pool_id is not null and business_id = {business}"
            ),
            format!("update lane set is_active = true where business_id = {business}"),
        ),
    ];
    for (closes, opens) in changes {
        change(closes.clone()).await;
        assert_eq!(on_day().await, 0, "{closes}");
        change(opens).await;
        assert_eq!(on_day().await, before, "after {closes}");
    }
}

#[tokio::test]
async fn a_cache_that_was_emptied_or_holds_rubbish_changes_no_answer() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let path = format!("{PHYSIO}/availability?days=31");
    let right = slots(&api, &path).await;
    let client = redis::Client::open(world.redis.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg("booking:free:*")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert!(!keys.is_empty(), "nothing was kept");
    for key in keys {
        let mut set = redis::cmd("SET");
        let () = set
            .arg(key)
            .arg("rubbish")
            .query_async(&mut connection)
            .await
            .unwrap();
    }
    assert_eq!(slots(&api, &path).await, right);
    let () = redis::cmd("FLUSHDB")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(slots(&api, &path).await, right);
    let said = said(api.client.get(site.url(&path))).await;
    assert_eq!(said.body["slots"], json!(right));
}

#[tokio::test]
async fn a_service_without_a_free_time_is_looked_through_in_parts_and_never_all_at_once() {
    let world = World::seeded().await;
    let pool = world.all().await;
    for change in [
        "update service set horizon_days = 730",
        // Nobody is ever there, so nothing is free in two years.
        "delete from opening",
        "delete from opening_exception",
    ] {
        sqlx::query(change).execute(&pool).await.unwrap();
    }
    let site = world.site().await;
    let visitor = site.visitor();
    let computed = async || site.counter("booking_months_computed_total").await;
    let (mut path, mut parts) = ("/karoo-cuts/haircut".to_owned(), 0);
    loop {
        let before = computed().await;
        let page = visitor.open(&path).await;
        let months = computed().await - before;
        // Six, and those of the week that is shown.
        assert!((1..=8).contains(&months), "{months} for {path}");
        parts += 1;
        let mut links = page.html.split("<a href=\"").skip(1);
        let further = links.find(|link| link.contains(">Look further<"));
        let Some(further) = further else {
            assert!(page.html.contains("There is no free time"), "{}", page.html);
            break;
        };
        assert!(
            page.html.contains("Nothing is free before"),
            "{}",
            page.html
        );
        path = further.split('"').next().unwrap().to_owned();
        assert!(parts < 10, "it goes round in circles at {path}");
    }
    assert!(parts >= 4, "two years are more than {parts} parts");
    // Programs go on in the same way.
    let api = site.api();
    let next = "/api/v1/businesses/karoo-cuts/services/beard-trim/availability/next";
    let (mut from, mut parts) = (String::new(), 0);
    loop {
        let before = computed().await;
        let said = api.get(&format!("{next}{from}")).await;
        assert_eq!(said.body["slots"], json!([]), "{said:?}");
        assert!(computed().await - before <= 6);
        parts += 1;
        let Some(further) = said.body["further"].as_str() else {
            break;
        };
        from = format!("?from={further}");
        assert!(parts < 10, "it goes round in circles");
    }
    assert!(parts >= 4);
}
