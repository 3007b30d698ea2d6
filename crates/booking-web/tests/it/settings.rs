//! What a business sets once: its messages, the days on which it is closed, who answers for
//! privacy.

use reqwest::StatusCode;

use crate::site::{Visitor, World, until, wish};
use crate::work::Worker;
use testkit::smtp::Smtp;

const OWNER: &str = "owner@karoo-cuts.example";

fn with(mut form: Vec<(String, String)>, more: &[(&str, &str)]) -> Vec<(String, String)> {
    form.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
    let more = more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    form.extend(more);
    form
}

/// Opens a page, changes its form, sends it.
async fn change(visitor: &Visitor, path: &str, more: &[(&str, &str)]) -> crate::site::Page {
    let form = visitor.open(path).await.form(path);
    visitor.send(path, &with(form, more)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_from_whom_the_business_says_and_answers_go_where_it_reads_them() {
    let (world, smtp) = (World::seeded().await, Smtp::start().unwrap());
    let site = world.site().await;
    let owner = site.visitor();
    owner.sign_in(OWNER).await;
    let path = "/desk/karoo-cuts/settings/messages";
    let wrong = change(&owner, path, &[("quiet_from", "late"), ("email", "x")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong.html.contains("id=\"quiet_from-error\"") && wrong.html.contains("id=\"email-error\"")
    );
    let chosen = [
        ("sender", "Karoo by the river"),
        ("email", "front@karoo.example"),
        ("by_email", ""),
        ("by_sms", "240"),
        ("quiet_from", "21:30"),
        ("hides_service", "yes"),
    ];
    let saved = change(&owner, path, &chosen).await;
    assert!(saved.html.contains("Saved.") && saved.html.contains("value=\"21:30\""));
    let stands = "select count(*) from message_settings where reminder_email_minutes is null
        and reminder_sms_minutes = 240 and quiet_from = 1290 and hides_service";
    assert_eq!(world.count(stands).await, 1);

    let _worker = Worker::start(&world, &smtp.url(), &[]).await;
    let api = site.api();
    let free = api.free("karoo-cuts", "haircut", 7).await;
    let made = api
        .book("karoo-cuts", "k", &wish("haircut", &free[0], "thandi"))
        .await;
    let mail = until("the mail is there", async || smtp.mails().unwrap().pop()).await;
    assert!(mail.contains("From: \"Karoo by the river\" <"), "{mail}");
    assert!(mail.contains("Reply-To:") && mail.contains("front@karoo.example"));
    assert_eq!(made.status, 201, "{made:?}");
}

#[tokio::test]
async fn a_holiday_is_a_day_off_until_the_business_says_otherwise() {
    let world = World::seeded().await;
    let site = world.site().await;
    let owner = site.visitor();
    owner.sign_in(OWNER).await;
    let path = "/desk/karoo-cuts/settings/holidays";
    let api = site.api();
    let free = api.free("karoo-cuts", "haircut", 14).await;
    // A day that can be booked becomes a day of their own.
    let (day, _) = free[free.len() / 2].split_once('T').unwrap();
    let on_day = async || {
        let times = api.free("karoo-cuts", "haircut", 14).await;
        times.iter().filter(|time| time.starts_with(day)).count()
    };
    assert!(on_day().await > 0);
    let add = [("action", "add"), ("date", day), ("name", "Stocktaking")];
    let page = owner.open(path).await;
    let csrf = ("csrf".to_owned(), page.field("csrf"));
    let send =
        async |fields: &[(&str, &str)]| owner.send(path, &with(vec![csrf.clone()], fields)).await;
    let added = send(&add).await;
    assert!(added.html.contains("Stocktaking") && added.html.contains("Saved."));
    assert_eq!(on_day().await, 0);
    let back = send(&[("action", "forget"), ("date", day)]).await;
    assert!(!back.html.contains("Stocktaking"));
    assert!(on_day().await > 0);
    let wrong = send(&[("action", "add"), ("date", "1999-01-01"), ("name", "")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.html.contains("id=\"date-error\"") && wrong.html.contains("id=\"name-error\""));
    // All of them at once, and back.
    let ignored = send(&[("action", "ignore")]).await;
    assert!(ignored.html.contains("You are open on public holidays"));
    let kept = send(&[("action", "keep")]).await;
    assert!(kept.html.contains("You are closed on public holidays"));
}

#[tokio::test]
async fn the_notice_names_who_answers_for_it_and_how_long_what_is_kept() {
    let world = World::seeded().await;
    let site = world.site().await;
    let owner = site.visitor();
    owner.sign_in(OWNER).await;
    let path = "/desk/karoo-cuts/settings/privacy";
    let wrong = change(&owner, path, &[("note_days", "0")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong.html.contains("id=\"note_days-error\"")
            && wrong.html.contains("id=\"officer-error\"")
    );
    let chosen = [
        ("legal_name", "Karoo Cuts (Pty) Ltd"),
        ("address", "Church Street 1, Graaff-Reinet"),
        ("officer", "Naledi Mokoena"),
        ("officer_email", "naledi@karoo.example"),
        ("recipients", "Our bookkeeper"),
        ("note_days", "77"),
    ];
    let saved = change(&owner, path, &chosen).await;
    assert!(saved.html.contains("Saved."), "{}", saved.html);
    let notice = site.visitor().open("/karoo-cuts/privacy").await;
    for part in [
        "Karoo Cuts (Pty) Ltd",
        "Naledi Mokoena",
        "Our bookkeeper",
        "77",
    ] {
        assert!(notice.html.contains(part), "{part} in {}", notice.html);
    }
    let again = change(&owner, path, &[("note_days", "")]).await;
    assert!(again.html.contains("Saved."));
    assert_eq!(
        world.count("select count(*) from retention_policy").await,
        0
    );
}
