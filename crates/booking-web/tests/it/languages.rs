//! Which language a visitor is answered in, and what is remembered of a choice.

use crate::site::{Site, Visitor, World, filled};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT_LANGUAGE, HeaderValue, SET_COOKIE, VARY};

/// The heading of a page, asked for by a browser with these languages.
async fn heading(site: &Site, path: &str, accepted: &str) -> String {
    let client = site.visitor().client;
    let request = client.get(site.url(path)).header(ACCEPT_LANGUAGE, accepted);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()[VARY], "accept-language, cookie");
    let mut cookies = answer.headers().get_all(SET_COOKIE).iter();
    let is_choice = |cookie: &HeaderValue| cookie.as_bytes().starts_with(b"language=");
    assert!(!cookies.any(is_choice), "nobody chose");
    let html = answer.text().await.unwrap();
    let rest = html.split("<h1>").nth(1).unwrap();
    rest.split("</h1>").next().unwrap().to_owned()
}

#[tokio::test]
async fn a_page_speaks_as_the_browser_asks_or_as_the_business_does() {
    let world = World::seeded().await;
    let site = world.site().await;
    let path = "/karoo-cuts/haircut";
    let speak = async |accepted| heading(&site, path, accepted).await;
    assert_eq!(speak("af-ZA, en;q=0.8").await, "Kies ’n tyd");
    assert_eq!(speak("af;q=0.1, zu").await, "Khetha isikhathi");
    assert_eq!(speak("fr").await, "Choose a time");
    let pool = world.all().await;
    sqlx::query("update business set locale = 'zu' where slug = 'karoo-cuts'")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(speak("fr").await, "Khetha isikhathi");
    assert_eq!(speak("en").await, "Choose a time");
    // Also where nothing is found.
    assert_eq!(
        heading(&site, "/nobody", "af").await,
        "Hierdie bladsy bestaan nie"
    );
}

#[tokio::test]
async fn a_choice_is_kept_on_the_way_and_with_the_booking() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let times = visitor.open("/karoo-cuts/haircut?day=2020-01-01").await;
    let link = "href=\"/karoo-cuts/haircut?day=2020-01-01&#38;lang=af\"";
    assert!(times.html.contains(link), "{}", times.html);
    let times = visitor.open("/karoo-cuts/haircut?lang=af").await;
    assert!(times.html.contains("<html lang=\"af\">"));
    assert_eq!(times.heading(), "Kies ’n tyd");

    // From here on the browser remembers.
    let details = format!("/karoo-cuts/haircut/details?start={}", times.field("start"));
    let form = visitor.open(&details).await;
    assert_eq!(form.heading(), "Jou besonderhede");
    let mut fields = filled(&form);
    for (name, value) in &mut fields {
        if name == "email" {
            "thandi".clone_into(value);
        }
    }
    let wrong = visitor.send(&form.address, &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.html.contains("<title>Fout: Jou besonderhede"));
    assert!(wrong.html.contains("Vul ’n e-posadres in"));
    let booked = visitor.send(&form.address, &filled(&wrong)).await;
    assert_eq!(booked.heading(), "Jou bespreking is gemaak");

    // The booking is shown so on every device, until another language is chosen there.
    let elsewhere = site.visitor();
    let heading =
        async |visitor: &Visitor, path: &str| visitor.open(path).await.heading().to_owned();
    assert_eq!(
        heading(&elsewhere, &booked.address).await,
        "Jou bespreking is gemaak"
    );
    let chosen = format!("{}?lang=zu", booked.address);
    assert_eq!(heading(&elsewhere, &chosen).await, "Usubhukhile");
    assert_eq!(heading(&elsewhere, &booked.address).await, "Usubhukhile");
}

#[tokio::test]
async fn programs_are_answered_in_english() {
    let world = World::seeded().await;
    let site = world.site().await;
    let request = site
        .api()
        .client
        .post(site.url("/api/v1/businesses/karoo-cuts/bookings"));
    let request = request
        .header(ACCEPT_LANGUAGE, "af")
        .header("idempotency-key", "k")
        .json(&serde_json::json!({"service": "haircut"}));
    let said = crate::site::said(request).await;
    assert_eq!(said.status, 422, "{said:?}");
    let first = said.body["errors"][0]["detail"].as_str().unwrap();
    assert_eq!(first, "Choose a time");
}
