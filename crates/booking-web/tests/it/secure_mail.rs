//! Mail over TLS, to a real server: by STARTTLS and from the first byte; a certificate that is
//! wrong is refused, and nothing goes in the clear where TLS was asked for.

use testkit::certificate::Authority;
use testkit::smtp::{Manner, Postbox, Smtp, Speech};

use crate::messages::{all_sent, plan};
use crate::site::{World, until};
use crate::work::Worker;

/// How the SMTP of a test is asked for TLS.
fn by_starttls(url: &str) -> String {
    format!("{url}?tls=required")
}

fn from_the_first_byte(url: &str) -> String {
    url.replace("smtp://", "smtps://")
}

/// Waits until a mail was tried, and gives why it was not sent.
async fn failure(world: &World) -> String {
    let pool = world.all().await;
    let reason = until("it was tried", async || {
        let query = "select reason from outbox where attempts > 0 and reason is not null";
        sqlx::query_scalar(query)
            .fetch_optional(&pool)
            .await
            .unwrap()
    })
    .await;
    pool.close().await;
    reason
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_by_starttls_and_by_tls_from_the_first_byte() {
    let authority = Authority::new().unwrap();
    let certificate = authority.sign("IP:127.0.0.1").unwrap();
    let trusted = authority.file().display().to_string();
    let ways = [
        (
            Speech::StartTls(&certificate),
            by_starttls as fn(&str) -> String,
        ),
        (Speech::Tls(&certificate), from_the_first_byte),
    ];
    for (speech, asked) in ways {
        let (world, smtp) = (World::migrated().await, Smtp::speaking(speech).unwrap());
        plan(&world, 1..=3).await;
        let trust = [("SSL_CERT_FILE", trusted.as_str())];
        let _worker = Worker::start(&world, &asked(&smtp.url()), &trust).await;
        all_sent(&world, 3).await;
        assert_eq!(smtp.mails().unwrap().len(), 3, "{speech:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_certificate_is_refused_and_no_mail_is_given() {
    let (known, unknown) = (Authority::new().unwrap(), Authority::new().unwrap());
    let wrong = [
        ("by somebody unknown", unknown.sign("IP:127.0.0.1").unwrap()),
        ("for somebody else", known.sign("DNS:mail.example").unwrap()),
    ];
    let trusted = known.file().display().to_string();
    for (what, certificate) in &wrong {
        let ways = [
            (
                Speech::StartTls(certificate),
                by_starttls as fn(&str) -> String,
            ),
            (Speech::Tls(certificate), from_the_first_byte),
        ];
        for (speech, asked) in ways {
            let (world, smtp) = (World::migrated().await, Smtp::speaking(speech).unwrap());
            plan(&world, 1..=1).await;
            let trust = [("SSL_CERT_FILE", trusted.as_str())];
            let worker = Worker::start(&world, &asked(&smtp.url()), &trust).await;
            let why = failure(&world).await;
            assert!(why.to_lowercase().contains("certificate"), "{what}: {why}");
            drop(worker);
            let sent = "select count(*) from outbox where state = 'sent'";
            assert_eq!(world.count(sent).await, 0, "{what}");
            assert_eq!(smtp.mails().unwrap(), [""; 0], "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_in_the_clear_where_tls_was_asked_for() {
    // Somebody on the way may have taken the offer of STARTTLS out.
    let postbox = Postbox::start(Manner::Takes).unwrap();
    let real = Smtp::start().unwrap();
    for url in [postbox.url(), real.url()] {
        for asked in [by_starttls(&url), from_the_first_byte(&url)] {
            let world = World::migrated().await;
            plan(&world, 1..=1).await;
            let _worker = Worker::start(&world, &asked, &[]).await;
            failure(&world).await;
            let sent = "select count(*) from outbox where state = 'sent'";
            assert_eq!(world.count(sent).await, 0, "{asked}");
        }
    }
    assert_eq!(postbox.mails(), [""; 0]);
    assert_eq!(real.mails().unwrap(), [""; 0]);
}
