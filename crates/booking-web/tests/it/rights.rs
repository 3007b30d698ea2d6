//! Who may reach what at a desk: every address of the router with every role, a stranger and
//! the owner next door. A new address without an entry here fails, and so does a handler that
//! forgets to ask for the right.

use std::collections::BTreeMap;

use crate::site::{Visitor, World};
use reqwest::StatusCode;
use uuid::Uuid;

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Everybody,
    /// Whoever keeps customers: not those who have only their own calendar.
    FrontDesk,
    Managers,
    Owner,
}

use Who::{Everybody, FrontDesk, Managers, Owner};

impl Who {
    /// In the order of `PEOPLE`.
    fn may(self) -> [bool; 4] {
        match self {
            Everybody => [true; 4],
            FrontDesk => [true, true, true, false],
            Managers => [true, true, false, false],
            Owner => [true, false, false, false],
        }
    }
}

const PEOPLE: [&str; 4] = [
    "owner@karoo-cuts.example",
    "manager@karoo-cuts.example",
    "desk@karoo-cuts.example",
    "sipho@karoo-cuts.example",
];

/// Each address with who may open it and who may send a form to it.
const TABLE: &[(&str, Option<Who>, Option<Who>)] = &[
    ("", Some(Everybody), None),
    ("/welcome", Some(Everybody), None),
    ("/members", Some(Owner), Some(Owner)),
    ("/calendar", Some(Everybody), None),
    ("/calendar/week", Some(Everybody), None),
    ("/bookings/{booking}", Some(Everybody), None),
    ("/bookings/{booking}/note", None, Some(Everybody)),
    ("/book", Some(Everybody), Some(Everybody)),
    ("/walk-in", Some(Everybody), Some(Everybody)),
    ("/time-off", Some(Everybody), None),
    ("/time-off/new", Some(Everybody), Some(Everybody)),
    ("/time-off/end", None, Some(Everybody)),
    ("/bookings/{booking}/state", None, Some(Everybody)),
    ("/bookings/{booking}/move", Some(Everybody), Some(Everybody)),
    (
        "/bookings/{booking}/cancel",
        Some(Everybody),
        Some(Everybody),
    ),
    (
        "/bookings/{booking}/repeat",
        Some(Everybody),
        Some(Everybody),
    ),
    ("/customers", Some(FrontDesk), None),
    ("/customers/new", Some(FrontDesk), Some(FrontDesk)),
    ("/customers/{customer}", Some(FrontDesk), Some(FrontDesk)),
    (
        "/customers/{customer}/merge",
        Some(FrontDesk),
        Some(FrontDesk),
    ),
    ("/services", Some(Managers), None),
    ("/services/new", Some(Managers), Some(Managers)),
    ("/services/{service}", Some(Managers), Some(Managers)),
    ("/services/{service}/offer", None, Some(Managers)),
    ("/rooms", Some(Managers), Some(Managers)),
    ("/rooms/{kind}", None, Some(Managers)),
    ("/rooms/{kind}/use", None, Some(Managers)),
    ("/messages", Some(Managers), None),
    ("/messages/again", None, Some(Managers)),
    ("/settings", Some(Managers), Some(Managers)),
    ("/settings/messages", Some(Managers), Some(Managers)),
    ("/settings/holidays", Some(Managers), Some(Managers)),
    ("/settings/privacy", Some(Managers), Some(Managers)),
    ("/keys", Some(Owner), Some(Owner)),
    ("/keys/{key}/revoke", None, Some(Owner)),
    ("/feeds", Some(Owner), Some(Owner)),
    ("/feeds/{feed}", None, Some(Owner)),
    ("/webhooks", Some(Owner), Some(Owner)),
    ("/webhooks/{webhook}", Some(Owner), Some(Owner)),
    ("/staff", Some(Managers), None),
    ("/staff/new", Some(Managers), Some(Managers)),
    ("/staff/{staff}", Some(Managers), Some(Managers)),
    ("/staff/{staff}/employ", None, Some(Managers)),
    ("/hours/{lane}", Some(Managers), Some(Managers)),
    ("/hours/{lane}/differ", None, Some(Managers)),
    ("/hours/{lane}/differ/remove", None, Some(Managers)),
    ("/privacy", Some(Managers), Some(Managers)),
    (
        "/privacy/requests/{request}",
        Some(Managers),
        Some(Managers),
    ),
    ("/privacy/requests/{request}/copy", Some(Managers), None),
    (
        "/privacy/requests/{request}/copy.json",
        Some(Managers),
        None,
    ),
    ("/privacy/access", Some(Owner), None),
    ("/privacy/incidents", Some(Owner), Some(Owner)),
    ("/privacy/incidents/{incident}", Some(Owner), Some(Owner)),
];

/// Every address of a desk in the router, and whether it is opened and sent to.
fn routes() -> BTreeMap<String, (bool, bool)> {
    let router = include_str!("../../src/router.rs");
    let mut routes = BTreeMap::new();
    for route in router.split(".route(").skip(1) {
        let Some(rest) = route.split('"').nth(1) else {
            continue;
        };
        let Some(path) = rest.strip_prefix("/desk/{business}") else {
            continue;
        };
        let handlers = route.split('"').nth(2).unwrap();
        let handlers = handlers.split("\n        )").next().unwrap();
        let methods = (handlers.contains("get("), handlers.contains("post("));
        routes.insert(path.to_owned(), methods);
    }
    routes
}

