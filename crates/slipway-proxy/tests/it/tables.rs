//! Tables: what is refused, what is on disk, and what a proxy serves when it starts.

use std::cell::Cell;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use slipway_proxy::{Client, ClientError, Generation, Limits, Options, Table, Trust};
use testkit::origin::Origin;

use crate::caller::SOON;
use crate::ground::{Proxy, route, simple, table};

fn options(listener: TcpListener, folder: &Path, admin: PathBuf) -> Options {
    let world = (chassis::Clock::system(), chassis::Random::system());
    Options::new(vec![listener], folder.to_owned(), admin, world)
}

async fn refusal(proxy: &Proxy, table: &Table) -> String {
    match proxy.client.publish(table).await {
        Err(ClientError::Refused(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_stale_table_is_refused_and_the_same_table_is_not() {
    let (proxy, origin) = simple().await;
    let same = table(1, route(&[&origin], &[]));
    proxy.client.publish(&same).await.unwrap();
    let mut other = same.clone();
    other.routes.get_mut("web").unwrap().hold = true;
    assert!(refusal(&proxy, &other).await.contains("is not above 1"));
    other.generation = Generation(0);
    assert!(refusal(&proxy, &other).await.contains("is not above 1"));
    assert_eq!(proxy.client.table().await.unwrap(), same);
    other.generation = Generation(7);
    proxy.client.publish(&other).await.unwrap();
    assert_eq!(proxy.client.table().await.unwrap(), other);
}

#[tokio::test]
async fn a_refused_table_changes_nothing() {
    let (proxy, origin) = simple().await;
    let served = proxy.client.table().await.unwrap();
    let on_disk = fs::read(proxy.folder().join("table.json")).unwrap();
    let mut broken = route(&[&origin], &[]);
    "green".clone_into(&mut broken.live);
    assert!(refusal(&proxy, &table(2, broken)).await.contains("green"));
    let mut empty = route(&[&origin], &[]);
    empty.pools.get_mut("blue").unwrap().targets.clear();
    assert!(
        refusal(&proxy, &table(2, empty))
            .await
            .contains("has no target")
    );
    assert_eq!(proxy.client.table().await.unwrap(), served);
    assert_eq!(
        fs::read(proxy.folder().join("table.json")).unwrap(),
        on_disk
    );
    assert_eq!(proxy.caller().get("/").await.release(), Some("r1"));
}

#[tokio::test]
async fn visitors_are_not_moved_to_a_pool_that_is_down() {
    let (blue, green) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r2").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    let mut next = route(&[&blue], &[&green]);
    green.set_health(http::StatusCode::SERVICE_UNAVAILABLE);
    proxy.publish(&table(1, next.clone())).await;
    "green".clone_into(&mut next.live);
    let reason = refusal(&proxy, &table(2, next.clone())).await;
    assert!(
        reason.contains("no instance") && reason.contains("503"),
        "{reason}"
    );
    green.set_health(http::StatusCode::OK);
    proxy
        .until_pool("r2", "it is up", |pool| {
            pool.targets[0].health == slipway_proxy::Health::Up
        })
        .await;
    proxy.client.publish(&table(2, next)).await.unwrap();
    assert_eq!(proxy.caller().get("/").await.release(), Some("r2"));
}

#[tokio::test]
async fn what_is_no_table_is_refused() {
    let (proxy, _origin) = simple().await;
    let raw = "PUT /table HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n[]";
    let mut stream = tokio::net::UnixStream::connect(proxy.folder().join("admin.sock"))
        .await
        .unwrap();
    let mut said = String::new();
    tokio::io::AsyncWriteExt::write_all(&mut stream, raw.as_bytes())
        .await
        .unwrap();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut said)
        .await
        .unwrap();
    assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
}

#[tokio::test]
async fn a_proxy_that_starts_serves_the_table_on_disk_and_counts_from_nought() {
    let (proxy, origin) = simple().await;
    assert_eq!(proxy.caller().get("/").await.release(), Some("r1"));
    let before = proxy
        .until_pool("r1", "it is counted", |pool| pool.served == 1)
        .await;
    let start = proxy.stats().await.start;
    let (listener, folder) = proxy.stop().await;
    let proxy = Proxy::start_on(listener, folder, Limits::default(), Trust::Nobody).await;
    // At once: the first request is held until the first look, not refused.
    assert_eq!(proxy.caller().get("/").await.release(), Some("r1"));
    let stats = proxy
        .until("it is counted", |stats| stats.pools[0].served == 1)
        .await;
    assert_eq!((before.served, stats.generation), (1, Generation(1)));
    assert_ne!(stats.start, start);
    assert!(proxy.client.ready().await.unwrap());
    drop(origin);
}

#[tokio::test]
async fn a_publication_that_was_cut_off_leaves_the_old_table() {
    let (proxy, _origin) = simple().await;
    let (listener, folder) = proxy.stop().await;
    // What a kill leaves between writing aside and renaming.
    fs::write(
        folder.path().join(".table.json.1.new"),
        b"{\"generation\": 9, \"rou",
    )
    .unwrap();
    fs::write(folder.path().join(".table.9.json.1.new"), b"").unwrap();
    let proxy = Proxy::start_on(listener, folder, Limits::default(), Trust::Nobody).await;
    assert_eq!(
        proxy.client.table().await.unwrap().generation,
        Generation(1)
    );
    assert_eq!(proxy.caller().get("/").await.release(), Some("r1"));
}

/// Makes every table in a folder one that cannot be served, and says how many there were.
fn spoil(folder: &Path) -> usize {
    let tables = fs::read_dir(folder).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name()?.to_str()?;
        let is_table = name.starts_with("table.") && path.extension()? == "json";
        is_table.then_some(path)
    });
    let spoilt = tables.map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace("\"live\": \"blue\"", "\"live\": \"red\"");
        fs::write(&path, text).unwrap();
    });
    spoilt.count()
}

