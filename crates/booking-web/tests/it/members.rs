//! The people of a business, as its owner and those who are invited meet it.

use crate::sign_up::link;
use crate::site::{DEMONSTRATION, Page, Visitor, World};
use reqwest::StatusCode;

const MEMBERS: &str = "/desk/karoo-cuts/members";
const OWNER: &str = "owner@karoo-cuts.example";
const PASSWORD: &str = "two goats on the stoep";

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

async fn act(visitor: &Visitor, fields: &[(&str, &str)]) -> Page {
    let page = visitor.open(MEMBERS).await;
    let mut all = vec![pair("csrf", &page.field("csrf"))];
    all.extend(fields.iter().map(|(name, value)| pair(name, value)));
    visitor.send(MEMBERS, &all).await
}

async fn accept(visitor: &Visitor, path: &str, password: &str) -> Page {
    let page = visitor.open(path).await;
    let fields = [
        pair("csrf", &page.field("csrf")),
        pair("name", "Naledi Modise"),
        pair("password", password),
    ];
    visitor.send(path, &fields).await
}

async fn id(world: &World, email: &str) -> String {
    let pool = world.all().await;
    sqlx::query_scalar("select id::text from account where email = $1")
        .bind(email)
        .fetch_one(&pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn somebody_is_invited_comes_is_given_another_role_and_goes() {
    let world = World::seeded().await;
    let site = world.site().await;
    let owner = site.visitor();
    owner.sign_in(OWNER).await;
    let invite = [
        ("action", "invite"),
        ("email", "Naledi@Cuts.example"),
        ("role", "front_desk"),
    ];
    let page = act(&owner, &invite).await;
    assert!(page.html.contains("naledi@cuts.example"));
    let path = link(&world, "account.invitation").await;

    let naledi = site.visitor();
    assert_eq!(naledi.open(&path).await.heading(), "Karoo Cuts invites you");
    assert_eq!(
        accept(&naledi, &path, "short").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    accept(&naledi, &path, PASSWORD).await;
    assert_eq!(naledi.open(&path).await.status, StatusCode::GONE, "used");
    let desk = naledi.try_password("naledi@cuts.example", PASSWORD).await;
    assert!(desk.html.contains("Front desk"));
    assert_eq!(naledi.open(MEMBERS).await.status, StatusCode::FORBIDDEN);

    // Another role takes effect at once, and begins with signing in.
    let whom = id(&world, "naledi@cuts.example").await;
    act(
        &owner,
        &[("action", "role"), ("id", &whom), ("role", "manager")],
    )
    .await;
    assert_eq!(
        naledi.open("/desk/karoo-cuts").await.status,
        StatusCode::SEE_OTHER
    );
    let desk = naledi.try_password("naledi@cuts.example", PASSWORD).await;
    assert!(desk.html.contains("Manager"));
    act(&owner, &[("action", "remove"), ("id", &whom)]).await;
    let gone = naledi.try_password("naledi@cuts.example", PASSWORD).await;
    assert_eq!(gone.address, "/desk", "no business is left");
    assert_eq!(
        naledi.open("/desk/karoo-cuts").await.status,
        StatusCode::NOT_FOUND
    );
    let written = "select count(*) from audit where action in
        ('member.invited', 'member.joined', 'member.role-changed', 'member.removed')
        and actor_id is not null";
    assert_eq!(world.count(written).await, 4);
    let roles = "select count(*) from audit where action = 'member.role-changed'
        and before ->> 'role' = 'front_desk' and after ->> 'role' = 'manager'";
    assert_eq!(world.count(roles).await, 1);
}

#[tokio::test]
async fn an_invitation_of_an_address_that_has_an_account_asks_for_its_password() {
    let world = World::seeded().await;
    let site = world.site().await;
    let owner = site.visitor();
    owner.sign_in(OWNER).await;
    let whom = "owner@bluff-physio.example";
    act(
        &owner,
        &[("action", "invite"), ("email", whom), ("role", "staff")],
    )
    .await;
    let path = link(&world, "account.invitation").await;
    let visitor = site.visitor();
    let wrong = accept(&visitor, &path, PASSWORD).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    accept(&visitor, &path, DEMONSTRATION).await;
    let desks = visitor.sign_in(whom).await;
    assert!(desks.html.contains("/desk/karoo-cuts") && desks.html.contains("/desk/bluff-physio"));
}

#[tokio::test]
async fn the_last_owner_is_told_why_they_stay_and_an_invitation_is_taken_back() {
    let world = World::seeded().await;
    let site = world.site().await;
    let owner = site.visitor();
    owner.sign_in(OWNER).await;
    let oneself = id(&world, OWNER).await;
    for action in [
        [("action", "remove"), ("id", &oneself), ("role", "")],
        [("action", "role"), ("id", &oneself), ("role", "staff")],
    ] {
        let page = act(&owner, &action).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.html.contains("A business always has an owner"));
    }
    let invite = [
        ("action", "invite"),
        ("email", "a@b.example"),
        ("role", "staff"),
    ];
    act(&owner, &invite).await;
    let path = link(&world, "account.invitation").await;
    let pool = world.all().await;
    let invitation: String = sqlx::query_scalar("select id::text from invitation")
        .fetch_one(&pool)
        .await
        .unwrap();
    act(&owner, &[("action", "withdraw"), ("id", &invitation)]).await;
    assert_eq!(site.visitor().open(&path).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn nobody_but_an_owner_sees_or_changes_who_belongs_there() {
    let world = World::seeded().await;
    let site = world.site().await;
    let neighbour = id(&world, "owner@bluff-physio.example").await;
    for who in ["manager", "desk", "sipho"] {
        let visitor = site.visitor();
        let desk = visitor.sign_in(&format!("{who}@karoo-cuts.example")).await;
        assert_eq!(
            visitor.open(MEMBERS).await.status,
            StatusCode::FORBIDDEN,
            "{who}"
        );
        let fields = [pair("csrf", &desk.field("csrf")), pair("action", "remove")];
        let page = visitor.send(MEMBERS, &fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{who}");
    }
    let owner = site.visitor();
    owner.sign_in(OWNER).await;
    let page = act(&owner, &[("action", "remove"), ("id", &neighbour)]).await;
    assert_eq!(
        page.status,
        StatusCode::NOT_FOUND,
        "a member of the neighbour"
    );
    assert_eq!(
        owner.open("/desk/bluff-physio/members").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn an_invitation_that_is_taken_back_while_it_is_accepted_makes_nobody_a_member() {
    let world = World::seeded().await;
    let site = world.site().await;
    let owner = site.visitor();
    owner.sign_in(OWNER).await;
    let invite = [
        ("action", "invite"),
        ("email", "naledi@cuts.example"),
        ("role", "manager"),
    ];
    act(&owner, &invite).await;
    let path = link(&world, "account.invitation").await;
    let pool = world.all().await;
    let mut connection = pool.acquire().await.unwrap();
    let mut transaction = sqlx::Connection::begin(&mut *connection).await.unwrap();
    sqlx::query("delete from invitation")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let visitor = site.visitor();
    let accepting = accept(&visitor, &path, PASSWORD);
    let taking_back = async {
        let waits = "select count(*) from pg_locks where not granted";
        crate::site::until("accepting waits", async || {
            (world.count(waits).await > 0).then_some(())
        })
        .await;
        transaction.commit().await
    };
    let (page, taken) = tokio::join!(accepting, taking_back);
    taken.unwrap();
    assert_eq!(page.status, StatusCode::GONE, "{}", page.html);
    let left = "select count(*) from account where email = 'naledi@cuts.example'";
    assert_eq!(world.count(left).await, 0);
}
