//! Certificates that an authority signs: fetched, served, renewed, asked for again later and later.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use testkit::acme::{AcmeServer, Manner};
use testkit::certificate::Term;

use crate::ground::Ground;
use crate::release::draft;
use crate::tls::{config, over_tls, plain};

const NAME: &str = "shop.test";

fn now() -> Timestamp {
    chassis::Clock::system().now()
}

/// Of so many seconds from now, both ways.
fn term(before: i64, after: i64) -> Term {
    let now = now();
    let at = |seconds: i64| {
        let at = now + seconds.seconds();
        at.strftime("%Y%m%d%H%M%SZ").to_string()
    };
    Term {
        from: at(-before),
        until: at(after),
    }
}

/// A Slipway whose certificate is to be fetched, and where it listens.
struct Fetching {
    ground: Ground,
    secure: SocketAddr,
}

impl Fetching {
    fn start(server: &AcmeServer, challenge: &str) -> Self {
        let mut ground = Self::ground(server, challenge);
        ground.start();
        Self::at(server, ground)
    }

    fn ground(server: &AcmeServer, challenge: &str) -> Ground {
        let tls = format!(
            "[proxy.tls]\nlisten = \"127.0.0.1:0\"\nredirect = true\n\
             [proxy.tls.acme]\nnames = [\"{NAME}\"]\nterms_agreed = true\n\
             contact = \"ops@{NAME}\"\nchallenge = {challenge:?}\n\
             directory = \"{}\"\nauthority = \"{}\"\n",
            server.directory(),
            server.root().display()
        );
        Ground::with_environment(&format!("{}\n{tls}", Ground::environment()))
    }

    fn at(server: &AcmeServer, ground: Ground) -> Self {
        let listen = ground.status()["listen"].clone();
        let address = |place: usize, scheme: &str| -> SocketAddr {
            let text = listen[place].as_str().unwrap();
            text.strip_prefix(scheme).unwrap().parse().unwrap()
        };
        let secure = address(1, "https://");
        server.find(address(0, "http://"), secure);
        Self { ground, secure }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.ground.state().join("certificates").join(name)
    }

    fn record(&self) -> serde_json::Value {
        let read = fs::read(self.file("record.json")).unwrap_or_default();
        serde_json::from_slice(&read).unwrap_or_default()
    }
}

#[test]
fn a_certificate_is_fetched_over_http_served_and_renewed_before_it_ends() {
    // Due again three seconds from now.
    let server = AcmeServer::start(term(597, 303)).unwrap();
    let fetching = Fetching::start(&server, "http-01");
    let ground = &fetching.ground;
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let config = config(server.authority());
    ground.wait_for("the certificate to be served", || {
        over_tls(fetching.secure, &config).is_ok_and(|said| said.starts_with("HTTP/1.1 200 "))
    });
    ground.wait_for("visitors to be sent to TLS", || {
        plain(ground.address()).starts_with("HTTP/1.1 308 ")
    });
    for name in ["certificate.pem", "account.json", "record.json"] {
        let mode = fs::metadata(fetching.file(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    server.sign_for(term(0, 86_400));
    let day = (now() + 12.hours()).to_string();
    let signed = || -> Vec<String> {
        let events = ground.events();
        let events = events.iter().map(|event| &event["event"]);
        let signed = events.filter(|event| event["kind"] == "certificate-signed");
        let until = signed.filter_map(|event| event["not_after"].as_str().map(str::to_owned));
        until.collect()
    };
    ground.wait_for("the renewal", || {
        signed().last() > Some(&day) && signed().len() == server.counts().0
    });
    let before = server.counts().0;
    assert!(before > 1, "{before}");
    assert_eq!(server.accounts(), 1, "the account is kept");
    // Control that comes back has nothing to ask for.
    let killed = ground.kill("control");
    ground.wait_for("control to be back", || {
        ground.pid("control") != Some(killed)
            && ground.status()["processes"]["control"]["answers"] == true
    });
    assert!(
        over_tls(fetching.secure, &config)
            .unwrap()
            .starts_with("HTTP/1.1 200 ")
    );
    assert_eq!(server.counts().0, before);
}

#[test]
fn nothing_is_asked_for_where_what_comes_of_it_cannot_be_written_down() {
    for file in ["record.json", "certificate.pem", "account.json"] {
        let server = AcmeServer::start(term(0, 86_400)).unwrap();
        let mut ground = Fetching::ground(&server, "http-01");
        // A folder in the place of the file.
        let in_the_way = ground.state().join("certificates").join(file);
        fs::create_dir_all(in_the_way.join("folder")).unwrap();
        ground.start();
        let fetching = Fetching::at(&server, ground);
        let ground = &fetching.ground;
        ground.wait_for("it to be told", || {
            let said = ground.tail("control");
            said.contains("no certificate is asked for")
        });
        assert_eq!((server.counts(), server.accounts()), ((0, 0), 0), "{file}");
    }
}

#[test]
fn a_certificate_is_fetched_over_tls_alone() {
    let server = AcmeServer::start(term(0, 86_400)).unwrap();
    let fetching = Fetching::start(&server, "tls-alpn-01");
    let one = draft("normal", "one").make(&fetching.ground.state());
    fetching.ground.deploy(one.as_str()).with(0);
    let config = config(server.authority());
    fetching
        .ground
        .wait_for("the certificate to be served", || {
            over_tls(fetching.secure, &config).is_ok_and(|said| said.starts_with("HTTP/1.1 200 "))
        });
    assert_eq!(server.counts(), (1, 1));
}

#[test]
fn what_is_refused_is_told_and_asked_for_again_later() {
    let server = AcmeServer::start(term(0, 86_400)).unwrap();
    server.behave(Manner::Refuses);
    let began = now();
    let fetching = Fetching::start(&server, "http-01");
    let ground = &fetching.ground;
    ground.wait_for("the refusal to be told", || {
        let problem = ground.status()["certificate_problem"].to_string();
        problem.contains("nothing is believed today")
    });
    let record = fetching.record();
    assert_eq!(record["failures"], 1, "{record}");
    let until: Timestamp = record["not_before"].as_str().unwrap().parse().unwrap();
    let rest = |from: Timestamp| Duration::try_from(until.duration_since(from)).unwrap();
    assert!(rest(began) > Duration::from_secs(40), "{until}");
    assert!(rest(now()) <= Duration::from_secs(60), "{until}");
    // Visitors are served without TLS, and nobody is asked in a hurry, whoever dies.
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    assert!(plain(ground.address()).starts_with("HTTP/1.1 200 "));
    let killed = ground.kill("control");
    ground.wait_for("control to be back", || {
        ground.pid("control") != Some(killed)
            && ground.status()["processes"]["control"]["answers"] == true
    });
    assert!(server.counts() == (0, 1) || now() >= until);
}
