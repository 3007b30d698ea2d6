//! Signing in and out, as a browser meets it, and what an attacker gets to see.

use argon2::password_hash::PasswordHasher as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};

use crate::site::{DEMONSTRATION, Site, World};
use reqwest::StatusCode;

const OWNER: &str = "owner@karoo-cuts.example";
const HASHES: &str = "booking_password_hashes_total";

#[tokio::test]
async fn somebody_signs_in_sees_their_desk_and_signs_out() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let desk = visitor.sign_in("  Owner@Karoo-Cuts.example ").await;
    assert_eq!(
        (desk.status, desk.address.as_str(), desk.heading()),
        (StatusCode::OK, "/desk/karoo-cuts", "Today")
    );
    assert!(desk.html.contains("Owner of Karoo Cuts"));

    let token = [("csrf".to_owned(), desk.field("csrf"))];
    let out = visitor.send("/sign-out", &token).await;
    assert_eq!(out.heading(), "Sign in");
    let again = visitor.open("/desk/karoo-cuts").await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    assert_eq!(world.count("select count(*) from session").await, 0);
    let written = "select count(*) from account_event where action = 'sign-in'";
    assert_eq!(world.count(written).await, 1);
}

#[tokio::test]
async fn the_cookie_of_a_session_is_for_no_script_and_its_secret_is_not_stored() {
    let world = World::seeded().await;
    let site = Site::start(&[
        ("DATABASE_URL", &world.database.url()),
        ("FORM_KEY", "a key of thirty-two letters or more"),
        ("SECURE_COOKIES", "true"),
    ])
    .await;
    // Over plain HTTP no browser sends such a cookie, so it is carried by hand.
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let page = client.get(site.url("/sign-in")).send().await.unwrap();
    let visit = page.headers()["set-cookie"].to_str().unwrap().to_owned();
    let visit = visit.split(';').next().unwrap().to_owned();
    let page = crate::site::Page::of(page, "/sign-in").await;
    let answer = client
        .post(site.url("/sign-in"))
        .header("cookie", visit)
        .form(&[
            ("csrf", page.field("csrf").as_str()),
            ("email", OWNER),
            ("password", DEMONSTRATION),
        ])
        .send()
        .await
        .unwrap();
    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    let session = cookies
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .find(|cookie| cookie.starts_with("__Host-session="))
        .unwrap_or_else(|| panic!("{cookies:?}"));
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(session.contains(part), "{part} is missing in {session}");
    }
    let token = session.split(['=', ';']).nth(1).unwrap();
    assert!(token.len() >= 26, "fewer than 128 bits: {token}");
    let pool = world.all().await;
    let rows: Vec<String> = sqlx::query_scalar("select session::text from session")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].contains(token));
    assert!(!site.lines().iter().any(|line| line.contains(token)));
}

#[tokio::test]
async fn an_address_without_an_account_gets_the_same_answer_for_the_same_work() {
    let world = World::seeded().await;
    let site = world.site().await;
    let mut answers = Vec::new();
    for email in [OWNER, "nobody@karoo-cuts.example"] {
        let before = site.counter(HASHES).await;
        let page = site.visitor().try_password(email, "not the password").await;
        assert_eq!(site.counter(HASHES).await - before, 1, "{email}");
        let html = page.html.replace(email, "…");
        let html = html.replace(&page.field("csrf"), "…");
        answers.push((page.status, html));
    }
    assert_eq!(answers[0].0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answers[0], answers[1]);
    let written = "select count(*) from account_event where action = 'sign-in.failed'";
    assert_eq!(world.count(written).await, 2);
    let telling = "select count(*) from account_event where account_event::text like '%nobody%'";
    assert_eq!(world.count(telling).await, 0, "what was typed is kept");
    assert!(!site.lines().iter().any(|line| line.contains("nobody@")));
}

