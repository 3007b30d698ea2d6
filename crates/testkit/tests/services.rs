//! The servers of the tests, used as tests use them, and gone when their users are.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection as _, PgConnection};
use testkit::postgres::{Database, Postgres, ROLE};
use testkit::{services, wait};

const PATIENCE: Duration = Duration::from_secs(60);

async fn fill(url: &str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query("create table thing (id integer)")
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}

async fn things(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar("select count(*) from thing")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn each_test_has_a_copy_that_no_other_sees_and_that_is_dropped() {
    let shared = services::shared().unwrap();
    let (one, two) = tokio::join!(
        Database::cloned(&shared.postgres, "template_things", fill),
        Database::cloned(&shared.postgres, "template_things", fill)
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    let mut connection = PgConnection::connect(&one.url()).await.unwrap();
    sqlx::query("insert into thing values (1)")
        .execute(&mut connection)
        .await
        .unwrap();
    assert_eq!((things(&one.url()).await, things(&two.url()).await), (1, 0));
    let who: (String, bool) = sqlx::query_as(
        "select rolname::text, rolsuper or rolbypassrls from pg_roles where rolname = current_user",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(who, (ROLE.to_owned(), false));
    let url = one.url();
    drop(one);
    assert!(
        PgConnection::connect(&url).await.is_err(),
        "{url} is still there"
    );
}

#[tokio::test]
async fn each_test_has_a_redis_number_of_its_own() {
    let shared = services::shared().unwrap();
    let (one, two) = (
        shared.redis.database().await.unwrap(),
        shared.redis.database().await.unwrap(),
    );
    assert_ne!(one, two);
    let client = redis::Client::open(one).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let pong: String = redis::cmd("PING")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(pong, "PONG");
}

#[tokio::test]
async fn a_server_that_a_test_stops_answers_nobody() {
    let mut postgres = Postgres::start().unwrap();
    let database = Database::empty(&postgres.address()).await.unwrap();
    let url = database.url();
    PgConnection::connect(&url).await.unwrap();
    postgres.stop().unwrap();
    assert!(PgConnection::connect(&url).await.is_err());
}

/// What `testkit-hold` says: the folders of its servers.
fn held(child: &mut Child) -> Vec<PathBuf> {
    let output = BufReader::new(child.stdout.take().unwrap());
    let values = output.lines().take(2).map(|line| {
        let line = line.unwrap();
        PathBuf::from(line.split_once('=').unwrap().1)
    });
    values.collect()
}

fn hold() -> Child {
    hold_in(&std::env::temp_dir())
}

fn hold_in(folder: &Path) -> Child {
    // A run in the background ignores Ctrl-C, and so would everything that it starts.
    Command::new("env")
        .args(["--default-signal=INT", env!("CARGO_BIN_EXE_testkit-hold")])
        .env("TMPDIR", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_process_that_is_killed_while_its_servers_start_leaves_nothing_either() {
    let place = tempfile::tempdir().unwrap();
    // As open as the folder for such things: servers run as another account.
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    let mut holder = hold_in(place.path());
    let entries = || {
        fs::read_dir(place.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    let is_underway = || entries().any(|folder| folder.join("data").exists());
    assert!(wait::until(PATIENCE, is_underway));
    holder.kill().unwrap();
    holder.wait().unwrap();
    let is_clean = || entries().next().is_none();
    assert!(
        wait::until(PATIENCE, is_clean),
        "{:?}",
        entries().collect::<Vec<_>>()
    );
}

#[test]
fn a_process_that_is_killed_leaves_no_server_and_no_folder() {
    let mut holder = hold();
    let folders = held(&mut holder);
    assert!(folders.len() == 2 && folders.iter().all(|folder| folder.exists()));
    // SIGKILL: the process can do nothing about it.
    holder.kill().unwrap();
    holder.wait().unwrap();
    let is_clean = || folders.iter().all(|folder| !folder.exists());
    assert!(wait::until(PATIENCE, is_clean), "{folders:?} stay behind");
}

#[test]
fn ctrl_c_leaves_no_server_and_no_folder() {
    let mut holder = hold();
    let folders = held(&mut holder);
    kill_process(Pid::from_child(&holder), Signal::INT).unwrap();
    assert!(!holder.wait().unwrap().success());
    let is_clean = || folders.iter().all(|folder| !folder.exists());
    assert!(wait::until(PATIENCE, is_clean), "{folders:?} stay behind");
}
