//! The second step of signing in, the password once more, and sessions, from outside.

use crate::site::{DEMONSTRATION, Page, RELEASE, Site, Visitor, World};
use data_encoding::BASE32_NOPAD;
use reqwest::StatusCode;
use totp_rs::{Algorithm, Builder};

const OWNER: &str = "owner@karoo-cuts.example";

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The code of an app that was given this secret, so many seconds from now.
fn code(secret: &str, ahead: i64) -> String {
    let secret = secret.replace(' ', "");
    let bytes = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let now = chassis::Clock::system().now().as_second() + ahead;
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(30)
        .with_secret(<[u8; 20]>::try_from(bytes).unwrap())
        .build_noncompliant()
        .generate(now.try_into().unwrap())
        .to_string()
}

/// The text of the first element of that class.
fn text<'a>(page: &'a Page, class: &str) -> &'a str {
    let rest = page
        .html
        .split(&format!("class=\"{class}\""))
        .nth(1)
        .unwrap();
    let rest = rest.split_once('>').unwrap().1;
    rest.split('<').next().unwrap()
}

/// Sets codes up: the secret, the code that this used, and the recovery codes.
async fn set_up(visitor: &Visitor) -> (String, String, Vec<String>) {
    let page = visitor.open("/account/codes").await;
    let secret = text(&page, "secret").to_owned();
    let used = code(&secret, 0);
    let fields = [pair("csrf", &page.field("csrf")), pair("code", &used)];
    let shown = visitor.send("/account/codes", &fields).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.html);
    let list = shown.html.split("class=\"recovery\"").nth(1).unwrap();
    let list = list.split("</ul>").next().unwrap();
    let codes = list.split("<li translate=\"no\">").skip(1);
    let codes = codes.map(|rest| rest.split('<').next().unwrap().to_owned());
    (secret, used, codes.collect())
}

/// The second step, after the password.
async fn give(visitor: &Visitor, code: &str) -> Page {
    let page = visitor.open("/sign-in/code").await;
    let fields = [pair("csrf", &page.field("csrf")), pair("code", code)];
    visitor.send("/sign-in/code", &fields).await
}

#[tokio::test]
async fn with_a_code_app_the_password_alone_lets_nobody_in_and_no_code_counts_twice() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    visitor.sign_in(OWNER).await;
    let (secret, used, recovery) = set_up(&visitor).await;
    assert_eq!(recovery.len(), 10);
    assert!(!site.lines().iter().any(|line| line.contains(&recovery[0])));
    let kept = "select count(*) from account_totp where length(sealed) >= 60 and last_step > 0";
    assert_eq!(world.count(kept).await, 1);

    // What the setting up used is used up; the next code is not.
    let other = site.visitor();
    let asked = other.sign_in(OWNER).await;
    assert_eq!(asked.address, "/sign-in/code");
    let desk = other.open("/desk/karoo-cuts").await;
    assert_eq!(desk.status, StatusCode::SEE_OTHER, "the password alone");
    let wrong = give(&other, &used).await;
    assert_eq!(
        wrong.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "used before"
    );
    let next = code(&secret, 30);
    assert_eq!(give(&other, &next).await.heading(), "Today");

    let third = site.visitor();
    third.sign_in(OWNER).await;
    let replay = give(&third, &next).await;
    assert_eq!(replay.status, StatusCode::UNPROCESSABLE_ENTITY, "a replay");
    assert_eq!(
        give(&third, &recovery[3].to_uppercase()).await.heading(),
        "Today"
    );
    let fourth = site.visitor();
    fourth.sign_in(OWNER).await;
    let again = give(&fourth, &recovery[3]).await;
    assert_eq!(
        again.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "a used recovery code"
    );
    assert_eq!(give(&fourth, &recovery[4]).await.heading(), "Today");
}

#[tokio::test]
async fn codes_are_guessed_no_more_often_than_passwords() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    visitor.sign_in(OWNER).await;
    set_up(&visitor).await;
    let stranger = site.visitor_from("198.51.100.7");
    stranger.sign_in(OWNER).await;
    for _ in 0..5 {
        let page = give(&stranger, "000000").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let page = give(&stranger, "000000").await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    // What was refused is written down, with whose it was.
    let refused = "select count(*) from account_event where action = 'sign-in.code-failed'
        and account_id is not null";
    assert_eq!(world.count(refused).await, 5);
}

#[tokio::test]
async fn the_picture_of_a_secret_is_for_its_owner_and_only_while_it_is_set_up() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let path = "/account/codes/picture.svg";
    assert_eq!(visitor.open(path).await.status, StatusCode::SEE_OTHER);
    visitor.sign_in(OWNER).await;
    let answer = visitor.client.get(site.url(path)).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/svg+xml");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    set_up(&visitor).await;
    assert_eq!(visitor.open(path).await.status, StatusCode::NOT_FOUND);
    // Turned off again, the password is enough.
    let page = visitor.open("/account/codes").await;
    let off = [pair("csrf", &page.field("csrf")), pair("remove", "yes")];
    visitor.send("/account/codes", &off).await;
    let again = site.visitor().sign_in(OWNER).await;
    assert_eq!(again.heading(), "Today");
    assert_eq!(world.count("select count(*) from recovery_code").await, 0);
    // Both changes were told by mail.
    let told: Vec<String> = sqlx::query_scalar(
        "select kind from outbox where recipient = $1 and channel = 'email' order by kind",
    )
    .bind(OWNER)
    .fetch_all(&world.all().await)
    .await
    .unwrap();
    assert_eq!(told, ["account.codes-off", "account.codes-on"]);
}

