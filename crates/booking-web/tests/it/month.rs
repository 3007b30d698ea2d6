//! The month as visitors see it, and the one whom they choose: what a day is said to have it
//! has, and a chosen person stays chosen to the end and beyond.

use crate::holds::run_out;
use crate::site::{Page, Visitor, World, filled, run};
use serde_json::Value;

const PHYSIO: &str = "/bluff-physio/follow-up";

/// Where each day of a month or week that can be chosen leads to, and what is said of it.
fn days(page: &Page) -> Vec<(String, String)> {
    let days = page.html.split("<a class=\"day ").skip(1);
    let day = |day: &str| {
        let link = day.split("href=\"").nth(1).unwrap();
        let link = link.split('"').next().unwrap().replace("&#38;", "&");
        let said = day.split("visually-hidden\">").nth(1).unwrap();
        let said = said.split('<').next().unwrap();
        let (_, said) = said.split_once(", ").unwrap();
        (link, said.to_owned())
    };
    days.map(day).collect()
}

fn radios(page: &Page) -> usize {
    page.html.matches("type=\"radio\" name=\"start\"").count()
}

/// The number in "5 free times" and "only 1 free time"; none where there is no number.
fn count(said: &str) -> usize {
    let mut words = said.split(' ').filter_map(|word| word.parse().ok());
    words.next().unwrap_or(0)
}

async fn staff(visitor: &Visitor) -> Vec<(String, String)> {
    let path = "/api/v1/businesses/bluff-physio/services/follow-up/staff";
    let body = visitor.open(path).await.html;
    let body: Value = serde_json::from_str(&body).unwrap();
    let member = |member: &Value| {
        let text = |field: &str| member[field].as_str().unwrap().to_owned();
        (text("id"), text("name"))
    };
    let staff = body["staff"].as_array().unwrap();
    staff.iter().map(member).collect()
}

#[tokio::test]
async fn what_a_month_says_of_its_days_is_what_they_offer() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    for service in [PHYSIO, "/the-quiet-room/yoga-class"] {
        let first = visitor.open(&format!("{service}/month")).await;
        let later = first.links().into_iter().find(|l| l.contains("/month?"));
        let later = visitor.open(&later.unwrap()).await;
        let mut kinds = std::collections::BTreeSet::new();
        for (link, said) in days(&first).into_iter().chain(days(&later)) {
            let day = visitor.open(&link).await;
            assert_eq!(radios(&day), count(&said), "{link}: {said}");
            kinds.insert(said.trim_matches(|c: char| !c.is_alphabetic()).to_owned());
            // The week says the same of it.
            let (_, again) = (days(&day).into_iter())
                .find(|(other, _)| *other == link)
                .unwrap();
            assert_eq!(again, said);
        }
        assert!(kinds.contains("closed") && kinds.len() > 1, "{kinds:?}");
    }
}

#[tokio::test]
async fn a_month_that_nobody_can_book_leads_back_into_reach() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let now = visitor.open(&format!("{PHYSIO}/month")).await;
    for month in ["1999-01", "nonsense", ""] {
        let page = visitor.open(&format!("{PHYSIO}/month?month={month}")).await;
        assert_eq!(days(&page), days(&now), "{month}");
    }
    let far = visitor
        .open(&format!("{PHYSIO}/month?month=9998-12&staff=nobody"))
        .await;
    assert!(!days(&far).is_empty());
    assert!(!far.html.contains("rel=\"next\""));
}

#[tokio::test]
async fn a_chosen_person_stays_chosen_from_the_month_to_the_booking_and_when_it_moves() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let staff = staff(&visitor).await;
    assert_eq!(staff.len(), 3);
    for (id, name) in &staff {
        let page = visitor.open(&format!("{PHYSIO}/month?staff={id}")).await;
        let free = days(&page).into_iter().rfind(|(_, said)| count(said) > 1);
        let times = visitor.open(&free.unwrap().0).await;
        let chosen = format!("aria-current=\"true\">{name}</a>");
        assert!(times.html.contains(&chosen), "{}", times.html);
        let form = visitor.choose(&times, &times.field("start")).await;
        assert!(
            form.html.contains(&format!("<dd>{name}, ")),
            "{}",
            form.html
        );
        // Back among the times it is still the same one.
        let back = form.links().into_iter().find(|link| link.contains("?day="));
        let back = back.unwrap().replace("&#38;", "&");
        let back = visitor.open(&back).await;
        assert!(back.html.contains(&chosen), "{}", back.html);
        let booked = visitor.send(&form.address, &filled(&form)).await;
        assert_eq!(booked.heading(), "You are booked");
        assert!(booked.html.contains(name), "{}", booked.html);

        let moving = format!("{}/reschedule", booked.address);
        let times = visitor.open(&moving).await;
        let mut fields = times.form("/reschedule");
        fields.push(("start".to_owned(), times.field("start")));
        let moved = visitor.send(&moving, &fields).await;
        assert_eq!(moved.heading(), "You are booked");
        assert!(moved.html.contains(name), "{}", moved.html);
    }
    let others = "select count(*) from booking where wanted_staff_id <> staff_id";
    assert_eq!(world.count(others).await, 0);
    let asked = "select count(*) from booking where wanted_staff_id is not null";
    assert_eq!(world.count(asked).await, 3);
}

