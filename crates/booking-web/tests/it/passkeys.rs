//! Passkeys from outside, with an authenticator in software: what lets somebody in, and each
//! thing that does not.

use crate::authenticator::{Authenticator, How, TOUCHED};
use crate::sign_up::{follow, link};
use crate::site::{Page, Site, Visitor, World};
use reqwest::StatusCode;
use serde_json::Value;

const OWNER: &str = "owner@karoo-cuts.example";
const OTHER: &str = "owner@bluff-physio.example";

const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The address at which passkeys can be used: this machine by its name.
fn origin(site: &Site) -> String {
    site.address.replace("127.0.0.1", "localhost")
}

/// Opens a page with a form for a passkey, and what its script is told to ask the browser.
async fn begin(site: &Site, visitor: &Visitor, page: &str, path: &str) -> (String, Value) {
    let csrf = visitor.open(page).await.field("csrf");
    let request = visitor.client.post(site.url(&format!("{path}/begin")));
    let fields = [("csrf", csrf.as_str()), ("name", "My phone")];
    let answer = request.form(&fields).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}/begin");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    (csrf, answer.json().await.unwrap())
}

/// What a page that is signed in is told to ask for.
async fn to_add(site: &Site, visitor: &Visitor) -> (String, Value) {
    begin(site, visitor, "/account/passkeys", "/account/passkeys").await
}

async fn to_sign_in(site: &Site, visitor: &Visitor) -> (String, Value) {
    begin(site, visitor, "/sign-in", "/sign-in/passkey").await
}

async fn send_added(visitor: &Visitor, csrf: &str, answer: &str) -> Page {
    let fields = [
        pair("csrf", csrf),
        pair("name", "My phone"),
        pair("answer", answer),
    ];
    visitor.send("/account/passkeys", &fields).await
}

async fn send_signed(visitor: &Visitor, csrf: &str, answer: &str) -> Page {
    let fields = [pair("csrf", csrf), pair("answer", answer)];
    visitor.send("/sign-in/passkey", &fields).await
}

/// Signs somebody in by password and adds a passkey for them.
async fn with_passkey(site: &Site, email: &str) -> (Visitor, Authenticator) {
    let visitor = site.visitor();
    visitor.sign_in(email).await;
    let mut device = Authenticator::new();
    let (csrf, asked) = to_add(site, &visitor).await;
    let answer = device.make(&asked, &How::at(&origin(site)));
    let page = send_added(&visitor, &csrf, &answer).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    assert!(page.html.contains("My phone"), "{}", page.html);
    (visitor, device)
}

/// A whole attempt to sign in.
async fn try_passkey(
    site: &Site,
    visitor: &Visitor,
    device: &mut Authenticator,
    how: &How,
) -> Page {
    let (csrf, asked) = to_sign_in(site, visitor).await;
    let answer = device.sign(&asked, how);
    send_signed(visitor, &csrf, &answer).await
}

async fn run(world: &World, statement: &'static str) {
    let pool = world.all().await;
    sqlx::query(statement).execute(&pool).await.unwrap();
    pool.close().await;
}

#[tokio::test]
async fn a_passkey_stands_for_password_and_code_until_it_is_removed() {
    let world = World::seeded().await;
    let site = world.site().await;
    let how = How::at(&origin(&site));
    let (visitor, mut device) = with_passkey(&site, OWNER).await;
    let told = "select count(*) from outbox where kind = 'account.passkey-on'
        and recipient = 'owner@karoo-cuts.example'";
    assert_eq!(world.count(told).await, 1);
    // A code app that is on is not asked for.
    run(
        &world,
        "insert into account_totp select account_id, '\\x00', 0, now() from account_passkey",
    )
    .await;
    let other = site.visitor();
    let desk = try_passkey(&site, &other, &mut device, &how).await;
    assert_eq!((desk.status, desk.heading()), (StatusCode::OK, "Today"));
    let written = "select count(*) from account_event where action = 'sign-in.passkey'
        and account_id is not null";
    assert_eq!(world.count(written).await, 1);
    let used = "select count(*) from account_passkey where sign_count = 1 and used_at is not null";
    assert_eq!(world.count(used).await, 1);
    // Whoever was signed in before in that browser is not any more; nothing else ends.
    let before = world.count("select count(*) from session").await;
    try_passkey(&site, &other, &mut device, &how).await;
    assert_eq!(world.count("select count(*) from session").await, before);

    let page = visitor.open("/account/passkeys").await;
    let fields = [
        pair("csrf", &page.field("csrf")),
        pair("remove", &page.field("remove")),
    ];
    let page = visitor.send("/account/passkeys", &fields).await;
    assert!(!page.html.contains("My phone"));
    let told = "select count(*) from outbox where kind = 'account.passkey-off'";
    assert_eq!(world.count(told).await, 1);
    let gone = try_passkey(&site, &site.visitor(), &mut device, &how).await;
    assert_eq!(gone.status, REFUSED);
}