#[test]
fn every_address_of_a_desk_says_who_may_reach_it() {
    let mut table = BTreeMap::new();
    for (path, opens, sends) in TABLE {
        table.insert((*path).to_owned(), (opens.is_some(), sends.is_some()));
    }
    assert_eq!(table, routes());
}

/// An id of everything that stands in an address.
async fn ids(world: &World) -> Vec<(&'static str, Uuid)> {
    let pool = world.all().await;
    for statement in [
        "insert into privacy_request (id, business_id, kind, channel, state, customer_id, language,
             received_at, due_at)
         select gen_random_uuid(), business_id, 'access', 'phone', 'open', customer_id, 'en',
             now(), now() + interval '30 days'
         from booking join business on business.id = business_id
         where slug = 'karoo-cuts' and customer_id is not null limit 1",
        "insert into incident (id, business_id, what, noticed_at, began_at, ended_at, consequences,
             measures, advice, created_by, created_at)
         select gen_random_uuid(), id, 'a', now(), now(), now(), 'a', 'a', 'a',
             gen_random_uuid(), now()
         from business where slug = 'karoo-cuts'",
        "insert into webhook (id, business_id, url, secret, created_at)
         select gen_random_uuid(), id, 'https://hooks.example/a', sha256('a'), now()
         from business where slug = 'karoo-cuts'",
        "insert into pool (id, business_id, location_id, name)
         select gen_random_uuid(), business.id, location.id, 'Basin'
         from business join location on location.business_id = business.id
         where slug = 'karoo-cuts' limit 1",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    let mut ids = Vec::new();
    for (name, query) in [
        (
            "{booking}",
            "select booking.id from booking join staff on staff.id = staff_id where staff.name = 'Sipho Dlamini' and customer_id is not null limit 1",
        ),
        (
            "{customer}",
            "select customer_id from booking join business on business.id = business_id where slug = 'karoo-cuts' and customer_id is not null limit 1",
        ),
        (
            "{service}",
            "select service.id from service join business on business.id = business_id where business.slug = 'karoo-cuts' limit 1",
        ),
        ("{kind}", "select id from pool where name = 'Basin'"),
        (
            "{staff}",
            "select id from staff where name = 'Sipho Dlamini'",
        ),
        (
            "{lane}",
            "select lane_id from staff where name = 'Sipho Dlamini'",
        ),
        ("{request}", "select id from privacy_request"),
        ("{key}", "select gen_random_uuid()"),
        ("{feed}", "select gen_random_uuid()"),
        ("{webhook}", "select id from webhook"),
        ("{incident}", "select id from incident"),
    ] {
        let id = sqlx::query_scalar(query).fetch_one(&pool).await;
        ids.push((name, id.unwrap_or_else(|error| panic!("{name}: {error}"))));
    }
    ids
}

/// Sends a form that says nothing, as one that a page of ours gave, and follows nothing.
async fn send(visitor: &Visitor, path: &str, csrf: &str) -> StatusCode {
    let nothing = Uuid::nil().to_string();
    let fields = [
        ("csrf", csrf),
        ("other", &nothing),
        ("unit", &nothing),
        ("act", "done"),
    ];
    let request = visitor.client.post(format!("{}{path}", visitor.address));
    request.form(&fields).send().await.unwrap().status()
}

#[tokio::test]
async fn each_role_reaches_what_it_may_and_nothing_else() {
    let world = World::seeded().await;
    let site = world.site().await;
    let ids = ids(&world).await;
    let filled = |path: &str| {
        let mut path = format!("/desk/karoo-cuts{path}");
        for (name, id) in &ids {
            path = path.replace(name, &id.to_string());
        }
        path
    };
    for (at, person) in PEOPLE.iter().enumerate() {
        let visitor = site.visitor();
        let csrf = visitor.sign_in(person).await.field("csrf");
        for (path, opens, sends) in TABLE {
            let address = filled(path);
            if let Some(who) = opens {
                let status = visitor.open(&address).await.status;
                // A page that says what its address lacks is a page that may be opened.
                let is_open = [StatusCode::OK, StatusCode::UNPROCESSABLE_ENTITY].contains(&status);
                let may = who.may()[at];
                assert!(
                    if may {
                        is_open
                    } else {
                        status == StatusCode::FORBIDDEN
                    },
                    "{person} opens {path}: {status}"
                );
            }
            // What is allowed is asked by the first of them only: forms change things.
            if let Some(who) = sends
                && (at == 0 || !who.may()[at])
            {
                let is_forbidden = send(&visitor, &address, &csrf).await == StatusCode::FORBIDDEN;
                assert_eq!(is_forbidden, !who.may()[at], "{person} sends to {path}");
            }
        }
    }
    let stranger = site.visitor();
    let csrf = stranger.open("/sign-in").await.field("csrf");
    let next_door = site.visitor();
    let theirs = next_door.sign_in("owner@bluff-physio.example").await;
    for (path, opens, sends) in TABLE {
        let address = filled(path);
        if opens.is_some() {
            let status = stranger.open(&address).await.status;
            assert_eq!(status, StatusCode::SEE_OTHER, "a stranger opens {path}");
            let status = next_door.open(&address).await.status;
            assert_eq!(status, StatusCode::NOT_FOUND, "a neighbour opens {path}");
        }
        if sends.is_some() {
            let status = send(&stranger, &address, &csrf).await;
            assert_eq!(status, StatusCode::SEE_OTHER, "a stranger sends to {path}");
            let status = send(&next_door, &address, &theirs.field("csrf")).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "a neighbour sends to {path}");
        }
    }
}