#[tokio::test]
async fn who_was_chosen_takes_the_time_again_when_the_hold_has_run_out() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    for (id, name) in staff(&visitor).await {
        let times = visitor.open(&format!("{PHYSIO}?staff={id}")).await;
        let start = times.field("start");
        let form = visitor.choose(&times, &start).await;
        run_out(&world).await;
        run("sweep", &world.database.url()).unwrap();
        let booked = visitor.send(&form.address, &filled(&form)).await;
        assert_eq!(booked.heading(), "You are booked");
        assert!(booked.html.contains(&name), "{}", booked.html);
    }
}

#[tokio::test]
async fn the_same_time_with_somebody_else_is_another_hold() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let staff = staff(&visitor).await;
    let mut starts = Vec::new();
    let mut pages = Vec::new();
    for (id, _) in &staff {
        let api = site.api();
        let path = "/api/v1/businesses/bluff-physio/services/follow-up/availability?days=31";
        let said = api.get(&format!("{path}&staff={id}")).await;
        let slots = said.body["slots"].as_array().unwrap().clone();
        let start = |slot: &Value| slot["start"].as_str().unwrap().to_owned();
        starts.push(slots.iter().map(start).collect::<Vec<_>>());
        pages.push(visitor.open(&format!("{PHYSIO}?staff={id}")).await);
    }
    let (first, second) = (&starts[0], &starts[1]);
    let both = first.iter().find(|start| second.contains(start)).unwrap();
    let one = visitor.choose(&pages[0], both).await;
    let other = visitor.choose(&pages[1], both).await;
    assert_ne!(one.address, other.address);
    assert!(other.html.contains(&staff[1].1), "{}", other.html);
    let held = "select count(*) from booking where state = 'held'";
    assert_eq!(world.count(held).await, 1);
}

#[tokio::test]
async fn whoever_has_left_is_not_asked_for_any_more() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let (id, name) = staff(&visitor).await.remove(0);
    let path = format!("{PHYSIO}?staff={id}");
    let times = visitor.open(&path).await;
    // Far enough ahead that moving it costs nothing.
    let own = "/api/v1/businesses/bluff-physio/services/follow-up/availability?days=31";
    let own = site.api().get(&format!("{own}&staff={id}")).await;
    let slots = own.body["slots"].as_array().unwrap();
    let start = slots.last().unwrap()["start"].as_str().unwrap();
    let form = visitor.choose(&times, start).await;
    let booked = visitor.send(&form.address, &filled(&form)).await;
    assert!(booked.html.contains(&name), "{}", booked.html);
    let leaves = format!("update staff set is_active = false where id = '{id}'");
    let leaves = sqlx::query(sqlx::AssertSqlSafe(leaves));
    leaves.execute(&world.all().await).await.unwrap();
    let times = visitor.open(&path).await;
    assert!(radios(&times) > 0, "{}", times.html);
    assert!(!times.html.contains(&name), "{}", times.html);
    let moving = format!("{}/reschedule", booked.address);
    let times = visitor.open(&moving).await;
    let mut fields = times.form("/reschedule");
    let free = site.api().free("bluff-physio", "follow-up", 14).await;
    fields.push(("start".to_owned(), free.last().unwrap().clone()));
    let moved = visitor.send(&moving, &fields).await;
    assert_eq!(moved.heading(), "You are booked");
    assert!(!moved.html.contains(&name), "{}", moved.html);
}

#[tokio::test]
async fn a_class_says_how_many_seats_are_left() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let path = "/api/v1/businesses/the-quiet-room/services/yoga-class/availability/next?n=1";
    let next = site.api().get(path).await.body["slots"][0].clone();
    let page = visitor.open("/the-quiet-room/yoga-class").await;
    let said = match next["seats"].as_u64().unwrap() {
        1 => "1 seat left".to_owned(),
        seats => format!("{seats} seats left"),
    };
    let label = page.html.split(next["start"].as_str().unwrap()).nth(1);
    let label = label.unwrap().split("</label>").next().unwrap();
    assert!(label.contains(&said), "{label}");
    // Whoever comes alone is told of none.
    let page = visitor.open(PHYSIO).await;
    assert!(!page.html.contains("seats left"), "{}", page.html);
}