#[tokio::test]
async fn a_challenge_counts_once_for_five_minutes_in_the_browser_that_got_it() {
    let world = World::seeded().await;
    let site = world.site().await;
    let how = How::at(&origin(&site));
    let (owner, mut device) = with_passkey(&site, OWNER).await;
    let lasts = "select count(*) from passkey_challenge
        where expires_at between now() + interval '4 minutes' and now() + interval '5 minutes'";

    let visitor = site.visitor_from("198.51.100.1");
    let (csrf, asked) = to_sign_in(&site, &visitor).await;
    assert_eq!(world.count(lasts).await, 1);
    let answer = device.sign(&asked, &how);
    assert_eq!(
        send_signed(&visitor, &csrf, &answer).await.heading(),
        "Today"
    );
    let again = site.visitor_from("198.51.100.1");
    let csrf_again = again.open("/sign-in").await.field("csrf");
    let replayed = send_signed(&again, &csrf_again, &answer).await;
    assert_eq!(replayed.status, REFUSED, "from another browser");
    // Counted on, so that only the challenge stands against it.
    let later = device.sign(&asked, &how);
    let csrf = visitor.open("/sign-in").await.field("csrf");
    assert_eq!(
        send_signed(&visitor, &csrf, &later).await.status,
        REFUSED,
        "again"
    );

    let visitor = site.visitor_from("198.51.101.1");
    let (csrf, asked) = to_sign_in(&site, &visitor).await;
    run(&world, "update passkey_challenge set expires_at = now()").await;
    let answer = device.sign(&asked, &how);
    assert_eq!(
        send_signed(&visitor, &csrf, &answer).await.status,
        REFUSED,
        "too late"
    );

    let (_, asked) = to_sign_in(&site, &visitor).await;
    let thief = site.visitor_from("198.51.102.1");
    let csrf = thief.open("/sign-in").await.field("csrf");
    let answer = device.sign(&asked, &how);
    assert_eq!(
        send_signed(&thief, &csrf, &answer).await.status,
        REFUSED,
        "given to another"
    );

    let (csrf, asked) = to_add(&site, &owner).await;
    let answer = device.sign(&asked, &how);
    assert_eq!(
        send_signed(&owner, &csrf, &answer).await.status,
        REFUSED,
        "for something else"
    );
    assert_eq!(
        world.count("select count(*) from passkey_challenge").await,
        0
    );
}

/// One thing that is wrong, and a network from which nobody has failed yet.
fn wrongs(right: &How) -> Vec<(&'static str, &'static str, How)> {
    let port = right.origin.rsplit(':').next().unwrap().to_owned();
    let at = |origin: String| How {
        origin,
        ..right.clone()
    };
    vec![
        (
            "another scheme",
            "198.51.1.1",
            at(right.origin.replace("http:", "https:")),
        ),
        (
            "another port",
            "198.51.2.1",
            at(right.origin.replace(&port, "1")),
        ),
        (
            "another host",
            "198.51.3.1",
            at(format!("http://evil.example:{port}")),
        ),
        (
            "a host below",
            "198.51.4.1",
            at(format!("http://a.localhost:{port}")),
        ),
        (
            "by number",
            "198.51.5.1",
            at(format!("http://127.0.0.1:{port}")),
        ),
        (
            "in a frame",
            "198.51.6.1",
            How {
                is_framed: true,
                ..right.clone()
            },
        ),
        (
            "for another site",
            "198.51.7.1",
            How {
                site: "evil.example".to_owned(),
                ..right.clone()
            },
        ),
        (
            "nobody verified",
            "198.51.8.1",
            How {
                flags: TOUCHED,
                ..right.clone()
            },
        ),
        (
            "nobody there",
            "198.51.9.1",
            How {
                flags: 0,
                ..right.clone()
            },
        ),
    ]
}

