//! What staff does to bookings, through the pages of the desk: booking for who rings, saying
//! that they came, moving, calling off, time off, and visits that repeat.

use crate::claims::invariants;
use crate::desk::signed_in;
use crate::site::{Page, Visitor, World, wish};
use reqwest::StatusCode;

const DESK: &str = "/desk/karoo-cuts";
const FRONT_DESK: &str = "desk@karoo-cuts.example";
const STAFF: &str = "sipho@karoo-cuts.example";

/// Sends the form whose tag holds `mark` with some fields set.
async fn send(visitor: &Visitor, page: &Page, mark: &str, set: &[(&str, &str)]) -> Page {
    let mut fields = page.form(mark);
    for (name, value) in set {
        fields.retain(|(own, _)| own != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    visitor.send(mark_address(page, mark), &fields).await
}

/// Where the form whose tag holds `mark` is sent.
fn mark_address<'a>(page: &'a Page, mark: &str) -> &'a str {
    let forms = page.html.split("<form ").skip(1);
    let mut tags = forms.filter_map(|form| form.split('>').next());
    let tag = tags.find(|tag| tag.contains(mark)).unwrap();
    let address = tag.split("action=\"").nth(1).unwrap();
    address.split('"').next().unwrap()
}

/// Books a haircut by phone and gives its page.
async fn ring(visitor: &Visitor, name: &str) -> Page {
    let form = visitor.open(&format!("{DESK}/book?service=haircut")).await;
    let start = form.field("start");
    let set = [
        ("start", start.as_str()),
        ("name", name),
        ("phone", "082 123 4567"),
        ("told", "yes"),
    ];
    let page = send(
        visitor,
        &form,
        "method=\"post\" action=\"/desk/karoo-cuts/book",
        &set,
    )
    .await;
    assert!(page.address.ends_with("?done=booked"), "{}", page.html);
    page
}

fn path(page: &Page) -> &str {
    page.address.split('?').next().unwrap()
}

#[tokio::test]
async fn who_rings_is_booked_found_moved_and_called_off_at_the_desk() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = signed_in(&site, FRONT_DESK).await;
    let what = visitor.open(&format!("{DESK}/book?service=haircut")).await;
    let post = "method=\"post\" action=\"/desk/karoo-cuts/book";
    // Without a time or a name nothing is booked, and both are named.
    let wrong = send(&visitor, &what, post, &[("start", "")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.html.contains("href=\"#start\"") && wrong.html.contains("href=\"#name\""));
    // Looking somebody up books nothing, and keeps the time that was chosen.
    let start = what.field("start");
    let looking = [("start", start.as_str()), ("q", "a"), ("find", "yes")];
    let found = send(&visitor, &what, post, &looking).await;
    assert_eq!(found.status, StatusCode::OK);
    assert!(found.html.contains(&format!("value=\"{start}\" checked")));
    assert!(found.html.contains("name=\"guest\""), "{}", found.html);

    let booked = ring(&visitor, "Gogo Mthembu").await;
    assert_eq!(booked.heading(), "Gogo Mthembu");
    assert!(booked.html.contains("Booked by phone"));
    let customer = (booked.links().into_iter())
        .find(|link| link.contains("/customers/"))
        .unwrap();
    let customer = visitor.open(&customer).await;
    // How they were told, in which wording, and by whom.
    for part in ["by phone (booking-notice-", "by Front desk of Karoo Cuts"] {
        assert!(customer.html.contains(part), "{part}: {}", customer.html);
    }
    let own = path(&booked).to_owned();
    let moving = visitor.open(&format!("{own}/move")).await;
    let mark = format!("method=\"post\" action=\"{own}/move");
    let times = moving.html.matches("name=\"start\"").count();
    assert!(times > 0, "{}", moving.html);
    let moved = send(
        &visitor,
        &moving,
        &mark,
        &[("start", &moving.field("start"))],
    )
    .await;
    assert!(moved.address.ends_with("?done=moved"), "{}", moved.html);
    let cancelling = visitor.open(&format!("{own}/cancel")).await;
    let mark = format!("method=\"post\" action=\"{own}/cancel");
    let wrong = send(&visitor, &cancelling, &mark, &[]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let set = [("whose", "business"), ("reason", "The shop floods")];
    let off = send(&visitor, &cancelling, &mark, &set).await;
    assert!(off.address.ends_with("?done=cancelled"), "{}", off.html);
    assert!(off.html.contains("The shop floods") && off.html.contains("Cancelled by us"));
    assert_eq!(invariants(&world).await, [""; 0]);
}

#[tokio::test]
async fn who_came_is_marked_and_what_was_pressed_by_mistake_is_taken_back() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = signed_in(&site, FRONT_DESK).await;
    let booked = ring(&visitor, "Gogo Mthembu").await;
    let own = path(&booked).to_owned();
    let mark = format!("{own}/state");
    let here = send(&visitor, &booked, &mark, &[("to", "arrived")]).await;
    assert!(here.address.ends_with("?done=told"), "{}", here.html);
    assert!(here.html.contains("Not here after all"));
    // An old page says that the booking has changed meanwhile.
    let stale = send(&visitor, &booked, &mark, &[("to", "completed")]).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    assert!(
        stale
            .html
            .contains("Somebody changed this booking meanwhile")
    );
    let back = send(&visitor, &here, &mark, &[("to", "confirmed")]).await;
    assert!(back.address.ends_with("?done=told"), "{}", back.html);
    // Nobody is missing before they were expected.
    let missing = send(&visitor, &back, &mark, &[("to", "no_show")]).await;
    assert_eq!(missing.status, StatusCode::CONFLICT);
    let states = "select count(*) from audit where subject =
        (select id from booking where source = 'phone') and actor = 'business'
        and actor_id is not null";
    assert_eq!(world.count(states).await, 3);
}

