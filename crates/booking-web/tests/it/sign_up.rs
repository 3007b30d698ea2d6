//! A business that begins by itself, and passwords that are forgotten, from outside.

use crate::site::{DEMONSTRATION, Page, Site, Visitor, World, counts_go_on};
use reqwest::StatusCode;

const OWNER: &str = "owner@karoo-cuts.example";
const PASSWORD: &str = "two goats on the stoep";
const HASHES: &str = "booking_password_hashes_total";

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The path in the newest mail of that kind, as it waits to be sent.
pub(crate) async fn link(world: &World, kind: &str) -> String {
    let pool = world.all().await;
    let path: String = sqlx::query_scalar(
        "select content::json ->> 'path' from outbox
         where kind = $1 order by send_after desc, id desc limit 1",
    )
    .bind(kind)
    .fetch_one(&pool)
    .await
    .unwrap();
    path
}

async fn start(visitor: &Visitor, change: &[(&str, &str)]) -> Page {
    let page = visitor.open("/start").await;
    let mut fields = vec![
        pair("csrf", &page.field("csrf")),
        pair("business", "Zoë’s Nails & Brows"),
        pair("address", "4 Long Street, Cape Town"),
        pair("slug", ""),
        pair("kind", "beauty"),
        pair("name", "Zoë van Wyk"),
        pair("email", "zoe@nails.example"),
        pair("password", PASSWORD),
    ];
    for (name, value) in change {
        let field = fields.iter_mut().find(|(field, _)| field == name).unwrap();
        (*value).clone_into(&mut field.1);
    }
    visitor.send("/start", &fields).await
}

pub(crate) async fn follow(visitor: &Visitor, path: &str, password: &str) -> Page {
    let page = visitor.open(path).await;
    let fields = [
        pair("csrf", &page.field("csrf")),
        pair("password", password),
    ];
    visitor.send(path, &fields).await
}

async fn lists(site: &Site, slug: &str) -> bool {
    let home = site.visitor().open("/").await;
    home.links().contains(&format!("/{slug}"))
}

#[tokio::test]
async fn a_new_business_can_be_booked_at_once_and_is_listed_when_the_address_is_confirmed() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let welcome = start(&visitor, &[]).await;
    assert_eq!(welcome.address, "/desk/zoes-nails-and-brows/welcome");
    assert_eq!(welcome.heading(), "Your page is ready");

    // A customer books, who knows the address.
    let free = site
        .api()
        .free("zoes-nails-and-brows", "manicure", 14)
        .await;
    assert!(free.len() > 20, "{free:?}");
    let wish = crate::site::wish("manicure", &free[0], "thandi");
    let said = site.api().book("zoes-nails-and-brows", "k", &wish).await;
    assert_eq!(said.status, 201, "{said:?}");
    assert!(
        !lists(&site, "zoes-nails-and-brows").await,
        "not confirmed yet"
    );
    let pages = ["/zoes-nails-and-brows", "/zoes-nails-and-brows/manicure"];
    let is_hidden = async |path: &str| {
        let page = site.visitor().open(path).await;
        page.html.contains("name=\"robots\" content=\"noindex\"")
    };
    for page in pages {
        assert!(is_hidden(page).await, "search engines may list {page}");
    }

    // Opening the link changes nothing; the password that was chosen does.
    let path = link(&world, "account.confirm").await;
    assert_eq!(
        site.visitor().open(&path).await.heading(),
        "Confirm your address"
    );
    let wrong = follow(&site.visitor(), &path, "not the password").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!lists(&site, "zoes-nails-and-brows").await);
    follow(&site.visitor(), &path, PASSWORD).await;
    assert!(lists(&site, "zoes-nails-and-brows").await);
    for page in pages {
        assert!(!is_hidden(page).await, "search engines may not list {page}");
    }
    assert_eq!(
        site.visitor().open(&path).await.status,
        StatusCode::GONE,
        "used"
    );
    let desk = site
        .visitor()
        .try_password("zoe@nails.example", PASSWORD)
        .await;
    assert_eq!(desk.heading(), "Today");
}