#[tokio::test]
async fn what_was_signed_elsewhere_or_for_nobody_lets_nobody_in() {
    let world = World::seeded().await;
    let site = world.site().await;
    let right = How::at(&origin(&site));
    let (_, mut device) = with_passkey(&site, OWNER).await;
    let wrongs = wrongs(&right);
    for (what, network, how) in &wrongs {
        let visitor = site.visitor_from(network);
        let page = try_passkey(&site, &visitor, &mut device, how).await;
        assert_eq!(page.status, REFUSED, "{what}");
        assert!(
            page.html.contains("This passkey was not accepted"),
            "{what}"
        );
        assert_eq!(
            visitor.open("/account").await.status,
            StatusCode::SEE_OTHER,
            "{what}"
        );
    }
    // Another device that says it is this one.
    let mut copy = Authenticator::new();
    copy.id.clone_from(&device.id);
    copy.user.clone_from(&device.user);
    copy.count = 100;
    let visitor = site.visitor_from("198.51.10.1");
    let forged = try_passkey(&site, &visitor, &mut copy, &right).await;
    assert_eq!(forged.status, REFUSED, "another key");
    let written = "select count(*) from account_event where action = 'sign-in.passkey-failed'
        and account_id is not null";
    let failed = i64::try_from(wrongs.len()).unwrap() + 1;
    assert_eq!(world.count(written).await, failed);
    assert!(
        site.lines()
            .iter()
            .any(|line| line.contains("a passkey was refused"))
    );
    assert!(
        !site
            .lines()
            .iter()
            .any(|line| line.contains("evil.example"))
    );
    // Nothing of that was the passkey's fault.
    let visitor = site.visitor_from("198.51.11.1");
    let desk = try_passkey(&site, &visitor, &mut device, &right).await;
    assert_eq!(desk.heading(), "Today");
}

#[tokio::test]
async fn a_passkey_that_was_not_made_here_and_now_is_not_added() {
    let world = World::seeded().await;
    let site = world.site().await;
    let right = How::at(&origin(&site));
    let visitor = site.visitor();
    visitor.sign_in(OWNER).await;
    for (what, _, how) in wrongs(&right) {
        let (csrf, asked) = to_add(&site, &visitor).await;
        let answer = Authenticator::new().make(&asked, &how);
        let page = send_added(&visitor, &csrf, &answer).await;
        assert_eq!(page.status, REFUSED, "{what}");
    }
    let (csrf, asked) = to_add(&site, &visitor).await;
    run(&world, "update passkey_challenge set expires_at = now()").await;
    let answer = Authenticator::new().make(&asked, &right);
    assert_eq!(
        send_added(&visitor, &csrf, &answer).await.status,
        REFUSED,
        "too late"
    );
    // What somebody else was asked to make.
    let other = site.visitor();
    other.sign_in(OTHER).await;
    let (_, asked) = to_add(&site, &other).await;
    let answer = Authenticator::new().make(&asked, &right);
    assert_eq!(
        send_added(&visitor, &csrf, &answer).await.status,
        REFUSED,
        "for another"
    );
    for nonsense in ["", "{}", "null", "[1]", "{\"rawId\":\"!\"}"] {
        assert_eq!(
            send_added(&visitor, &csrf, nonsense).await.status,
            REFUSED,
            "{nonsense}"
        );
        let sent = send_signed(&visitor, &csrf, nonsense).await;
        assert_eq!(sent.status, REFUSED, "{nonsense}");
    }
    assert_eq!(world.count("select count(*) from account_passkey").await, 0);
}

