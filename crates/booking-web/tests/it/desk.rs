//! The desk as the people of a business meet it: what each role may see and do, and that a
//! neighbour learns nothing.

use crate::site::{Page, Site, Visitor, World, filled};
use reqwest::StatusCode;
use uuid::Uuid;

const OWNER: &str = "owner@karoo-cuts.example";
const MANAGER: &str = "manager@karoo-cuts.example";
const FRONT_DESK: &str = "desk@karoo-cuts.example";
const STAFF: &str = "sipho@karoo-cuts.example";
const NEIGHBOUR: &str = "owner@bluff-physio.example";

/// A page of the desk, and who of owner, manager, front desk and staff may see it. What
/// another's calendar holds does not exist for staff.
struct Route {
    path: String,
    statuses: [StatusCode; 4],
}

const OK: StatusCode = StatusCode::OK;
const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
const NOT_FOUND: StatusCode = StatusCode::NOT_FOUND;

/// A booking to come of somebody in the calendar.
async fn booking_of(world: &World, staff: &str) -> Uuid {
    sqlx::query_scalar(
        "select booking.id from booking join staff on staff.id = staff_id
         where staff.name = $1 and starts_at > now() order by starts_at limit 1",
    )
    .bind(staff)
    .fetch_one(&world.all().await)
    .await
    .unwrap()
}

async fn routes(world: &World) -> Vec<Route> {
    let own = booking_of(world, "Sipho Dlamini").await;
    let other = booking_of(world, "Anneke Botha").await;
    let all = |path: String| Route {
        path,
        statuses: [OK; 4],
    };
    let customer: Uuid = sqlx::query_scalar("select customer_id from booking where id = $1")
        .bind(own)
        .fetch_one(&world.all().await)
        .await
        .unwrap();
    let desk = |path: String| Route {
        path,
        statuses: [OK, OK, OK, FORBIDDEN],
    };
    let (service, staff, lane): (Uuid, Uuid, Uuid) = sqlx::query_as(
        "select service_id, staff_id, lane_id from booking
         join staff on staff.id = staff_id where booking.id = $1",
    )
    .bind(own)
    .fetch_one(&world.all().await)
    .await
    .unwrap();
    let office = |path: String| Route {
        path,
        statuses: [OK, OK, FORBIDDEN, FORBIDDEN],
    };
    let keys = |path: &str| Route {
        path: format!("/desk/karoo-cuts/{path}"),
        statuses: [OK, FORBIDDEN, FORBIDDEN, FORBIDDEN],
    };
    vec![
        keys("keys"),
        keys("feeds"),
        keys("webhooks"),
        office("/desk/karoo-cuts/rooms".into()),
        office("/desk/karoo-cuts/messages".into()),
        office("/desk/karoo-cuts/settings".into()),
        office("/desk/karoo-cuts/settings/messages".into()),
        office("/desk/karoo-cuts/settings/holidays".into()),
        office("/desk/karoo-cuts/settings/privacy".into()),
        office("/desk/karoo-cuts/services".into()),
        office("/desk/karoo-cuts/services/new".into()),
        office(format!("/desk/karoo-cuts/services/{service}")),
        office("/desk/karoo-cuts/staff".into()),
        office("/desk/karoo-cuts/staff/new".into()),
        office(format!("/desk/karoo-cuts/staff/{staff}")),
        office(format!("/desk/karoo-cuts/hours/{lane}")),
        desk("/desk/karoo-cuts/customers".into()),
        desk("/desk/karoo-cuts/customers?q=thandi".into()),
        desk("/desk/karoo-cuts/customers/new".into()),
        desk(format!("/desk/karoo-cuts/customers/{customer}")),
        desk(format!("/desk/karoo-cuts/customers/{customer}/merge")),
        all("/desk/karoo-cuts".into()),
        all("/desk/karoo-cuts/calendar".into()),
        all("/desk/karoo-cuts/calendar?day=2027-03-24".into()),
        all("/desk/karoo-cuts/calendar?day=nonsense&staff=nonsense".into()),
        all("/desk/karoo-cuts/calendar/week".into()),
        all("/desk/karoo-cuts/book".into()),
        all("/desk/karoo-cuts/book?service=haircut".into()),
        all("/desk/karoo-cuts/walk-in?service=haircut".into()),
        all("/desk/karoo-cuts/time-off".into()),
        all(format!("/desk/karoo-cuts/bookings/{own}/move")),
        all(format!("/desk/karoo-cuts/bookings/{own}/cancel")),
        all(format!(
            "/desk/karoo-cuts/bookings/{own}/repeat?every=week&count=3"
        )),
        all(format!("/desk/karoo-cuts/bookings/{own}")),
        Route {
            path: format!("/desk/karoo-cuts/bookings/{other}/move"),
            statuses: [OK, OK, OK, NOT_FOUND],
        },
        Route {
            path: format!("/desk/karoo-cuts/bookings/{other}"),
            statuses: [OK, OK, OK, NOT_FOUND],
        },
    ]
}