#[tokio::test]
async fn signing_up_with_an_address_that_has_an_account_looks_the_same_and_becomes_part_of_it() {
    let world = World::seeded().await;
    let site = world.site().await;
    let mut answers = Vec::new();
    for (email, slug) in [(OWNER, "first-shop"), ("new@nails.example", "other-shop")] {
        let before = site.counter(HASHES).await;
        let page = start(&site.visitor(), &[("email", email), ("slug", slug)]).await;
        assert_eq!(site.counter(HASHES).await - before, 1);
        let html = page
            .html
            .replace(slug, "…")
            .replace(&page.field("csrf"), "…");
        answers.push((page.status, html));
    }
    assert_eq!(answers[0], answers[1]);
    // The password that the stranger chose opens nothing of the owner's.
    let refused = site.visitor().try_password(OWNER, PASSWORD).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let pool = world.all().await;
    let path: String = sqlx::query_scalar(
        "select content::json ->> 'path' from outbox where kind = 'account.confirm' and recipient = $1",
    )
    .bind(OWNER)
    .fetch_one(&pool)
    .await
    .unwrap();
    let wrong = follow(&site.visitor(), &path, PASSWORD).await;
    assert_eq!(
        wrong.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "the stranger’s password"
    );
    follow(&site.visitor(), &path, DEMONSTRATION).await;
    let desks = site.visitor().sign_in(OWNER).await;
    assert_eq!(desks.address, "/desk");
    assert!(desks.html.contains("/desk/first-shop") && desks.html.contains("/desk/karoo-cuts"));
    let twice = "select count(*) from account where email = 'owner@karoo-cuts.example'";
    assert_eq!(world.count(twice).await, 1);
}

