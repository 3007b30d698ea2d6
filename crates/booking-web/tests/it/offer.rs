//! What a business offers, changed at its desk, and what customers see of it.

use crate::site::{Page, Site, Visitor, World};
use reqwest::StatusCode;
use uuid::Uuid;

const MANAGER: &str = "manager@karoo-cuts.example";

async fn manager(site: &Site) -> Visitor {
    let visitor = site.visitor();
    assert_eq!(visitor.sign_in(MANAGER).await.status, StatusCode::OK);
    visitor
}

/// Every field of the first form of a page that is not for signing out, as it stands.
fn form(page: &Page) -> Vec<(String, String)> {
    page.form("novalidate")
}

fn set(fields: &mut Vec<(String, String)>, name: &str, value: &str) {
    fields.retain(|(field, _)| field != name);
    fields.push((name.to_owned(), value.to_owned()));
}

async fn one<T>(world: &World, query: &'static str) -> T
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    sqlx::query_scalar(query)
        .fetch_one(&world.all().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_service_is_added_and_can_be_booked() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = manager(&site).await;
    let new = "/desk/karoo-cuts/services/new";
    let mut fields = form(&visitor.open(new).await);
    set(&mut fields, "duration", "3");
    let wrong = visitor.send(new, &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["name", "price", "duration"] {
        assert!(
            wrong.html.contains(&format!("id=\"{field}-error\"")),
            "{field}"
        );
    }
    let sipho: Uuid = one(&world, "select id from staff where name = 'Sipho Dlamini'").await;
    for (name, value) in [
        ("name", "Hot towel"),
        ("price", "R1 250,50"),
        ("duration", "20"),
    ] {
        set(&mut fields, name, value);
    }
    set(&mut fields, &format!("gives-{sipho}"), "yes");
    let list = visitor.send(new, &fields).await;
    assert!(list.html.contains("Hot towel"));
    let price = "select price_cents from service where slug = 'hot-towel'";
    assert_eq!(one::<i64>(&world, price).await, 125_050);
    let times = site.visitor().open("/karoo-cuts/hot-towel").await;
    assert_eq!(times.heading(), "Choose a time");
    assert!(!times.field("start").is_empty());
    // Another of the same name gets an address of its own.
    visitor.send(new, &fields).await;
    let count = "select count(*) from service where slug = 'hot-towel-2'";
    assert_eq!(world.count(count).await, 1);
}

#[tokio::test]
async fn a_service_that_is_changed_or_given_up_leaves_what_is_booked_as_it_was() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = manager(&site).await;
    let service: Uuid = one(
        &world,
        "select service.id from service join business on business.id = business_id
         where business.slug = 'karoo-cuts' and service.slug = 'haircut'",
    )
    .await;
    let ahead = "select count(*) from booking join service on service.id = service_id
         join business on business.id = service.business_id
         where business.slug = 'karoo-cuts' and service.slug = 'haircut'
           and booking.state = 'confirmed' and ends_at - starts_at = interval '30 minutes'";
    let before = world.count(ahead).await;
    assert!(before > 0, "nothing is booked");
    let path = format!("/desk/karoo-cuts/services/{service}");
    let page = visitor.open(&path).await;
    let stale = form(&page);
    let mut fields = form(&page);
    set(&mut fields, "duration", "90");
    visitor.send(&path, &fields).await;
    assert_eq!(world.count(ahead).await, before, "edge case 30");
    let told = visitor.send(&path, &stale).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = visitor.open(&path).await;
    let gone = [
        ("csrf".to_owned(), page.field("csrf")),
        ("offered".to_owned(), "no".to_owned()),
    ];
    visitor.send(&format!("{path}/offer"), &gone).await;
    let public = site.visitor().open("/karoo-cuts/haircut").await;
    assert_eq!(public.status, StatusCode::NOT_FOUND);
    assert_eq!(world.count(ahead).await, before, "edge case 29");
    let back = [
        ("csrf".to_owned(), page.field("csrf")),
        ("offered".to_owned(), "yes".to_owned()),
    ];
    visitor.send(&format!("{path}/offer"), &back).await;
    let public = site.visitor().open("/karoo-cuts/haircut").await;
    assert_eq!(public.status, StatusCode::OK);
}

#[tokio::test]
async fn somebody_is_added_gets_hours_and_leaves() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = manager(&site).await;
    let new = "/desk/karoo-cuts/staff/new";
    let mut fields = form(&visitor.open(new).await);
    set(&mut fields, "name", "Zanele Mokoena");
    let hours = visitor.send(new, &fields).await;
    assert_eq!(hours.heading(), "Opening hours");
    let path = hours.address.split('?').next().unwrap().to_owned();
    let mut week = form(&hours);
    set(&mut week, "d3-0-opens", "08:00");
    set(&mut week, "d3-0-closes", "07:00");
    set(&mut week, "d4-0-opens", "17:00");
    set(&mut week, "d4-0-closes", "13:00");
    let wrong = visitor.send(&path, &week).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.html.contains("id=\"day-4-error\"") && wrong.html.contains("href=\"#day-4\""));
    set(&mut week, "d3-0-closes", "12:30");
    set(&mut week, "d3-1-opens", "13:15");
    set(&mut week, "d3-1-closes", "17:00");
    set(&mut week, "d4-0-opens", "");
    set(&mut week, "d4-0-closes", "");
    let saved = visitor.send(&path, &week).await;
    assert_eq!(saved.status, StatusCode::OK);
    let entered = "select count(*) from opening join staff on staff.lane_id = opening.lane_id
         where staff.name = 'Zanele Mokoena' and weekday = 3 and opens in (480, 795)";
    assert_eq!(world.count(entered).await, 2);
    let mut day = vec![("csrf".to_owned(), saved.field("csrf"))];
    set(&mut day, "date", "2099-12-24");
    let differs = visitor.send(&format!("{path}/differ"), &day).await;
    assert!(differs.html.contains("Thursday 24 December 2099"));
    let removed = visitor.send(&format!("{path}/differ/remove"), &day).await;
    assert!(!removed.html.contains("Thursday 24 December 2099"));
    let staff: Uuid = one(&world, "select id from staff where name = 'Sipho Dlamini'").await;
    let path = format!("/desk/karoo-cuts/staff/{staff}/employ");
    let gone = [
        ("csrf".to_owned(), removed.field("csrf")),
        ("here".to_owned(), "no".to_owned()),
    ];
    let list = visitor.send(&path, &gone).await;
    assert!(list.html.contains("No longer here"));
    let kept = "select count(*) from booking join staff on staff.id = staff_id
         where staff.name = 'Sipho Dlamini' and booking.state = 'confirmed' and starts_at > now()";
    assert!(world.count(kept).await > 0, "edge case 29");
}