pub(crate) async fn signed_in(site: &Site, email: &str) -> Visitor {
    let visitor = site.visitor();
    let page = visitor.sign_in(email).await;
    assert_eq!(page.status, OK, "{email} is not let in");
    visitor
}

#[tokio::test]
async fn each_role_sees_what_it_may_and_a_neighbour_sees_nothing() {
    let world = World::seeded().await;
    let site = world.site().await;
    let routes = routes(&world).await;
    for (index, email) in [OWNER, MANAGER, FRONT_DESK, STAFF].into_iter().enumerate() {
        let visitor = signed_in(&site, email).await;
        for route in &routes {
            let page = visitor.open(&route.path).await;
            assert_eq!(
                page.status, route.statuses[index],
                "{email} at {}",
                route.path
            );
        }
    }
    let neighbour = signed_in(&site, NEIGHBOUR).await;
    let nowhere = neighbour.open("/desk/no-such-business").await;
    for route in &routes {
        let page = neighbour.open(&route.path).await;
        assert_eq!(page.status, NOT_FOUND, "a neighbour at {}", route.path);
        assert_eq!(page.heading(), nowhere.heading(), "{}", route.path);
    }
    let stranger = site.visitor();
    for route in &routes {
        let page = stranger.open(&route.path).await;
        assert_eq!(
            page.status,
            StatusCode::SEE_OTHER,
            "a stranger at {}",
            route.path
        );
    }
}

#[tokio::test]
async fn staff_sees_their_own_calendar_and_the_front_desk_everybodys() {
    let world = World::seeded().await;
    let site = world.site().await;
    let names = ["Sipho Dlamini", "Anneke Botha", "Themba Khumalo"];
    let shown = async |email: &str| {
        let page = signed_in(&site, email)
            .await
            .open("/desk/karoo-cuts/calendar")
            .await;
        names.map(|name| page.html.contains(&format!(">{name} <span")))
    };
    assert_eq!(shown(FRONT_DESK).await, [true, true, true]);
    assert_eq!(shown(STAFF).await, [true, false, false]);
}

#[tokio::test]
async fn a_booking_is_in_the_calendar_of_its_day_and_its_week() {
    let world = World::seeded().await;
    let site = world.site().await;
    let booking = booking_of(&world, "Anneke Botha").await;
    let day: String = sqlx::query_scalar("select left(local_start, 10) from booking where id = $1")
        .bind(booking)
        .fetch_one(&world.all().await)
        .await
        .unwrap();
    let visitor = signed_in(&site, OWNER).await;
    for path in ["calendar", "calendar/week"] {
        let page = visitor
            .open(&format!("/desk/karoo-cuts/{path}?day={day}"))
            .await;
        let address = format!("/desk/karoo-cuts/bookings/{booking}");
        assert!(page.links().contains(&address), "{path} of {day}");
    }
}

