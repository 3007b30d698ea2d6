//! At most so many in a day, as the desk sets it and as customers and programs meet it.

use crate::site::{Page, Site, Visitor, World, wish};
use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;

const SHOP: &str = "karoo-cuts";
const SERVICE: &str = "haircut";

/// The date of an instant.
fn date(start: &str) -> &str {
    start.split('T').next().unwrap()
}

async fn id(world: &World, query: &'static str) -> Uuid {
    sqlx::query_scalar(query)
        .fetch_one(&world.all().await)
        .await
        .unwrap()
}

/// Sends the form of a page of the desk with one field changed.
async fn change(visitor: &Visitor, path: &str, (field, value): (&str, &str)) -> Page {
    let mut fields = visitor.open(path).await.form("novalidate");
    fields.retain(|(name, _)| name != field);
    fields.push((field.to_owned(), value.to_owned()));
    visitor.send(path, &fields).await
}

async fn manager(site: &Site) -> Visitor {
    let visitor = site.visitor();
    let page = visitor.sign_in("manager@karoo-cuts.example").await;
    assert_eq!(page.status, StatusCode::OK);
    visitor
}

/// The free times of a day beyond the coming week, on which nothing is booked yet.
async fn empty_day(world: &World, site: &Site) -> Vec<String> {
    // Who has booked there before does not matter here.
    sqlx::query(
        "update booking set state = 'cancelled_by_business', version = version + 1
                 where state = 'confirmed' and starts_at > now() + interval '7 days'",
    )
    .execute(&world.all().await)
    .await
    .unwrap();
    let free = site.api().free(SHOP, SERVICE, 20).await;
    let days = free.chunk_by(|a, b| date(a) == date(b));
    days.last().unwrap().to_vec()
}

#[tokio::test]
async fn a_day_that_is_full_is_not_offered_and_refused_with_other_days() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let day = empty_day(&world, &site).await;
    let service = id(
        &world,
        "select service.id from service join business on business.id = business_id
         where business.slug = 'karoo-cuts' and service.slug = 'haircut'",
    )
    .await;
    let desk = manager(&site).await;
    let path = format!("/desk/{SHOP}/services/{service}");
    let wrong = change(&desk, &path, ("day_max", "0")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.html.contains("id=\"day_max-error\""));
    assert_eq!(
        change(&desk, &path, ("day_max", "1")).await.status,
        StatusCode::OK
    );
    assert_eq!(desk.open(&path).await.field("day_max"), "1");

    let staff = api
        .get(&format!(
            "/api/v1/businesses/{SHOP}/services/{SERVICE}/staff"
        ))
        .await;
    let staff: Vec<&str> = (staff.body["staff"].as_array().unwrap().iter())
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert!(
        staff.len() > 1,
        "one person alone shows nothing about the others"
    );
    let of_day = async |query: &str| {
        let path = format!(
            "/api/v1/businesses/{SHOP}/services/{SERVICE}/availability?from={}&days=1{query}",
            date(&day[0])
        );
        api.get(&path).await.body["slots"].as_array().unwrap().len()
    };
    let mut before = Vec::new();
    for one in &staff {
        before.push(of_day(&format!("&staff={one}")).await);
    }
    let made = api.book(SHOP, "first", &wish(SERVICE, &day[0], "a")).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(of_day("").await, 0, "the day is full");
    for one in &staff {
        let left = of_day(&format!("&staff={one}")).await;
        assert_eq!(left, 0, "the service is full whoever gives it");
    }
    let last = day.last().unwrap();
    let refused = api.book(SHOP, "second", &wish(SERVICE, last, "b")).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.text("type").ends_with("/problems/day-full"));
    let instead = refused.body["alternatives"].as_array().unwrap();
    assert_eq!(instead.len(), 3, "{refused:?}");
    assert!(
        instead
            .iter()
            .all(|one| date(one["start"].as_str().unwrap()) != date(&day[0]))
    );
    let held = api
        .hold(
            SHOP,
            "third",
            &json!({ "service": SERVICE, "start": last }),
            "192.0.2.7",
        )
        .await;
    assert!(
        held.text("type").ends_with("/problems/day-full"),
        "{held:?}"
    );

    // Whoever has the booking may move within the day, and is shown where to.
    let token = made.text("token");
    let moving = site
        .visitor()
        .open(&format!("/b/{token}/reschedule?day={}", date(&day[0])))
        .await;
    assert!(
        moving.html.contains(last.as_str()),
        "no time of the day is shown"
    );
    let moved = api
        .post(
            &format!("/api/v1/bookings/{token}/reschedule"),
            "m",
            &json!({ "start": last }),
        )
        .await;
    assert_eq!(moved.status, 200, "{moved:?}");
    assert_eq!(of_day("").await, 0);
    assert_eq!(api.cancel(token).await.status, 200);
    for (one, before) in staff.iter().zip(before) {
        assert_eq!(
            of_day(&format!("&staff={one}")).await,
            before,
            "what was called off is free"
        );
    }
}

#[tokio::test]
async fn a_page_says_that_a_day_is_full_and_a_limit_of_somebody_counts_every_service() {
    let world = World::seeded().await;
    let site = world.site().await;
    let day = empty_day(&world, &site).await;
    let desk = manager(&site).await;
    let staff = world.all().await;
    let staff: Vec<Uuid> = sqlx::query_scalar(
        "select staff.id from staff join business on business.id = staff.business_id
         where business.slug = 'karoo-cuts'",
    )
    .fetch_all(&staff)
    .await
    .unwrap();
    for one in staff {
        let path = format!("/desk/{SHOP}/staff/{one}");
        assert_eq!(
            change(&desk, &path, ("day_max", "1")).await.status,
            StatusCode::OK
        );
    }
    let visitor = site.visitor();
    let times = visitor
        .open(&format!("/{SHOP}/{SERVICE}?day={}", date(&day[0])))
        .await;
    // Everybody has one booking, of whatever service.
    let api = site.api();
    for service in ["beard-trim", "haircut", "haircut", "haircut", "haircut"] {
        let free = api.free(SHOP, service, 20).await;
        if let Some(start) = free.iter().rev().find(|start| date(start) == date(&day[0])) {
            let made = api.book(SHOP, start, &wish(service, start, "c")).await;
            assert_eq!(made.status, 201, "{made:?}");
        }
    }
    let told = visitor.choose(&times, &day[0]).await;
    assert_eq!(told.status, StatusCode::CONFLICT);
    assert!(told.html.contains("That day is full"), "{}", told.html);
}