#[tokio::test]
async fn a_passkey_opens_the_account_that_it_was_made_for_and_no_other() {
    let world = World::seeded().await;
    let site = world.site().await;
    let how = How::at(&origin(&site));
    let (_, mut device) = with_passkey(&site, OWNER).await;
    let (other, theirs) = with_passkey(&site, OTHER).await;
    let own = device.user.clone();
    device.user.clone_from(&theirs.user);
    let page = try_passkey(&site, &site.visitor(), &mut device, &how).await;
    assert_eq!(page.status, REFUSED, "it says it is somebody else's");
    device.user = own;
    // What is somebody's cannot become somebody else's.
    let (csrf, asked) = to_add(&site, &other).await;
    let mut copy = Authenticator::new();
    copy.id.clone_from(&device.id);
    let answer = copy.make(&asked, &how);
    assert_eq!(send_added(&other, &csrf, &answer).await.status, REFUSED);
    // Nor is it removed by anybody else.
    let id: String = sqlx::query_scalar(
        "select account_passkey.id::text from account_passkey join account on account.id = account_id
         where email = $1",
    )
    .bind(OWNER)
    .fetch_one(&world.all().await)
    .await
    .unwrap();
    let page = other.open("/account/passkeys").await;
    assert!(!page.html.contains(&id));
    let fields = [pair("csrf", &page.field("csrf")), pair("remove", &id)];
    other.send("/account/passkeys", &fields).await;
    assert_eq!(world.count("select count(*) from account_passkey").await, 2);
    let desk = try_passkey(&site, &site.visitor(), &mut device, &how).await;
    assert!(desk.html.contains("Owner of Karoo Cuts"), "{}", desk.html);
}

#[tokio::test]
async fn a_passkey_whose_count_goes_back_is_refused_and_written_down() {
    let world = World::seeded().await;
    let site = world.site().await;
    let how = How::at(&origin(&site));
    let (_, mut device) = with_passkey(&site, OWNER).await;
    device.count = 6;
    let desk = try_passkey(&site, &site.visitor(), &mut device, &how).await;
    assert_eq!(desk.heading(), "Today", "the seventh time");
    for count in [6, 2] {
        device.count = count;
        let page = try_passkey(&site, &site.visitor(), &mut device, &how).await;
        assert_eq!(page.status, REFUSED, "said again or gone back");
    }
    let written = "select count(*) from account_event where action = 'sign-in.passkey-copied'
        and account_id is not null";
    assert_eq!(world.count(written).await, 2);
    assert!(
        site.logged("the count of a passkey went back: it was copied")
            .is_some()
    );
    device.count = 7;
    let desk = try_passkey(&site, &site.visitor(), &mut device, &how).await;
    assert_eq!(desk.heading(), "Today", "the eighth time");
}