fn note(page: &Page, text: &str) -> Vec<(String, String)> {
    [
        ("csrf", page.field("csrf")),
        ("seen", page.field("seen")),
        ("note", text.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

#[tokio::test]
async fn of_two_who_write_at_once_the_second_is_told() {
    let world = World::seeded().await;
    let site = world.site().await;
    let path = format!(
        "/desk/karoo-cuts/bookings/{}",
        booking_of(&world, "Sipho Dlamini").await
    );
    let (one, two) = (
        signed_in(&site, FRONT_DESK).await,
        signed_in(&site, STAFF).await,
    );
    let (first, second) = (one.open(&path).await, two.open(&path).await);
    let to = format!("{path}/note");
    let saved = one.send(&to, &note(&first, "Rings twice")).await;
    assert!(saved.html.contains("Rings twice") && saved.html.contains("Saved."));
    let told = two.send(&to, &note(&second, "Comes by bus")).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(told.html.contains("Comes by bus"), "what was typed is lost");
    assert_eq!(told.html.matches("Somebody else changed this").count(), 2);
    let again = two.send(&to, &note(&told, "Comes by bus")).await;
    assert!(again.html.contains("Comes by bus") && again.html.contains("Saved."));
}

#[tokio::test]
async fn a_form_of_the_desk_needs_its_token_and_its_member() {
    let world = World::seeded().await;
    let site = world.site().await;
    let path = format!(
        "/desk/karoo-cuts/bookings/{}",
        booking_of(&world, "Anneke Botha").await
    );
    let owner = signed_in(&site, OWNER).await;
    let page = owner.open(&path).await;
    let mut forged = note(&page, "forged");
    forged[0].1 = "nonsense".into();
    let to = format!("{path}/note");
    assert_eq!(owner.send(&to, &forged).await.status, StatusCode::FORBIDDEN);
    for email in [STAFF, NEIGHBOUR] {
        let other = signed_in(&site, email).await;
        let mut fields = note(&page, "not mine");
        fields[0].1 = other.open("/desk").await.field("csrf");
        assert_eq!(other.send(&to, &fields).await.status, NOT_FOUND, "{email}");
    }
    let written = "select count(*) from booking where desk_note is not null";
    assert_eq!(world.count(written).await, 0);
}

/// The form of a customer's page, or of a new one, with other values.
fn details(page: &Page, name: &str, email: &str) -> Vec<(String, String)> {
    let mut fields = vec![
        ("csrf", page.field("csrf")),
        ("name", name.to_owned()),
        ("email", email.to_owned()),
        ("phone", "082 555 0101".to_owned()),
        ("note", String::new()),
    ];
    if page.html.contains("name=\"seen\"") {
        fields.push(("seen", page.field("seen")));
    }
    let owned = |(name, value): (&str, String)| (name.to_owned(), value);
    fields.into_iter().map(owned).collect()
}

#[tokio::test]
async fn a_customer_is_added_found_by_name_and_number_and_corrected() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = signed_in(&site, FRONT_DESK).await;
    let new = "/desk/karoo-cuts/customers/new";
    let form = visitor.open(new).await;
    let wrong = visitor.send(new, &details(&form, "", "nonsense")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["name", "email"] {
        assert!(
            wrong.html.contains(&format!("href=\"#{field}\"")),
            "{field}"
        );
        assert!(
            wrong.html.contains(&format!("id=\"{field}-error\"")),
            "{field}"
        );
    }
    let made = visitor
        .send(new, &details(&form, "Zanele Mokoena", ""))
        .await;
    assert_eq!((made.status, made.heading()), (OK, "Zanele Mokoena"));
    for asked in ["mokoena", "0825550101", "0101"] {
        let page = visitor
            .open(&format!("/desk/karoo-cuts/customers?q={asked}"))
            .await;
        assert!(page.html.contains("Zanele Mokoena"), "{asked}");
    }
    let path = made.address.split('?').next().unwrap().to_owned();
    let page = visitor.open(&path).await;
    let corrected = details(&page, "Zanele Nkosi", "zanele@example.co.za");
    let saved = visitor.send(&path, &corrected).await;
    assert_eq!(saved.heading(), "Zanele Nkosi");
    // The page that was open before is of the past now.
    let stale = visitor.send(&path, &corrected).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    let form = visitor.open(new).await;
    let twice = details(&form, "Another", "zanele@example.co.za");
    let twice = visitor.send(new, &twice).await;
    assert!(twice.html.contains("Another customer has this address"));
}

#[tokio::test]
async fn a_merged_customer_keeps_every_booking_and_the_old_address_leads_there() {
    let world = World::seeded().await;
    let site = world.site().await;
    let all = world.all().await;
    let pair: Vec<(Uuid, String, i64)> = sqlx::query_as(
        "select customer.id, customer.email, count(booking.id) from customer
         join booking on booking.customer_id = customer.id
         join business on business.id = customer.business_id
         where slug = 'karoo-cuts' group by 1, 2 order by 2 limit 2",
    )
    .fetch_all(&all)
    .await
    .unwrap();
    let [(stays, _, some), (goes, email, more)] = pair.as_slice() else {
        panic!("the demonstration has no two customers");
    };
    let visitor = signed_in(&site, FRONT_DESK).await;
    let path = format!("/desk/karoo-cuts/customers/{stays}/merge");
    let plan = visitor.open(&format!("{path}?other={goes}")).await;
    assert!(plan.html.contains("What will happen"));
    let fields = |page: &Page| -> Vec<(String, String)> {
        ["csrf", "other", "seen"]
            .map(|name| (name.to_owned(), page.field(name)))
            .into()
    };
    sqlx::query("update customer set note = 'meanwhile' where id = $1")
        .bind(goes)
        .execute(&all)
        .await
        .unwrap();
    let told = visitor.send(&path, &fields(&plan)).await;
    assert_eq!(told.status, StatusCode::CONFLICT);
    let merged = visitor.send(&path, &fields(&told)).await;
    assert_eq!(merged.status, OK);
    let counted: i64 = sqlx::query_scalar("select count(*) from booking where customer_id = $1")
        .bind(stays)
        .fetch_one(&all)
        .await
        .unwrap();
    assert_eq!(counted, some + more);
    let old = visitor
        .open(&format!("/desk/karoo-cuts/customers/{goes}"))
        .await;
    assert_eq!(old.status, StatusCode::SEE_OTHER);
    // Whoever books with the address of the one that went is the one that stays.
    let stranger = site.visitor();
    let start = stranger.open("/karoo-cuts/haircut").await.field("start");
    let form = format!("/karoo-cuts/haircut/details?start={start}");
    let form = stranger.open(&form).await;
    let mut booked = filled(&form);
    for (name, value) in &mut booked {
        if name == "email" {
            value.clone_from(email);
        }
    }
    stranger.send("/karoo-cuts/haircut/details", &booked).await;
    let counted: i64 = sqlx::query_scalar("select count(*) from booking where customer_id = $1")
        .bind(stays)
        .fetch_one(&all)
        .await
        .unwrap();
    assert_eq!(counted, some + more + 1);
}