#[tokio::test]
async fn with_another_form_key_codes_work_as_long_as_the_old_one_is_named() {
    let world = World::seeded().await;
    let url = world.database.url();
    let (old, new) = ("k".repeat(32), "n".repeat(32));
    let site = async |key: &str, before: Option<&str>| {
        let mut variables = vec![
            ("DATABASE_URL", url.as_str()),
            ("RELEASE", RELEASE),
            ("FORM_KEY", key),
        ];
        variables.extend(before.map(|before| ("FORM_KEY_OLD", before)));
        Site::start(&variables).await
    };
    let first = site(&old, None).await;
    let visitor = first.visitor();
    visitor.sign_in(OWNER).await;
    let (secret, _, recovery) = set_up(&visitor).await;
    let takes = async |site: &Site, code: &str| {
        let visitor = site.visitor();
        visitor.sign_in(OWNER).await;
        give(&visitor, code).await.status == StatusCode::OK
    };
    let alone = site(&new, None).await;
    assert!(!takes(&alone, &code(&secret, 30)).await);
    assert!(!takes(&alone, &recovery[0]).await);
    let both = site(&new, Some(&old)).await;
    assert!(takes(&both, &code(&secret, 30)).await);
    assert!(takes(&both, &recovery[0]).await);
}

#[tokio::test]
async fn what_is_dear_asks_for_the_password_again_and_the_session_gets_another_secret() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    visitor.sign_in(OWNER).await;
    let members = "/desk/karoo-cuts/members";
    assert_eq!(visitor.open(members).await.status, StatusCode::OK);
    let pool = world.all().await;
    sqlx::query("update session set password_at = password_at - interval '11 minutes'")
        .execute(&pool)
        .await
        .unwrap();
    let hashes = "select token_hash from session";
    let before: Vec<u8> = sqlx::query_scalar(hashes).fetch_one(&pool).await.unwrap();
    for dear in [members, "/account/codes", "/account/password"] {
        let answer = visitor.client.get(site.url(dear)).send().await.unwrap();
        let to = answer.headers()["location"].to_str().unwrap().to_owned();
        assert_eq!(to, format!("/account/password-again?next={dear}"));
    }
    let ask = format!("/account/password-again?next={members}");
    let page = visitor.open(&ask).await;
    let answer = |password: &str| {
        [
            pair("csrf", &page.field("csrf")),
            pair("next", &page.field("next")),
            pair("password", password),
        ]
    };
    let wrong = visitor
        .send("/account/password-again", &answer("not it"))
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let on = visitor
        .send("/account/password-again", &answer(DEMONSTRATION))
        .await;
    assert_eq!((on.status, on.address.as_str()), (StatusCode::OK, members));
    let after: Vec<u8> = sqlx::query_scalar(hashes).fetch_one(&pool).await.unwrap();
    assert_ne!(before, after, "the session keeps its secret");
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all_but_this_one() {
    let world = World::seeded().await;
    let site = world.site().await;
    let (here, phone, office) = (site.visitor(), site.visitor(), site.visitor());
    for visitor in [&here, &phone, &office] {
        visitor.sign_in(OWNER).await;
    }
    let page = here.open("/account").await;
    assert_eq!(page.html.matches("name=\"id\"").count(), 4, "three and all");
    let ids: Vec<_> = page.html.split("name=\"id\" value=\"").skip(1).collect();
    let ids: Vec<_> = ids
        .iter()
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    // Somebody else's session cannot be ended by its id.
    let stranger = site.visitor();
    let own = stranger.sign_in("owner@bluff-physio.example").await;
    let csrf = own.field("csrf");
    let end = |csrf: &str, id: &str| [pair("csrf", csrf), pair("id", id)];
    stranger
        .send("/account/sessions", &end(&csrf, ids[0]))
        .await;
    assert_eq!(world.count("select count(*) from session").await, 4);

    here.send("/account/sessions", &end(&page.field("csrf"), "all"))
        .await;
    assert_eq!(here.open("/account").await.status, StatusCode::OK);
    for other in [&phone, &office] {
        assert_eq!(other.open("/account").await.status, StatusCode::SEE_OTHER);
    }
    let nonsense = end(&page.field("csrf"), "everything");
    let page = here.send("/account/sessions", &nonsense).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_session_that_nobody_uses_or_that_is_old_is_over() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let pool = world.all().await;
    for change in [
        "update session set seen_at = seen_at - interval '30 minutes'",
        "update session set expires_at = now()",
    ] {
        visitor.sign_in(OWNER).await;
        let longer = "select count(*) from session where expires_at > now() + interval '12 hours'";
        assert_eq!(world.count(longer).await, 0);
        assert_eq!(visitor.open("/account").await.status, StatusCode::OK);
        sqlx::query(change).execute(&pool).await.unwrap();
        assert_eq!(
            visitor.open("/account").await.status,
            StatusCode::SEE_OTHER,
            "{change}"
        );
    }
}

#[tokio::test]
async fn strangers_from_many_networks_guess_no_more_codes_together_than_one() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    visitor.sign_in(OWNER).await;
    set_up(&visitor).await;
    for address in [
        "198.51.100.7",
        "192.0.2.7",
        "203.0.114.7",
        "203.0.115.7",
        "203.0.116.7",
    ] {
        let stranger = site.visitor_from(address);
        stranger.sign_in(OWNER).await;
        let page = give(&stranger, "000000").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{address}");
    }
    let stranger = site.visitor_from("203.0.117.7");
    stranger.sign_in(OWNER).await;
    let page = give(&stranger, "000000").await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    // Whoever has signed in here before is not held up by them.
    visitor.sign_in(OWNER).await;
    let page = give(&visitor, "000000").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}