#[tokio::test]
async fn a_damaged_table_is_set_aside_and_the_newest_kept_one_is_served() {
    for damaged in [
        "",
        "{\"gener",
        "{}",
        "{\"generation\": 9}",
        "[]",
        "\0\0\0\0",
    ] {
        let (proxy, origin) = simple().await;
        proxy.publish(&table(2, route(&[&origin], &[]))).await;
        let (listener, folder) = proxy.stop().await;
        fs::write(folder.path().join("table.json"), damaged).unwrap();
        let proxy = Proxy::start_on(listener, folder, Limits::default(), Trust::Nobody).await;
        let served = proxy.client.table().await.unwrap();
        assert_eq!(served.generation, Generation(2), "{damaged:?}");
        let aside = fs::read(proxy.folder().join("table.json.damaged")).unwrap();
        assert_eq!(aside, damaged.as_bytes());
        assert_eq!(proxy.caller().get("/").await.release(), Some("r1"));
    }
}

#[tokio::test]
async fn a_table_that_is_gone_is_not_the_beginning_of_the_world() {
    let (proxy, _origin) = simple().await;
    let (listener, folder) = proxy.stop().await;
    fs::remove_file(folder.path().join("table.json")).unwrap();
    let proxy = Proxy::start_on(listener, folder, Limits::default(), Trust::Nobody).await;
    assert_eq!(proxy.caller().get("/").await.release(), Some("r1"));
}

#[tokio::test]
async fn where_no_table_on_disk_can_be_served_the_reason_is_named_at_the_start() {
    let (proxy, _origin) = simple().await;
    let (listener, folder) = proxy.stop().await;
    assert_eq!(spoil(folder.path()), 2);
    let options = options(listener, folder.path(), folder.path().join("admin.sock"));
    let served = slipway_proxy::serve(options, chassis::Shutdown::new());
    let ended = tokio::time::timeout(SOON, served).await.unwrap();
    let source = std::error::Error::source(&ended.unwrap_err())
        .unwrap()
        .to_string();
    assert!(source.contains("not among its pools"), "{source}");
    assert!(source.contains("table.json"), "{source}");
}

#[tokio::test]
async fn a_table_is_on_disk_when_it_is_served() {
    let (proxy, origin) = simple().await;
    for generation in 2..30 {
        let next = table(generation, route(&[&origin], &[]));
        proxy.client.publish(&next).await.unwrap();
        let on_disk = fs::read(proxy.folder().join("table.json")).unwrap();
        assert_eq!(serde_json::from_slice::<Table>(&on_disk).unwrap(), next);
    }
    let kept = fs::read_dir(proxy.folder()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name().into_string().unwrap();
        name.starts_with("table.") && name != "table.json"
    });
    assert_eq!(kept.count(), 10);
}

#[tokio::test]
async fn the_admin_socket_is_for_its_user_only_and_a_new_proxy_takes_its_place() {
    let (proxy, _origin) = simple().await;
    let socket = proxy.folder().join("admin.sock");
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let start = proxy.stats().await.start;
    // A second one on the same sockets and folder, as in an upgrade.
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        proxy.folder().join("table.json"),
        folder.path().join("table.json"),
    )
    .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let options = options(listener, folder.path(), socket.clone());
    let end = chassis::Shutdown::new();
    let second = tokio::spawn(slipway_proxy::serve(options, end.clone()));
    let client = Client::new(socket.clone());
    let other = testkit::wait::answer(SOON, async || {
        let stats = client.stats().await.ok()?;
        (stats.start != start).then_some(stats)
    });
    assert!(other.await.is_some(), "the new one answers");
    let _kept = proxy.stop().await;
    assert!(
        client.stats().await.is_ok(),
        "the end of the old one takes nothing with it"
    );
    end.request();
    second.await.unwrap().unwrap();
}

/// The example of this package, built with it: a proxy as a process of its own.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/proxy")
}

fn process(folder: &Path) -> Child {
    Command::new(program())
        .args(["127.0.0.1:0", "127.0.0.1:1", "1"])
        .arg(folder)
        .env("LOG", "warn")
        .spawn()
        .unwrap()
}

async fn served(client: &Client) -> Generation {
    let table = testkit::wait::answer(SOON, async || client.table().await.ok()).await;
    table.expect("the proxy starts").generation
}

#[tokio::test]
async fn a_proxy_that_is_killed_while_it_publishes_serves_the_old_table_or_the_new() {
    let origin = Origin::start("r1").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let client = Client::new(folder.path().join("admin.sock"));
    let mut acknowledged = 0;
    for round in 0..20 {
        let mut proxy = process(folder.path());
        let begun_with = served(&client).await.0;
        assert!(
            begun_with == acknowledged || begun_with == acknowledged + 1,
            "{begun_with} after {acknowledged} was acknowledged"
        );
        let done = Cell::new(begun_with);
        let publishing = async {
            while client
                .publish(&table(done.get() + 1, route(&[&origin], &[])))
                .await
                .is_ok()
            {
                done.set(done.get() + 1);
            }
        };
        // At another point of the work in each round.
        let killing = async {
            while done.get() < begun_with + 1 + round % 3 {
                tokio::task::yield_now().await;
            }
            for _ in 0..round * 50 {
                tokio::task::yield_now().await;
            }
            proxy.kill().unwrap();
        };
        tokio::join!(publishing, killing);
        proxy.wait().unwrap();
        acknowledged = done.get();
    }
}