#[tokio::test]
async fn settings_are_changed_and_what_is_booked_keeps_its_terms() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = manager(&site).await;
    let path = "/desk/karoo-cuts/settings";
    let page = visitor.open(path).await;
    let stale = form(&page);
    let mut fields = form(&page);
    set(&mut fields, "zone", "Africa/Nowhere");
    let wrong = visitor.send(path, &fields).await;
    assert!(wrong.html.contains("id=\"zone-error\""));
    for (name, value) in [
        ("zone", "Africa/Johannesburg"),
        ("name", "Karoo Cuts & Colour"),
        ("hours", "24"),
        ("percent", "50"),
        ("cap", "150"),
    ] {
        set(&mut fields, name, value);
    }
    let saved = visitor.send(path, &fields).await;
    assert!(saved.html.contains("Saved.") && saved.html.contains("value=\"150\""));
    let public = site.visitor().open("/karoo-cuts").await;
    assert_eq!(public.heading(), "Karoo Cuts &#38; Colour");
    let told = visitor.send(path, &stale).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_booking_keeps_its_fee_and_its_limit_when_the_terms_change() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let book = async |who: &str| {
        let start = api.free("karoo-cuts", "haircut", 14).await.pop().unwrap();
        let wish = crate::site::wish("haircut", &start, who);
        let said = api.book("karoo-cuts", who, &wish).await;
        said.text("token").to_owned()
    };
    let fee = async |token: &str| {
        let said = api.get(&format!("/api/v1/bookings/{token}")).await;
        said.body["cancellation_fee_cents"].as_i64()
    };
    let visitor = manager(&site).await;
    let path = "/desk/karoo-cuts/settings";
    let change = async |changes: &[(&str, &str)]| {
        let mut fields = form(&visitor.open(path).await);
        for (name, value) in changes {
            set(&mut fields, name, value);
        }
        let saved = visitor.send(path, &fields).await;
        assert!(saved.html.contains("Saved."), "{}", saved.html);
    };
    let before = book("before").await;
    let agreed = fee(&before).await;
    change(&[("hours", "720"), ("percent", "100"), ("limit", "0")]).await;
    let after = book("after").await;
    assert_eq!(fee(&before).await, agreed, "edge case 51");
    assert!(fee(&after).await > agreed, "the new terms cost more");
    change(&[("limit", "43200")]).await;
    let last = book("last").await;
    assert_eq!(api.cancel(&last).await.status, 409);
    assert_eq!(api.cancel(&before).await.status, 200, "edge case 51");
}

#[tokio::test]
async fn a_service_has_an_address_whatever_it_is_called_and_needs_what_can_be_read() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = manager(&site).await;
    let new = "/desk/karoo-cuts/services/new";
    let mut fields = form(&visitor.open(new).await);
    set(&mut fields, "name", "Privacy");
    set(&mut fields, "price", "100");
    let pool = "need-00000000-0000-4000-8000-000000000001";
    for wrong in ["two", "51", "-1"] {
        set(&mut fields, pool, wrong);
        let told = visitor.send(new, &fields).await;
        assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(told.html.contains("href=\"#needs\""), "{}", told.html);
    }
    set(&mut fields, pool, " 0 ");
    let list = visitor.send(new, &fields).await;
    assert_eq!(list.status, StatusCode::OK, "{}", list.html);
    let kept = "select count(*) from service where slug = 'privacy-2' and name = 'Privacy'";
    assert_eq!(world.count(kept).await, 1);
    // Many at once of one name get an address each.
    set(&mut fields, "name", "Hot towel");
    let one = || visitor.send(new, &fields);
    tokio::join!(one(), one(), one(), one(), one());
    let kept = "select count(*) from service where name = 'Hot towel'";
    assert_eq!(world.count(kept).await, 5);
}

