//! Programs with keys: what a key opens and what it does not, lists page by page, changes
//! that were overtaken, and calendars at secret addresses.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Said, Site, World, said, wish};

/// Makes a key of a business, as its owner does, that allows these scopes.
pub(crate) async fn key(world: &World, business: &str, scopes: &[&str]) -> String {
    let secret = format!("bk_{business:0<8.8}_{}", scopes.join(""));
    let scopes: Vec<_> = scopes.iter().map(|&scope| scope.to_owned()).collect();
    let pool = world.all().await;
    sqlx::query(
        "insert into api_key (id, business_id, name, prefix, secret_hash, scopes, created_at)
         select gen_random_uuid(), id, 'test', 'bk_test0000', $2, $3, now() from business
         where slug = $1",
    )
    .bind(business)
    .bind(blake3::hash(secret.as_bytes()).as_bytes().as_slice())
    .bind(scopes)
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    secret
}

/// A program that has a key.
pub(crate) struct Holder<'a> {
    pub(crate) site: &'a Site,
    pub(crate) key: String,
}

impl Holder<'_> {
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Said {
        self.ask_with(method, path, body, &[]).await
    }

    pub(crate) async fn get(&self, path: &str) -> Said {
        self.ask(Method::GET, path, None).await
    }

    async fn ask_with(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Said {
        let request = self.site.api().client.request(method, self.site.url(path));
        let request = request
            .bearer_auth(&self.key)
            .header("idempotency-key", "k");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        said(request).await
    }
}

pub(crate) fn kind(said: &Said) -> (u16, &str) {
    (said.status, said.text("type").rsplit('/').next().unwrap())
}

const BOOKINGS: &str = "/api/v1/businesses/karoo-cuts/bookings";