#[tokio::test]
async fn time_off_shows_what_it_hits_and_does_all_of_it_at_once() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = signed_in(&site, FRONT_DESK).await;
    let booked = ring(&visitor, "Gogo Mthembu").await;
    let (staff, day): (uuid::Uuid, String) = sqlx::query_as(
        "select staff_id, left(local_start, 10) from booking where source = 'phone'",
    )
    .fetch_one(&world.all().await)
    .await
    .unwrap();
    let look = format!("{DESK}/time-off/new?staff={staff}&from={day}&reason=sick");
    let shown = visitor.open(&look).await;
    assert!(shown.html.contains("Gogo Mthembu"), "{}", shown.html);
    let id = path(&booked).rsplit('/').next().unwrap().to_owned();
    let fate = format!("fate-{id}");
    let mark = "time-off/new";
    let entered = send(&visitor, &shown, mark, &[(&fate, "off")]).await;
    assert!(entered.address.ends_with("?done=away"), "{}", entered.html);
    let off = "select count(*) from booking where source = 'phone'
        and state = 'cancelled_by_business'";
    assert_eq!(world.count(off).await, 1);
    // Sent again from the page that is old by now, it hits nothing more.
    let ended = send(&visitor, &entered, "time-off/end", &[]).await;
    assert!(ended.address.ends_with("?done=back"), "{}", ended.html);
    // Staff enters time off of their own calendar only.
    let own = signed_in(&site, STAFF).await;
    let page = own.open(&format!("{DESK}/time-off")).await;
    assert_eq!(page.html.matches("<option value=\"0").count(), 1);
    assert_eq!(invariants(&world).await, [""; 0]);
}

#[tokio::test]
async fn a_booking_is_repeated_after_every_time_was_looked_at() {
    let world = World::seeded().await;
    let site = world.site().await;
    let (visitor, api) = (site.visitor(), site.api());
    let (business, service) = ("the-quiet-room", "private-yoga");
    let start = api.free(business, service, 14).await[0].clone();
    let made = api
        .book(business, "first", &wish(service, &start, "weekly"))
        .await;
    let token = made.text("token");
    let question = visitor.open(&format!("/b/{token}/repeat")).await;
    assert!(question.html.contains("Every second week"));
    let wrong = visitor
        .open(&format!("/b/{token}/repeat?every=day&count=99"))
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let plan = visitor
        .open(&format!("/b/{token}/repeat?every=week&count=3"))
        .await;
    assert_eq!(plan.html.matches("<fieldset class=\"panel\"").count(), 3);
    let before = "select count(*) from booking where series_id is not null";
    assert_eq!(world.count(before).await, 0);
    let mut chosen = plan.form("method=\"post\" action=\"/b/");
    let times = |fields: &[(String, String)]| {
        let visits = fields.iter().filter(|(name, _)| name.starts_with("visit-"));
        visits.filter(|(_, value)| !value.is_empty()).count()
    };
    if times(&chosen) == 0 {
        // All are taken in the demonstration, so another time is chosen for the first.
        let other = plan.field("visit-1");
        chosen.retain(|(name, _)| name != "visit-1");
        chosen.push(("visit-1".to_owned(), other));
    }
    let path = format!("/b/{token}/repeat");
    let done = visitor.send(&path, &chosen).await;
    assert_eq!(done.heading(), "Booked");
    let again = visitor.send(&path, &chosen).await;
    assert_eq!(again.heading(), "Booked");
    let expected = i64::try_from(times(&chosen)).unwrap() + 1;
    assert_eq!(world.count(before).await, expected);

    let ask = visitor.open(&format!("/b/{token}/cancel")).await;
    assert!(ask.html.contains("name=\"rest\""), "{}", ask.html);
    let mut fields = ask.form("/cancel");
    fields.push(("rest".to_owned(), "yes".to_owned()));
    visitor.send(&format!("/b/{token}/cancel"), &fields).await;
    let off = "select count(*) from booking where series_id is not null
        and state = 'cancelled_by_customer'";
    assert_eq!(world.count(off).await, expected);
    assert_eq!(invariants(&world).await, [""; 0]);
}

#[tokio::test]
async fn programs_look_at_a_series_before_they_book_it() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let (business, service) = ("the-quiet-room", "private-yoga");
    let start = api.free(business, service, 14).await[0].clone();
    let base = format!("/api/v1/businesses/{business}/series");
    let mut body = wish(service, &start, "series");
    body["every"] = "fortnight".into();
    body["count"] = 3.into();
    let plan = api.post(&format!("{base}/plan"), "any", &body).await;
    assert_eq!(plan.status, 200, "{plan:?}");
    assert_eq!(plan.text("rule"), "FREQ=WEEKLY;INTERVAL=2;COUNT=3");
    let planned = plan.body["visits"].as_array().unwrap();
    assert_eq!(planned.len(), 3);
    assert_eq!(planned[0]["is_free"], true);
    let made = api.post(&base, "key", &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let again = api.post(&base, "key", &body).await;
    assert_eq!((again.status, &again.body), (201, &made.body));
    let visits = made.body["visits"].as_array().unwrap();
    for (visit, planned) in visits.iter().zip(planned) {
        assert_eq!(visit["token"].is_string(), planned["is_free"] == true);
    }
    body["count"] = 0.into();
    let wrong = api.post(&base, "other", &body).await;
    assert_eq!(wrong.status, 422, "{wrong:?}");
    assert_eq!(invariants(&world).await, [""; 0]);
}