#[tokio::test]
async fn hours_that_a_closed_day_would_swallow_are_not_said_to_be_saved() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = manager(&site).await;
    let lane: Uuid = one(
        &world,
        "select lane_id from staff where name = 'Sipho Dlamini'",
    )
    .await;
    let path = format!("/desk/karoo-cuts/hours/{lane}");
    let page = visitor.open(&path).await;
    let mut day = vec![("csrf".to_owned(), page.field("csrf"))];
    set(&mut day, "date", "2099-12-24");
    visitor.send(&format!("{path}/differ"), &day).await;
    set(&mut day, "opens", "09:00");
    set(&mut day, "closes", "12:00");
    let told = visitor.send(&format!("{path}/differ"), &day).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(told.html.contains("This day is closed."), "{}", told.html);
    visitor.send(&format!("{path}/differ/remove"), &day).await;
    let saved = visitor.send(&format!("{path}/differ"), &day).await;
    assert_eq!(saved.status, StatusCode::OK);
}

#[tokio::test]
async fn a_room_is_added_needed_and_taken_out_of_use() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = manager(&site).await;
    let path = "/desk/karoo-cuts/rooms";
    let page = visitor.open(path).await;
    let mut fields = page.form("novalidate");
    let wrong = visitor.send(path, &fields).await;
    assert!(wrong.html.contains("id=\"name-error\""));
    set(&mut fields, "name", "Basin");
    let listed = visitor.send(path, &fields).await;
    assert!(listed.html.contains("Basin"));
    let pool: Uuid = one(&world, "select id from pool where name = 'Basin'").await;
    let service: Uuid = one(
        &world,
        "select service.id from service join business on business.id = business_id
         where business.slug = 'karoo-cuts' and service.slug = 'haircut'",
    )
    .await;
    let of_service = format!("/desk/karoo-cuts/services/{service}");
    let mut fields = form(&visitor.open(&of_service).await);
    set(&mut fields, &format!("need-{pool}"), "1");
    visitor.send(&of_service, &fields).await;
    let needed = "select count(*) from service_need join pool on pool.id = pool_id
        where pool.name = 'Basin'";
    assert_eq!(world.count(needed).await, 1);
    let offered = site.visitor().open("/karoo-cuts/haircut").await;
    assert!(offered.html.contains("name=\"start\""));
    // Without its room there is no haircut.
    let unit: Uuid = one(&world, "select id from lane where name = 'Basin'").await;
    let token = listed.field("csrf");
    let unused = [
        ("csrf", token),
        ("unit", unit.to_string()),
        ("used", "no".to_owned()),
    ];
    let unused = unused.map(|(name, value)| (name.to_owned(), value));
    let listed = visitor.send(&format!("{path}/{pool}/use"), &unused).await;
    assert!(listed.html.contains("Out of use"));
    let offered = site.visitor().open("/karoo-cuts/haircut").await;
    assert!(!offered.html.contains("name=\"start\""));
}

#[tokio::test]
async fn what_could_not_be_sent_is_shown_with_its_reason_and_tried_again() {
    let world = World::seeded().await;
    let site = world.site().await;
    let all = world.all().await;
    for (slug, late) in [
        ("karoo-cuts", false),
        ("karoo-cuts", true),
        ("bluff-physio", false),
    ] {
        sqlx::query(
            "insert into outbox (id, business_id, dedupe_key, kind, channel, state, booking_id,
                 recipient, reason, send_after, expires_at)
             select gen_random_uuid(), business.id, gen_random_uuid()::text, 'reminder', 'email',
                 'dead', (select id from booking where business_id = business.id limit 1),
                 'thandi@example.com', '550 no such user', now(),
                 case when $2 then now() - interval '1 hour' end
             from business where slug = $1",
        )
        .bind(slug)
        .bind(late)
        .execute(&all)
        .await
        .unwrap();
    }
    let visitor = manager(&site).await;
    let today = visitor.open("/desk/karoo-cuts").await;
    assert!(today.html.contains("2 messages could not be sent"));
    let page = visitor.open("/desk/karoo-cuts/messages").await;
    assert_eq!(page.html.matches("550 no such user").count(), 2);
    assert_eq!(page.html.matches("Too late to send").count(), 1);
    let token = [("csrf".to_owned(), page.field("csrf"))];
    let page = visitor
        .send("/desk/karoo-cuts/messages/again", &token)
        .await;
    assert_eq!(
        page.html.matches("550 no such user").count(),
        1,
        "what is late stays"
    );
    let again = "select count(*) from outbox where state = 'waiting' and attempts = 0
         and recipient = 'thandi@example.com'";
    assert_eq!(world.count(again).await, 1, "a neighbour's stays as it is");
}