#[tokio::test]
async fn addresses_of_ours_and_of_others_are_refused_with_one_that_is_free() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    for (slug, suggestion) in [("karoo-cuts", "karoo-cuts-2"), ("desk", "desk-2")] {
        let page = start(&visitor, &[("slug", slug)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{slug}");
        assert!(page.html.contains(suggestion), "{slug}");
        assert!(page.html.contains("id=\"slug-error\""));
        assert!(!page.html.contains(PASSWORD), "the password comes back");
    }
    for slug in ["Ünï", "a--b", "a/b", "-a"] {
        let page = start(&visitor, &[("slug", slug)]).await;
        assert!(page.html.contains("id=\"slug-error\""), "{slug}");
    }
    let page = start(
        &visitor,
        &[("business", "Karoo Cuts"), ("password", "karoo cuts 2027")],
    )
    .await;
    assert!(page.html.contains("id=\"password-error\""));
    let page = start(&visitor, &[("business", "Karoo Cuts")]).await;
    assert_eq!(page.address, "/desk/karoo-cuts-2/welcome");
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_mail_and_everybody_is_signed_out() {
    let world = World::seeded().await;
    let site = world.site().await;
    let before = site.visitor();
    before.sign_in(OWNER).await;
    let visitor = site.visitor();
    let mut answers = Vec::new();
    for email in [OWNER, "nobody@nails.example"] {
        let page = visitor.open("/forgot").await;
        let fields = [pair("csrf", &page.field("csrf")), pair("email", email)];
        let hashes = site.counter(HASHES).await;
        let sent = visitor.send("/forgot", &fields).await;
        answers.push((sent.status, sent.html, site.counter(HASHES).await - hashes));
    }
    assert_eq!(answers[0], answers[1], "it tells who has an account");
    assert_eq!(
        world
            .count("select count(*) from outbox where kind = 'account.reset'")
            .await,
        1
    );

    let path = link(&world, "account.reset").await;
    assert!(
        !site.lines().iter().any(|line| line.contains(&path)),
        "logged"
    );
    assert_eq!(visitor.open(&path).await.heading(), "Choose a new password");
    assert_eq!(
        before.open("/account").await.status,
        StatusCode::OK,
        "a scanner looked"
    );
    let short = follow(&visitor, &path, "short").await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = follow(&visitor, &path, PASSWORD).await;
    assert_eq!(done.heading(), "Sign in");
    assert_eq!(before.open("/account").await.status, StatusCode::SEE_OTHER);
    assert_eq!(visitor.open(&path).await.status, StatusCode::GONE, "used");
    let old = site.visitor_from("198.51.100.7").sign_in(OWNER).await;
    assert_eq!(old.status, StatusCode::UNPROCESSABLE_ENTITY);
    let new = visitor.try_password(OWNER, PASSWORD).await;
    assert_eq!(new.heading(), "Today");
    let told = "select count(*) from outbox where kind = 'account.changed'";
    assert_eq!(world.count(told).await, 1);
}

#[tokio::test]
async fn a_link_works_for_its_time_and_its_purpose_only() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let page = visitor.open("/forgot").await;
    let fields = [pair("csrf", &page.field("csrf")), pair("email", OWNER)];
    visitor.send("/forgot", &fields).await;
    let path = link(&world, "account.reset").await;
    let other = path.replace("/reset/", "/confirm/");
    assert_eq!(visitor.open(&other).await.status, StatusCode::GONE);
    let pool = world.all().await;
    let lasts =
        "select count(*) from account_link where expires_at = created_at + interval '30 minutes'";
    assert_eq!(world.count(lasts).await, 1);
    sqlx::query("update account_link set expires_at = now()")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(visitor.open(&path).await.status, StatusCode::GONE);
    assert_eq!(
        visitor.open("/reset/nonsense").await.status,
        StatusCode::GONE
    );
}

#[tokio::test]
async fn what_is_asked_for_too_often_is_refused_with_redis_and_without() {
    let world = World::seeded().await;
    let with = world.site().await;
    let url = world.database.url();
    let without = Site::start(&[("DATABASE_URL", &url), ("RELEASE", crate::site::RELEASE)]).await;
    counts_go_on().await;
    for (site, from) in [(&with, "203.0.113.7"), (&without, "198.51.100.7")] {
        let visitor = site.visitor_from(from);
        let page = visitor.open("/forgot").await;
        let ask = async |who: String| {
            let fields = [pair("csrf", &page.field("csrf")), pair("email", &who)];
            visitor.send("/forgot", &fields).await.status
        };
        for n in 0..10 {
            assert_eq!(ask(format!("a{n}@{from}.example")).await, StatusCode::OK);
        }
        let refused = ask(format!("b@{from}.example")).await;
        assert_eq!(refused, StatusCode::TOO_MANY_REQUESTS, "{from}");
        // Another network is not counted with it.
        let other = site.visitor_from("192.0.2.1").open("/forgot").await;
        assert_eq!(other.status, StatusCode::OK);
    }
    assert!(world.count("select count(*) from request_count").await > 0);
}

#[tokio::test]
async fn the_embedded_page_may_stand_in_a_frame_and_no_other_may() {
    let world = World::seeded().await;
    let site = world.site().await;
    let client = reqwest::Client::new();
    let answer = client
        .get(site.url("/embed/karoo-cuts"))
        .send()
        .await
        .unwrap();
    let header = |answer: &reqwest::Response, name: &str| {
        let value = answer.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let policy = header(&answer, "content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors *") && policy.contains("form-action 'none'"));
    assert_eq!(header(&answer, "x-frame-options"), None);
    let html = answer.text().await.unwrap();
    assert!(
        html.contains("/karoo-cuts/haircut/details?start="),
        "{html}"
    );
    assert!(!html.contains("<form"), "something could be sent from it");
    for path in ["/", "/karoo-cuts", "/sign-in", "/embed/nobody-knows"] {
        let answer = client.get(site.url(path)).send().await.unwrap();
        let policy = header(&answer, "content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(
            header(&answer, "x-frame-options").as_deref(),
            Some("DENY"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_owner_whose_address_nobody_has_confirmed_invites_nobody() {
    let world = World::seeded().await;
    let site = world.site().await;
    let owner = site.visitor();
    start(&owner, &[("slug", "first-shop")]).await;
    let members = "/desk/first-shop/members";
    let page = owner.open(members).await;
    let fields = [
        pair("csrf", &page.field("csrf")),
        pair("action", "invite"),
        pair("email", "stranger@else.example"),
        pair("role", "manager"),
    ];
    let refused = owner.send(members, &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.html.contains("Follow the link"), "{}", refused.html);
    let mails = "select count(*) from outbox where kind = 'account.invitation'";
    assert_eq!(world.count(mails).await, 0);
}

#[tokio::test]
async fn whoever_belongs_to_the_business_already_becomes_its_owner_with_the_link() {
    let world = World::seeded().await;
    let site = world.site().await;
    start(&site.visitor(), &[("email", OWNER), ("slug", "first-shop")]).await;
    let pool = world.all().await;
    sqlx::query(
        "insert into membership (business_id, account_id, role, created_at)
         select business.id, account.id, 'front_desk', now() from business, account
         where slug = 'first-shop' and account.email = $1 and account.state = 'active'",
    )
    .bind(OWNER)
    .execute(&pool)
    .await
    .unwrap();
    let path = link(&world, "account.confirm").await;
    follow(&site.visitor(), &path, DEMONSTRATION).await;
    let owners = "select count(*) from membership join business on business.id = business_id
                  join account on account.id = account_id
                  where slug = 'first-shop' and role = 'owner' and staff_id is not null
                    and account.state = 'active'";
    assert_eq!(world.count(owners).await, 1);
    let all = "select count(*) from membership join business on business.id = business_id
               where slug = 'first-shop'";
    assert_eq!(world.count(all).await, 1);
}

#[tokio::test]
async fn signing_up_ends_the_session_that_was_there() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    visitor.sign_in(OWNER).await;
    start(&visitor, &[("slug", "first-shop")]).await;
    assert_eq!(world.count("select count(*) from session").await, 1);
}

#[tokio::test]
async fn a_long_name_that_is_taken_gets_an_address_that_is_not_too_long() {
    let world = World::seeded().await;
    let site = world.site().await;
    let name = "The very long name of a salon in Oudtshoorn and beyond";
    for email in ["one@nails.example", "two@nails.example"] {
        let page = start(&site.visitor(), &[("business", name), ("email", email)]).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    }
    let made = "select count(*) from business where name like 'The very long name%'
                and length(slug) <= 40";
    assert_eq!(world.count(made).await, 2);
}