#[tokio::test]
async fn only_a_good_key_with_the_scope_opens_what_is_the_business_s_own() {
    let world = World::seeded().await;
    let site = world.site().await;
    let none = site.api().get(BOOKINGS).await;
    assert_eq!(kind(&none), (401, "key-needed"));
    let guessed = Holder {
        site: &site,
        key: "bk_guessed0_aaaaaaaaaaaaaaaaaaaaaaaaaa".into(),
    };
    assert_eq!(kind(&guessed.get(BOOKINGS).await), (401, "key-needed"));

    let holder = Holder {
        site: &site,
        key: key(&world, "karoo-cuts", &["read:bookings"]).await,
    };
    let listed = holder.get(&format!("{BOOKINGS}?limit=2")).await;
    assert_eq!(listed.status, 200, "{listed:?}");
    let rows = listed.body["bookings"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert!(
        rows[0].get("customer").is_none(),
        "it may not see customers"
    );
    for path in ["customers", "keys", "feeds"] {
        let path = format!("/api/v1/businesses/karoo-cuts/{path}");
        assert_eq!(kind(&holder.get(&path).await), (403, "forbidden"), "{path}");
    }
    let used = "select count(*) from api_key where last_used_at is not null";
    assert_eq!(world.count(used).await, 1);

    let pool = world.all().await;
    for end in [
        "update api_key set expires_at = now()",
        "update api_key set expires_at = null, revoked_at = now()",
    ] {
        sqlx::query(end).execute(&pool).await.unwrap();
        assert_eq!(
            kind(&holder.get(BOOKINGS).await),
            (401, "key-needed"),
            "{end}"
        );
    }
}

#[tokio::test]
async fn what_belongs_to_a_neighbour_is_not_there() {
    let world = World::seeded().await;
    let site = world.site().await;
    let all = [
        "read:bookings",
        "write:bookings",
        "read:customers",
        "manage:keys",
        "manage:feeds",
    ];
    let own = Holder {
        site: &site,
        key: key(&world, "karoo-cuts", &all).await,
    };
    let neighbour = Holder {
        site: &site,
        key: key(&world, "the-quiet-room", &all).await,
    };
    let theirs = "/api/v1/businesses/the-quiet-room";
    let booking = neighbour.get(&format!("{theirs}/bookings?limit=1")).await;
    let booking = booking.body["bookings"][0].clone();
    let (id, staff) = (
        booking["id"].as_str().unwrap(),
        booking["staff"]["id"].as_str().unwrap(),
    );
    let wanted = json!({"name": "Till", "scopes": ["read:bookings"]});
    let (their_keys, their_feeds) = (format!("{theirs}/keys"), format!("{theirs}/feeds"));
    let made = neighbour.ask(Method::POST, &their_keys, Some(wanted.clone()));
    let made = made.await;
    let their_key = made.text("id");
    let made = neighbour.ask(Method::POST, &their_feeds, Some(json!({})));
    let made = made.await;
    let their_feed = made.text("id");

    let series: uuid::Uuid = sqlx::query_scalar(
        "insert into series (id, business_id, rule, zone, local_start, created_at)
         select gen_random_uuid(), id, 'FREQ=WEEKLY;COUNT=2', zone, '2027-03-24T09:30:00', now()
         from business where slug = 'the-quiet-room' returning id",
    )
    .fetch_one(&world.all().await)
    .await
    .unwrap();

    for (method, path, body) in [
        (Method::GET, format!("series/{series}"), None),
        (Method::POST, format!("series/{series}/cancel"), None),
        (Method::GET, "bookings".to_owned(), None),
        (Method::GET, "customers".to_owned(), None),
        (Method::GET, "keys".to_owned(), None),
        (Method::GET, "feeds".to_owned(), None),
        (Method::POST, "keys".to_owned(), Some(wanted)),
        (Method::POST, "feeds".to_owned(), Some(json!({}))),
        (Method::GET, format!("bookings/{id}"), None),
        (Method::POST, format!("bookings/{id}/cancel"), None),
        (Method::DELETE, format!("keys/{their_key}"), None),
        (Method::DELETE, format!("feeds/{their_feed}"), None),
    ] {
        // With the neighbour's address, and with one's own around the neighbour's id.
        let direct = format!("{theirs}/{path}");
        let direct = own.ask(method.clone(), &direct, body.clone()).await;
        assert_eq!(kind(&direct), (404, "not-found"), "{method} {path}");
        if path.contains('/') {
            let inside = format!("/api/v1/businesses/karoo-cuts/{path}");
            let said = own.ask(method.clone(), &inside, body).await;
            assert_eq!(kind(&said), (404, "not-found"), "{method} {inside}");
        }
    }
    let listed = own.get(&format!("{BOOKINGS}?staff={staff}")).await;
    assert_eq!(listed.body["bookings"], json!([]));
    let feed = own.ask(
        Method::POST,
        "/api/v1/businesses/karoo-cuts/feeds",
        Some(json!({"staff": staff})),
    );
    assert_eq!(kind(&feed.await), (422, "invalid-fields"));
}

#[tokio::test]
async fn a_list_is_read_to_its_end_page_by_page() {
    let world = World::seeded().await;
    let site = world.site().await;
    let holder = Holder {
        site: &site,
        key: key(&world, "karoo-cuts", &["read:bookings", "read:customers"]).await,
    };
    let customers = "/api/v1/businesses/karoo-cuts/customers";
    for (path, rows) in [(BOOKINGS, "bookings"), (customers, "customers")] {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = holder.get(&format!("{path}?limit=7{cursor}")).await;
            assert_eq!(page.status, 200, "{page:?}");
            let page_ids = page.body[rows].as_array().unwrap().iter();
            ids.extend(page_ids.map(|row| row["id"].as_str().unwrap().to_owned()));
            let Some(next) = page.body["next"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        let count = match rows {
            "bookings" => {
                "select count(*) from booking join business on business.id = business_id
                 where slug = 'karoo-cuts'"
            }
            _ => {
                "select count(*) from customer join business on business.id = business_id
                 where slug = 'karoo-cuts'"
            }
        };
        let count = usize::try_from(world.count(count).await).unwrap();
        assert!(count > 7, "{rows}");
        assert_eq!(ids.len(), count, "{rows}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count, "{rows} come twice");
    }
    let wrong = "cursor=zz&limit=0&state=gone&staff=x&from=soon&until=late";
    let wrong = holder.get(&format!("{BOOKINGS}?{wrong}")).await;
    assert_eq!(kind(&wrong), (422, "invalid-fields"));
    assert_eq!(wrong.body["errors"].as_array().unwrap().len(), 6);
    let none = holder.get(&format!("{BOOKINGS}?from=2199-01-01")).await;
    assert_eq!(none.body, json!({"bookings": []}));
}

#[tokio::test]
async fn a_change_that_was_overtaken_is_refused() {
    let world = World::seeded().await;
    let site = world.site().await;
    let scopes = ["read:bookings", "write:bookings", "read:customers"];
    let holder = Holder {
        site: &site,
        key: key(&world, "karoo-cuts", &scopes).await,
    };
    let api = site.api();
    let free = api.free("karoo-cuts", "haircut", 7).await;
    let made = api
        .book("karoo-cuts", "k", &wish("haircut", &free[0], "thandi"))
        .await;
    let path = format!("{BOOKINGS}/{}", made.text("id"));
    let read = holder.get(&path).await;
    assert_eq!(read.body["customer"]["name"], "Thandi Nkosi", "{read:?}");
    let tag = format!("\"v{}\"", read.body["version"]);

    let same = holder
        .ask_with(Method::GET, &path, None, &[("if-none-match", &tag)])
        .await;
    assert_eq!(
        (same.status, same.body),
        (304, Value::String(String::new()))
    );
    let cancel = format!("{path}/cancel");
    let cancel_if = async |tag: &str| {
        let headers = [("if-match", tag)];
        holder.ask_with(Method::POST, &cancel, None, &headers).await
    };
    assert_eq!(
        kind(&cancel_if("\"v99\"").await),
        (412, "changed-meanwhile")
    );
    let cancelled = cancel_if(&tag).await;
    assert_eq!(
        cancelled.text("state"),
        "cancelled_by_business",
        "{cancelled:?}"
    );
    assert_eq!(kind(&cancel_if(&tag).await), (412, "changed-meanwhile"));
    let again = holder.ask(Method::POST, &cancel, None).await;
    assert_eq!((again.status, again.body), (200, cancelled.body));
    assert!(
        api.free("karoo-cuts", "haircut", 7)
            .await
            .contains(&free[0])
    );

    // The same for whoever holds the secret address.
    let made = api
        .book("karoo-cuts", "l", &wish("haircut", &free[1], "thandi"))
        .await;
    let path = format!("/api/v1/bookings/{}", made.text("token"));
    let answer = api.client.get(site.url(&path)).send().await.unwrap();
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let known = api
        .client
        .get(site.url(&path))
        .header("if-none-match", &tag);
    assert_eq!(said(known).await.status, 304);
    let cancel = |tag: &str| {
        let request = api.client.post(site.url(&format!("{path}/cancel")));
        said(
            request
                .header("idempotency-key", "k")
                .header("if-match", tag),
        )
    };
    assert_eq!(kind(&cancel("\"other\"").await), (412, "changed-meanwhile"));
    assert_eq!(cancel(&tag).await.text("state"), "cancelled_by_customer");
}

#[tokio::test]
async fn a_key_makes_keys_that_allow_no_more_than_itself_and_revokes_them() {
    let world = World::seeded().await;
    let site = world.site().await;
    let holder = Holder {
        site: &site,
        key: key(&world, "karoo-cuts", &["manage:keys", "read:bookings"]).await,
    };
    let keys = "/api/v1/businesses/karoo-cuts/keys";
    let make = async |scopes: Value| {
        let wanted =
            json!({"name": "Till", "scopes": scopes, "expires_at": "2199-01-01T00:00:00Z"});
        holder.ask(Method::POST, keys, Some(wanted)).await
    };
    assert_eq!(
        kind(&make(json!(["read:customers"])).await),
        (403, "forbidden")
    );
    assert_eq!(kind(&make(json!([])).await), (422, "invalid-fields"));
    let made = make(json!(["read:bookings"])).await;
    assert_eq!(made.status, 201, "{made:?}");
    let secret = made.text("secret").to_owned();
    assert!(
        secret.starts_with(made.text("prefix")) && secret.len() >= 38,
        "{secret}"
    );
    let till = Holder {
        site: &site,
        key: secret.clone(),
    };
    assert_eq!(till.get(BOOKINGS).await.status, 200);

    let listed = holder.get(keys).await;
    assert!(!listed.body.to_string().contains(&secret), "{listed:?}");
    assert_eq!(listed.body["keys"].as_array().unwrap().len(), 2);
    for _ in 0..2 {
        let path = format!("{keys}/{}", made.text("id"));
        assert_eq!(holder.ask(Method::DELETE, &path, None).await.status, 204);
    }
    assert_eq!(kind(&till.get(BOOKINGS).await), (401, "key-needed"));
    let audited = "select count(*) from audit where action in ('key.made', 'key.revoked')";
    assert_eq!(world.count(audited).await, 2);
    let logged = site.lines().join("\n");
    assert!(!logged.contains(&secret), "a key is in the log");
}

#[tokio::test]
async fn a_calendar_shows_what_was_chosen_to_whoever_has_its_address() {
    let world = World::seeded().await;
    let site = world.site().await;
    let holder = Holder {
        site: &site,
        key: key(&world, "karoo-cuts", &["manage:feeds", "read:bookings"]).await,
    };
    let api = site.api();
    let free = api.free("karoo-cuts", "haircut", 7).await;
    let mut wanted = wish("haircut", &free[0], "thandi");
    wanted["note"] = json!("left side only");
    let made = api.book("karoo-cuts", "k", &wanted).await;
    let booking = holder.get(&format!("{BOOKINGS}/{}", made.text("id"))).await;
    let staff = &booking.body["staff"]["id"];

    let feeds = "/api/v1/businesses/karoo-cuts/feeds";
    let make = async |wanted: Value| {
        let said = holder.ask(Method::POST, feeds, Some(wanted)).await;
        assert_eq!(said.status, 201, "{said:?}");
        (said.text("id").to_owned(), said.text("address").to_owned())
    };
    let (_, everybody) = make(json!({})).await;
    let (id, one) = make(json!({"staff": staff, "names": "none"})).await;
    let read = async |address: &str| site.visitor().open(address).await;
    let all = read(&everybody).await.html;
    let visit = format!("UID:{}@appointmentbooking.co.za\r\n", made.text("id"));
    assert!(all.contains(&visit) && all.contains("Thandi N."), "{all}");
    assert!(
        !all.contains("left side") && !all.contains("Nkosi"),
        "{all}"
    );
    let (begins, ends) = (all.matches("BEGIN:VEVENT"), all.matches("END:VEVENT"));
    let count = begins.count();
    assert_eq!(count, ends.count());
    let own = read(&one).await.html;
    assert!(own.contains(&visit) && !own.contains("Thandi"), "{own}");
    assert!(own.matches("BEGIN:VEVENT").count() < count);

    let answer = api.client.get(site.url(&one)).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/calendar; charset=utf-8");
    assert!(header("last-modified").ends_with(" GMT"));
    let known = api
        .client
        .get(site.url(&one))
        .header("if-none-match", header("etag"));
    assert_eq!(known.send().await.unwrap().status(), 304);
    // What is called off is gone from it, and the tag with it.
    assert_eq!(api.cancel(made.text("token")).await.status, 200);
    let known = api
        .client
        .get(site.url(&one))
        .header("if-none-match", header("etag"));
    let changed = known.send().await.unwrap();
    assert_eq!(changed.status(), 200);
    assert!(!changed.text().await.unwrap().contains(&visit));

    for _ in 0..2 {
        let path = format!("{feeds}/{id}");
        assert_eq!(holder.ask(Method::DELETE, &path, None).await.status, 204);
    }
    assert_eq!(read(&one).await.status, 404);
    assert_eq!(read(&everybody).await.status, 200);
    assert_eq!(read("/feeds/guess.ics").await.status, 404);
}