#[tokio::test]
async fn an_account_that_is_gone_or_not_confirmed_lets_no_passkey_in() {
    let world = World::seeded().await;
    let site = world.site().await;
    let how = How::at(&origin(&site));
    let (visitor, mut device) = with_passkey(&site, OWNER).await;
    let unconfirmed =
        "update account set state = 'unconfirmed' where email = 'owner@karoo-cuts.example'";
    run(&world, unconfirmed).await;
    let page = try_passkey(&site, &site.visitor(), &mut device, &how).await;
    assert_eq!(page.status, REFUSED, "not confirmed");
    let page = visitor.open("/account/passkeys").await;
    let request = visitor.client.post(site.url("/account/passkeys/begin"));
    let begun = request
        .form(&[("csrf", page.field("csrf"))])
        .send()
        .await
        .unwrap();
    assert_eq!(begun.status(), StatusCode::FORBIDDEN);
    let pool = world.all().await;
    let mut connection = pool.acquire().await.unwrap();
    for statement in [
        "set session_replication_role = replica",
        "delete from membership where account_id in (select account_id from account_passkey)",
        "set session_replication_role = origin",
        "delete from account where id in (select account_id from account_passkey)",
    ] {
        sqlx::query(statement)
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    assert_eq!(
        world.count("select count(*) from account_passkey").await,
        0,
        "with the account"
    );
    let page = try_passkey(&site, &site.visitor(), &mut device, &how).await;
    assert_eq!(page.status, REFUSED, "gone");
}

#[tokio::test]
async fn an_unknown_passkey_looks_like_a_wrong_one_and_both_are_slowed_down() {
    let world = World::seeded().await;
    let site = world.site().await;
    let right = How::at(&origin(&site));
    let wrong = How {
        flags: TOUCHED,
        ..right.clone()
    };
    let (owner, mut known) = with_passkey(&site, OWNER).await;
    let mut unknown = Authenticator::new();
    let mut pages = Vec::new();
    for (device, network) in [(&mut known, "198.51.100.1"), (&mut unknown, "198.51.101.1")] {
        let visitor = site.visitor_from(network);
        for _ in 0..5 {
            let page = try_passkey(&site, &visitor, device, &wrong).await;
            assert_eq!(page.status, REFUSED);
            pages.push(page.html.replace(&page.field("csrf"), "…"));
        }
        let page = try_passkey(&site, &visitor, device, &right).await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "they can be told apart");
    // Nobody is locked out by that.
    let desk = try_passkey(&site, &owner, &mut known, &right).await;
    assert_eq!(desk.heading(), "Today");
}

#[tokio::test]
async fn passkeys_are_changed_by_whoever_has_just_given_the_password() {
    let world = World::seeded().await;
    let site = world.site().await;
    let (visitor, _) = with_passkey(&site, OWNER).await;
    let csrf = visitor.open("/account/passkeys").await.field("csrf");
    run(
        &world,
        "update session set password_at = now() - interval '10 minutes'",
    )
    .await;
    let page = visitor
        .client
        .get(site.url("/account/passkeys"))
        .send()
        .await
        .unwrap();
    let again = "/account/password-again?next=/account/passkeys";
    assert_eq!(page.headers()["location"].to_str().unwrap(), again);
    for path in ["/account/passkeys", "/account/passkeys/begin"] {
        let form = [
            ("csrf", csrf.as_str()),
            ("remove", "00000000-0000-0000-0000-000000000000"),
        ];
        let sent = visitor
            .client
            .post(site.url(path))
            .form(&form)
            .send()
            .await
            .unwrap();
        let location = sent.headers()["location"].to_str().unwrap();
        assert!(
            location.starts_with("/account/password-again"),
            "{path}: {location}"
        );
    }
    let stranger = site.visitor();
    let page = stranger.open("/account/passkeys").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_password_that_is_set_by_mail_removes_every_passkey() {
    let world = World::seeded().await;
    let site = world.site().await;
    let how = How::at(&origin(&site));
    let (visitor, mut device) = with_passkey(&site, OWNER).await;
    let other = site.visitor();
    let desk = try_passkey(&site, &other, &mut device, &how).await;
    assert_eq!(desk.status, StatusCode::OK);
    let page = visitor.open("/forgot").await;
    let fields = [pair("csrf", &page.field("csrf")), pair("email", OWNER)];
    visitor.send("/forgot", &fields).await;
    let path = link(&world, "account.reset").await;
    let done = follow(&visitor, &path, "a sentence that nobody guesses").await;
    assert_eq!(done.heading(), "Sign in");
    let refused = try_passkey(&site, &site.visitor(), &mut device, &how).await;
    assert_eq!(refused.status, REFUSED, "{}", refused.html);
    assert_eq!(world.count("select count(*) from account_passkey").await, 0);
}

#[tokio::test]
async fn passkeys_belong_to_the_public_address_and_without_one_there_are_none() {
    let world = World::seeded().await;
    let url = world.database.url();
    let secure = [
        ("DATABASE_URL", url.as_str()),
        ("FORM_KEY", "a key of thirty-two letters or more"),
        ("SECURE_COOKIES", "true"),
    ];
    let site = Site::start(&secure).await;
    let page = site.visitor().open("/sign-in").await;
    assert!(!page.html.contains("passkey"), "{}", page.html);
    assert!(
        site.logged("PUBLIC_URL is not set: there are no passkeys")
            .is_some()
    );
    for (address, shown) in [
        (
            "https://booking.example/",
            Some("data-origin=\"https://booking.example\""),
        ),
        ("https://203.0.113.9", None),
    ] {
        let site = Site::start(&[&secure[..], &[("PUBLIC_URL", address)]].concat()).await;
        let page = site.visitor().open("/sign-in").await;
        assert_eq!(
            page.html.contains("data-passkey"),
            shown.is_some(),
            "{address}"
        );
        assert!(page.html.contains(shown.unwrap_or_default()), "{address}");
    }
}