#[tokio::test]
async fn strangers_are_slowed_down_and_lock_nobody_out() {
    let world = World::seeded().await;
    let site = world.site().await;
    let known = site.visitor_from("203.0.113.7");
    known.sign_in(OWNER).await;

    let stranger = site.visitor_from("203.0.113.99");
    for _ in 0..5 {
        let page = stranger.try_password(OWNER, "not the password").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let before = site.counter(HASHES).await;
    let page = stranger.try_password(OWNER, DEMONSTRATION).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "the sixth");
    assert_eq!(site.counter(HASHES).await, before, "it was not looked at");

    // Neither the browser that is known, in the same network, nor another network waits.
    assert_eq!(known.sign_in(OWNER).await.status, StatusCode::OK);
    let elsewhere = site.visitor_from("198.51.100.7");
    assert_eq!(elsewhere.sign_in(OWNER).await.status, StatusCode::OK);
    // And the stranger still does, whatever the others did.
    let page = stranger.try_password(OWNER, DEMONSTRATION).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_the_same_time_are_counted_one_after_the_other() {
    let world = World::seeded().await;
    let site = world.site().await;
    let before = site.counter(HASHES).await;
    let guesses: Vec<_> = (0..16)
        .map(|_| {
            let visitor = site.visitor();
            tokio::spawn(async move {
                let page = visitor.try_password(OWNER, "not the password").await;
                page.status
            })
        })
        .collect();
    let mut looked_at = 0;
    for guess in guesses {
        looked_at += u64::from(guess.await.unwrap() == StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert!((1..=5).contains(&looked_at), "{looked_at}");
    assert_eq!(site.counter(HASHES).await - before, looked_at);
}

#[tokio::test]
async fn a_desk_is_for_its_own_people_and_asks_others_to_sign_in() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let answer = visitor
        .client
        .get(site.url("/desk/karoo-cuts?day=2027-03-24"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let sign_in = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(sign_in, "/sign-in?next=/desk/karoo-cuts%3Fday%3D2027-03-24");
    let form = visitor.open(&sign_in).await;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let fields = [
        pair("csrf", &form.field("csrf")),
        pair("next", &form.field("next")),
        pair("email", "sipho@karoo-cuts.example"),
        pair("password", DEMONSTRATION),
    ];
    let desk = visitor.send("/sign-in", &fields).await;
    assert_eq!(desk.address, "/desk/karoo-cuts?day=2027-03-24");
    assert!(desk.html.contains("Staff"));
    // A neighbour's desk is not there, and neither is one of nobody.
    for other in [
        "/desk/bluff-physio",
        "/desk/no-such-business",
        "/desk/..%2f",
    ] {
        assert_eq!(visitor.open(other).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_form_that_is_not_ours_signs_nobody_in_or_out() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    visitor.sign_in(OWNER).await;
    for path in ["/sign-in", "/sign-out"] {
        let forged = [("email".to_owned(), OWNER.to_owned())];
        let page = visitor.send(path, &forged).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
    }
    let desk = visitor.open("/desk/karoo-cuts").await;
    assert_eq!(desk.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_from_before_is_over_when_somebody_signs_in() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    visitor.sign_in("owner@bluff-physio.example").await;
    visitor.sign_in(OWNER).await;
    assert_eq!(world.count("select count(*) from session").await, 1);
    assert_eq!(
        visitor.open("/desk/bluff-physio").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_hash_with_older_parameters_is_made_anew_at_the_next_sign_in() {
    let world = World::seeded().await;
    let pool = world.all().await;
    let params = Params::new(8 * 1024, 1, 1, None).unwrap();
    let older: PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(DEMONSTRATION.as_bytes(), &[1; 16])
        .unwrap();
    let changed = sqlx::query(
        "update account_password set hash = $1
         where account_id = (select id from account where email = $2)",
    )
    .bind(older.to_string())
    .bind(OWNER)
    .execute(&pool)
    .await
    .unwrap();
    assert_eq!(changed.rows_affected(), 1);
    let site = world.site().await;
    assert_eq!(site.visitor().sign_in(OWNER).await.status, StatusCode::OK);
    let better = "select count(*) from account_password join account on id = account_id
                  where email = 'owner@karoo-cuts.example' and hash like '%m=19456,t=2,p=1%'";
    assert_eq!(world.count(better).await, 1);
}

#[tokio::test]
async fn a_password_that_is_changed_while_it_is_compared_lets_nobody_in() {
    let world = World::seeded().await;
    let site = world.site().await;
    let pool = world.all().await;
    let mut connection = pool.acquire().await.unwrap();
    let mut transaction = sqlx::Connection::begin(&mut *connection).await.unwrap();
    sqlx::query(
        "update account_password set hash = hash || 'a'
         where account_id = (select id from account where email = $1)",
    )
    .bind(OWNER)
    .execute(&mut *transaction)
    .await
    .unwrap();
    let visitor = site.visitor();
    let signing_in = visitor.sign_in(OWNER);
    let changing = async {
        let waits = "select count(*) from pg_locks where not granted";
        crate::site::until("the sign-in waits", async || {
            (world.count(waits).await > 0).then_some(())
        })
        .await;
        transaction.commit().await
    };
    let (page, changed) = tokio::join!(signing_in, changing);
    changed.unwrap();
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(world.count("select count(*) from session").await, 0);
}
