//! Keys, calendars and webhooks as a business sets them up: on its desk and by the API, with
//! the real worker and a real receiver.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::receiver::{Receiver, Reply, Request};
use testkit::smtp::{Manner, Postbox};

use crate::messages::book;
use crate::programs::{Holder, key, kind};
use crate::site::{Page, RELEASE, Site, World, until};
use crate::work::Worker;

const WEBHOOKS: &str = "/api/v1/businesses/karoo-cuts/webhooks";
const OWNER: &str = "owner@karoo-cuts.example";

/// Where a test's own receiver may be called.
async fn open_site(world: &World) -> Site {
    let url = world.database.url();
    Site::start(&[
        ("DATABASE_URL", &url),
        ("REDIS_URL", &world.redis),
        ("RELEASE", RELEASE),
        ("WEBHOOK_PRIVATE_ADDRESSES", "true"),
    ])
    .await
}

fn is_signed(post: &Request, secret: &str) -> bool {
    let secret = secret.strip_prefix("whsec_").unwrap();
    let secret = BASE64.decode(secret.as_bytes()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    let (id, at) = (
        &post.headers["webhook-id"],
        &post.headers["webhook-timestamp"],
    );
    mac.update(format!("{id}.{at}.{}", post.body).as_bytes());
    let expected = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
    let mut signatures = post.headers["webhook-signature"].split(' ');
    signatures.any(|signature| signature == expected)
}

fn event(post: &Request) -> String {
    let event: Value = serde_json::from_str(&post.body).unwrap();
    event["type"].as_str().unwrap().to_owned()
}

async fn posts(receiver: &Receiver, count: usize) -> Vec<Request> {
    until(&format!("{count} calls came"), async || {
        let posts = receiver.requests();
        (posts.len() >= count).then_some(posts)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_called_for_what_was_chosen_tried_and_called_again() {
    let world = World::seeded().await;
    let site = open_site(&world).await;
    let (receiver, postbox) = (
        Receiver::start(Reply::Takes).unwrap(),
        Postbox::start(Manner::Takes).unwrap(),
    );
    let open = [("WEBHOOK_PRIVATE_ADDRESSES", "true")];
    let _worker = Worker::start(&world, &postbox.url(), &open).await;
    let holder = Holder {
        site: &site,
        key: key(&world, "karoo-cuts", &["manage:webhooks"]).await,
    };
    let wanted = json!({"address": receiver.url(), "events": ["booking.cancelled"]});
    let made = holder.ask(Method::POST, WEBHOOKS, Some(wanted)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let (id, secret) = (made.text("id").to_owned(), made.text("secret").to_owned());
    let listed = holder.get(WEBHOOKS).await;
    assert_eq!(
        listed.body["webhooks"][0]["events"],
        json!(["booking.cancelled"])
    );
    assert!(!listed.body.to_string().contains(&secret));

    let token = book(&site.api(), "thandi").await;
    assert_eq!(site.api().cancel(&token).await.status, 200);
    let called = posts(&receiver, 1).await;
    assert_eq!(event(&called[0]), "booking.cancelled");
    assert!(is_signed(&called[0], &secret));

    let its = |rest: &str| format!("{WEBHOOKS}/{id}{rest}");
    let ping = holder.ask(Method::POST, &its("/ping"), None).await;
    assert_eq!(ping.status, 202, "{ping:?}");
    assert_eq!(event(&posts(&receiver, 2).await[1]), "ping");

    // Both were taken; the first is called again, under its own id.
    let calls = until("both calls are taken", async || {
        let said = holder.get(&its("/deliveries")).await;
        let calls = said.body["deliveries"].as_array().unwrap().clone();
        (calls.iter().all(|call| call["state"] == "sent")).then_some(calls)
    })
    .await;
    assert_eq!(calls.len(), 2);
    let first = calls.iter().find(|call| call["event"] != "ping").unwrap();
    let first = first["id"].as_str().unwrap();
    let again = its(&format!("/deliveries/{first}/again"));
    assert_eq!(holder.ask(Method::POST, &again, None).await.status, 202);
    let third = posts(&receiver, 3).await.pop().unwrap();
    assert_eq!(third.headers["webhook-id"], called[0].headers["webhook-id"]);
    assert_eq!(third.body, called[0].body);

    // While its receiver changes over, both secrets sign.
    let rotated = holder.ask(Method::POST, &its("/secret"), None).await;
    let new = rotated.text("secret").to_owned();
    assert_ne!(new, secret);
    holder.ask(Method::POST, &its("/ping"), None).await;
    let fourth = posts(&receiver, 4).await.pop().unwrap();
    assert!(is_signed(&fourth, &new) && is_signed(&fourth, &secret));
    sqlx::query("update webhook set old_until = now()")
        .execute(&world.all().await)
        .await
        .unwrap();
    holder.ask(Method::POST, &its("/ping"), None).await;
    let fifth = posts(&receiver, 5).await.pop().unwrap();
    assert!(is_signed(&fifth, &new) && !is_signed(&fifth, &secret));

    for _ in 0..2 {
        assert_eq!(holder.ask(Method::DELETE, &its(""), None).await.status, 204);
    }
    let off = holder.ask(Method::POST, &its("/ping"), None).await;
    assert_eq!(kind(&off), (409, "refused"));
    let token = book(&site.api(), "sipho").await;
    assert_eq!(site.api().cancel(&token).await.status, 200);
    until("the cancellation is unfolded", async || {
        let left = "select count(*) from outbox where channel = 'event' and state <> 'sent'";
        (world.count(left).await == 0).then_some(())
    })
    .await;
    let planned = "select count(*) from outbox where channel = 'webhook' and kind <> 'ping'";
    assert_eq!(world.count(planned).await, 1);
}

#[tokio::test]
async fn a_webhook_that_leads_into_this_network_is_not_even_saved() {
    let world = World::seeded().await;
    let site = world.site().await;
    let holder = Holder {
        site: &site,
        key: key(&world, "karoo-cuts", &["manage:webhooks"]).await,
    };
    let add = async |wanted: Value| holder.ask(Method::POST, WEBHOOKS, Some(wanted)).await;
    for address in [
        "https://127.0.0.1/",
        "https://10.1.2.3/in",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "https://localhost/",
        "http://8.8.8.8/",
        "https://me:word@8.8.8.8/",
        "",
    ] {
        let refused = add(json!({ "address": address })).await;
        assert_eq!(kind(&refused), (422, "invalid-fields"), "{address}");
        assert_eq!(refused.body["errors"][0]["field"], "address", "{address}");
    }
    let refused = add(json!({"address": "https://8.8.8.8/", "events": ["booking.held"]})).await;
    assert_eq!(refused.body["errors"][0]["field"], "events");
    assert_eq!(world.count("select count(*) from webhook").await, 0);
    let wanted = json!({"address": "https://8.8.8.8/in"});
    assert_eq!(add(wanted.clone()).await.status, 201);
    // One that may only read does not add any, and a neighbour sees none.
    let reader = Holder {
        site: &site,
        key: key(&world, "karoo-cuts", &["read:bookings"]).await,
    };
    let refused = reader.ask(Method::POST, WEBHOOKS, Some(wanted)).await;
    assert_eq!(kind(&refused), (403, "forbidden"));
    let neighbour = Holder {
        site: &site,
        key: key(&world, "the-quiet-room", &["manage:webhooks"]).await,
    };
    assert_eq!(kind(&neighbour.get(WEBHOOKS).await), (404, "not-found"));
    let theirs = "/api/v1/businesses/the-quiet-room/webhooks";
    let none = neighbour.get(theirs).await;
    assert_eq!(none.body, json!({"webhooks": []}));
    let id: uuid::Uuid = sqlx::query_scalar("select id from webhook")
        .fetch_one(&world.all().await)
        .await
        .unwrap();
    for (method, rest) in [
        (Method::DELETE, String::new()),
        (Method::POST, "/ping".to_owned()),
        (Method::POST, "/secret".to_owned()),
        (Method::GET, "/deliveries".to_owned()),
        (Method::POST, format!("/deliveries/{id}/again")),
    ] {
        let path = format!("{theirs}/{id}{rest}");
        let said = neighbour.ask(method.clone(), &path, None).await;
        assert_eq!(kind(&said), (404, "not-found"), "{method} {rest}");
    }
}

/// What is shown once.
fn secret(page: &Page) -> &str {
    let code = page.html.split("<code translate=\"no\">").nth(1);
    code.expect("nothing is shown once")
        .split("</code>")
        .next()
        .unwrap()
}

fn with(mut form: Vec<(String, String)>, more: &[(&str, &str)]) -> Vec<(String, String)> {
    form.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
    let more = more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    form.extend(more);
    form
}

#[tokio::test]
async fn an_owner_makes_a_key_on_a_page_sees_it_once_and_revokes_it() {
    let world = World::seeded().await;
    let site = world.site().await;
    let owner = site.visitor();
    owner.sign_in(OWNER).await;
    let path = "/desk/karoo-cuts/keys";
    let page = owner.open(path).await;
    let form = page.form("action=\"/desk/karoo-cuts/keys\"");
    let wrong = owner.send(path, &with(form.clone(), &[])).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong
            .html
            .contains("Choose at least one thing that it may do")
    );
    let chosen = [("name", "Till"), ("read:bookings", "yes")];
    let made = owner.send(path, &with(form, &chosen)).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let holder = Holder {
        site: &site,
        key: secret(&made).to_owned(),
    };
    let bookings = "/api/v1/businesses/karoo-cuts/bookings";
    assert_eq!(holder.get(bookings).await.status, 200);
    let customers = "/api/v1/businesses/karoo-cuts/customers";
    assert_eq!(kind(&holder.get(customers).await), (403, "forbidden"));

    let page = owner.open(path).await;
    assert!(page.html.contains("Till") && page.html.contains("Last used"));
    assert!(!page.html.contains(&holder.key), "it is shown twice");
    let revoke = page.form("/revoke\"");
    let address = page
        .html
        .split("action=\"")
        .find(|a| a.contains("/revoke\""));
    let address = address.unwrap().split('"').next().unwrap().to_owned();
    let page = owner.send(&address, &revoke).await;
    assert!(page.html.contains("No longer valid"), "{}", page.html);
    assert_eq!(kind(&holder.get(bookings).await), (401, "key-needed"));
}

/// Where the first calendar is changed.
fn act_on(page: &Page) -> String {
    let mut actions = page.html.split("action=\"");
    let action = actions.find(|action| action.starts_with("/desk/karoo-cuts/feeds/"));
    action.unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_owner_makes_a_calendar_and_gives_it_another_address() {
    let world = World::seeded().await;
    let site = world.site().await;
    let owner = site.visitor();
    owner.sign_in(OWNER).await;
    let path = "/desk/karoo-cuts/feeds";
    let page = owner.open(path).await;
    let form = page.form("action=\"/desk/karoo-cuts/feeds\"");
    let made = owner.send(path, &form).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let calendar = async |address: &str| {
        let path = address.strip_prefix(&site.address).unwrap();
        site.visitor().open(path).await
    };
    let first = secret(&made).to_owned();
    assert!(calendar(&first).await.html.starts_with("BEGIN:VCALENDAR"));

    let address = act_on(&made);
    let renew = with(made.form("/feeds/"), &[("action", "renew")]);
    let renewed = owner.send(&address, &renew).await;
    let second = secret(&renewed).to_owned();
    assert_eq!(calendar(&first).await.status, StatusCode::NOT_FOUND);
    assert_eq!(calendar(&second).await.status, StatusCode::OK);

    let address = act_on(&renewed);
    let end = with(renewed.form("/feeds/"), &[("action", "revoke")]);
    let ended = owner.send(&address, &end).await;
    assert!(ended.html.contains("No calendars yet"));
    assert_eq!(calendar(&second).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_owner_adds_a_webhook_on_a_page_and_sees_what_came_of_its_calls() {
    let world = World::seeded().await;
    let site = open_site(&world).await;
    let owner = site.visitor();
    owner.sign_in(OWNER).await;
    let path = "/desk/karoo-cuts/webhooks";
    let form = owner
        .open(path)
        .await
        .form("action=\"/desk/karoo-cuts/webhooks\"");
    let wrong = owner
        .send(path, &with(form.clone(), &[("url", "ftp://x")]))
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.html.contains("id=\"url-error\""), "{}", wrong.html);
    let chosen = [("url", "http://127.0.0.1:9/in"), ("moved", "yes")];
    let made = owner.send(path, &with(form, &chosen)).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let first = secret(&made).to_owned();
    assert!(first.starts_with("whsec_"), "{first}");
    let one = made.links().into_iter().find(|a| a.contains("/webhooks/"));
    let one = one.unwrap();
    let act = async |action: &str| {
        let page = owner.open(&one).await;
        let form = with(page.form(&one), &[("action", action)]);
        owner.send(&one, &form).await
    };
    let page = act("ping").await;
    assert!(page.html.contains("Waiting"), "{}", page.html);
    assert_ne!(secret(&act("rotate").await), first);
    assert!(act("off").await.html.contains("Switched off"));
    let refused = act("ping").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(act("on").await.html.contains("Send a test"));
    let audited = "select count(*) from audit where action like 'webhook.%'";
    assert_eq!(world.count(audited).await, 4);
}
