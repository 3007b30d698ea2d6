//! The journal against the things that go wrong: tampering, kill -9, a full disk, a
//! second writer, a slow reader.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use chassis::{Clock, Random};
use proptest::prelude::*;
use slipway_journal::event::ControlEvent;
use slipway_journal::{Actor, Event, Journal, JournalError, Seq, Verification, verify_file};
use sqlx::{ConnectOptions as _, Connection as _};

fn event(reason: &str) -> Event {
    Event::Control(ControlEvent::Stopped {
        reason: reason.into(),
    })
}

fn actor() -> Actor {
    Actor::System("test".into())
}

async fn journal_with(path: &Path, entries: usize) -> Journal {
    let journal = Journal::open(path, Clock::system()).await.unwrap();
    for n in 0..entries {
        journal
            .append(actor(), vec![event(&format!("reason {n}"))])
            .await
            .unwrap();
    }
    journal
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// Runs SQL on the file behind the journal's back, its triggers gone.
async fn tamper(path: &Path, sql: &str) {
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .connect()
        .await
        .unwrap();
    let all = format!("drop trigger entry_never_changes; drop trigger entry_never_goes; {sql}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(all))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn what_is_appended_is_read_back_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let journal = journal_with(&path, 3).await;
    let together = journal
        .append(actor(), vec![event("a"), event("b")])
        .await
        .unwrap();
    let all = journal.replay().await.unwrap();
    assert_eq!(
        all.iter().map(|e| e.seq.0).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert_eq!(all[3..], together);
    assert_eq!(journal.read(Seq(3), 1).await.unwrap(), together[..1]);
    let head = together[1].hash.clone();
    assert_eq!(
        journal.verify().await.unwrap(),
        Verification::Whole { entries: 5, head }
    );
}

#[tokio::test]
async fn an_empty_journal_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal_with(&folder.path().join("journal.db"), 0).await;
    assert!(matches!(
        journal.verify().await.unwrap(),
        Verification::Whole { entries: 0, .. }
    ));
}

#[tokio::test]
async fn many_writers_at_once_make_one_chain_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal_with(&folder.path().join("journal.db"), 0).await;
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let journal = journal.clone();
            tokio::spawn(async move {
                for m in 0..5 {
                    let events = vec![event(&format!("{n}/{m}")), event("second")];
                    let entries = journal.append(actor(), events).await.unwrap();
                    assert_eq!(entries[0].seq.0 + 1, entries[1].seq.0);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(matches!(
        journal.verify().await.unwrap(),
        Verification::Whole { entries: 400, .. }
    ));
}

#[tokio::test]
async fn the_triggers_refuse_a_change_and_a_removal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let _journal = journal_with(&path, 2).await;
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .connect()
        .await
        .unwrap();
    for sql in [
        "update entry set actor = 'x' where seq = 1",
        "delete from entry where seq = 2",
    ] {
        let refused = sqlx::raw_sql(sql)
            .execute(&mut connection)
            .await
            .unwrap_err();
        assert!(
            refused
                .to_string()
                .contains("an entry of the journal never"),
            "{refused}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn any_altered_column_of_any_entry_is_named(seq in 1_i64..=8, column in 0_usize..5) {
        runtime().block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("journal.db");
            drop(journal_with(&path, 8).await);
            let change = [
                "at_us = at_us + 1",
                "actor = replace(actor, 'test', 'tess')",
                "event = replace(event, 'reason', 'season')",
                "prev_hash = randomblob(32)",
                "hash = randomblob(32)",
            ][column];
            tamper(&path, &format!("update entry set {change} where seq = {seq}")).await;
            match verify_file(&path).await.unwrap() {
                Verification::Broken { seq: named, .. } => assert_eq!(named, Seq(seq)),
                whole @ Verification::Whole { .. } => panic!("{change} at {seq}: {whole:?}"),
            }
        });
    }
}

#[tokio::test]
async fn a_removed_a_swapped_and_a_cut_off_entry_are_named() {
    let cases = [
        ("delete from entry where seq = 3", 3),
        (
            "update entry set seq = 99 where seq = 3; update entry set seq = 3 where seq = 4;
             update entry set seq = 4 where seq = 99",
            3,
        ),
        ("delete from entry where seq = 5", 5),
        ("delete from entry", 1),
    ];
    for (sql, first) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        drop(journal_with(&path, 5).await);
        tamper(&path, sql).await;
        let found = verify_file(&path).await.unwrap();
        assert!(
            matches!(found, Verification::Broken { seq, .. } if seq == Seq(first)),
            "{sql}: {found:?}"
        );
    }
}

#[tokio::test]
async fn writing_on_after_a_cut_off_tail_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    drop(journal_with(&path, 5).await);
    tamper(&path, "delete from entry where seq = 5").await;
    let refused = open_when_free(&path).await.unwrap_err();
    assert!(
        matches!(refused, JournalError::Broken { seq: Seq(5), .. }),
        "{refused}"
    );
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_at_all_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    drop(journal_with(&path, 1500).await);
    // A text that is none.
    tamper(
        &path,
        "update entry set event = cast(x'ff7b' as text) where seq = 1234",
    )
    .await;
    match verify_file(&path).await.unwrap() {
        Verification::Broken { seq, reason } => {
            assert_eq!(seq, Seq(1234));
            assert!(reason.starts_with("cannot be read"), "{reason}");
        }
        whole @ Verification::Whole { .. } => panic!("{whole:?}"),
    }
}

#[tokio::test]
async fn damage_of_the_file_itself_is_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    drop(journal_with(&path, 300).await);
    // Opening and closing it moves everything into the one file.
    tamper(&path, "pragma wal_checkpoint(truncate)").await;
    let whole = std::fs::read(&path).unwrap();
    let mut named = Vec::new();
    for place in (4096..whole.len()).step_by(4096) {
        let mut damaged = whole.clone();
        damaged[place..place + 64].fill(0xff);
        std::fs::write(&path, damaged).unwrap();
        if let Verification::Broken { seq, .. } = verify_file(&path).await.unwrap() {
            named.push(seq.0);
        }
    }
    assert!(
        named.iter().any(|seq| (2..=300).contains(seq)),
        "entries in the middle: {named:?}"
    );
    std::fs::write(&path, "no database at all").unwrap();
    assert!(matches!(
        verify_file(&path).await.unwrap(),
        Verification::Broken { seq: Seq(1), .. }
    ));
}

#[tokio::test]
async fn a_head_with_another_hash_names_the_last_entry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    drop(journal_with(&path, 5).await);
    tamper(&path, "update head set hash = randomblob(32)").await;
    let found = verify_file(&path).await.unwrap();
    assert!(
        matches!(found, Verification::Broken { seq: Seq(5), .. }),
        "{found:?}"
    );
}

#[tokio::test]
async fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let _journal = journal_with(&folder.path().join("journal.db"), 1).await;
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", entry.path());
        files += 1;
    }
    assert!(files >= 3, "the journal, its log and its lock");
}

/// Opens once the writer of a dropped handle has let go of its lock.
async fn open_when_free(path: &Path) -> Result<Journal, JournalError> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        match Journal::open(path, Clock::system()).await {
            Err(JournalError::Held { .. }) if tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            other => return other,
        }
    }
}

#[tokio::test]
async fn a_second_writer_is_told_who_the_first_one_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let _first = journal_with(&path, 1).await;
    let refused = Journal::open(&path, Clock::system()).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains(&std::process::id().to_string()),
        "{refused}"
    );
}

#[tokio::test]
async fn an_event_of_a_newer_version_is_kept_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal_with(&folder.path().join("journal.db"), 0).await;
    let newer = Event::Unknown(serde_json::json!({ "area": "weather", "kind": "rain", "mm": 3 }));
    journal.append(actor(), vec![newer.clone()]).await.unwrap();
    assert_eq!(journal.replay().await.unwrap()[0].event, newer);
    assert!(matches!(
        journal.verify().await.unwrap(),
        Verification::Whole { entries: 1, .. }
    ));
}

#[tokio::test]
async fn a_subscriber_that_never_reads_does_not_slow_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal_with(&folder.path().join("journal.db"), 0).await;
    let mut lazy = journal.subscribe();
    let events: Vec<_> = (0..6000).map(|n| event(&n.to_string())).collect();
    journal.append(actor(), events).await.unwrap();
    let lagged = lazy.recv().await.unwrap_err();
    assert!(matches!(
        lagged,
        tokio::sync::broadcast::error::RecvError::Lagged(_)
    ));
    assert_eq!(journal.replay().await.unwrap().len(), 6000);
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_writing_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    drop(journal_with(&path, 3).await);
    // SQLite itself says "disk full" when the file may not grow beyond its pages.
    let journal = open_when_free(&path).await.unwrap();
    journal.limit_pages(1).await.unwrap();
    let refused = journal
        .append(actor(), vec![event(&"x".repeat(100_000))])
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("is the disk full?"),
        "{refused}"
    );
    journal.limit_pages(u32::MAX / 2).await.unwrap();
    let entry = journal
        .append(actor(), vec![event("room again")])
        .await
        .unwrap();
    assert_eq!(entry[0].seq, Seq(4));
    assert!(matches!(
        journal.verify().await.unwrap(),
        Verification::Whole { entries: 4, .. }
    ));
}

/// Run by the next test in a process of its own: appends until it is killed.
#[tokio::test]
async fn child_that_appends() {
    let Some(path) = chassis::Env::process()
        .get("JOURNAL_OF_THE_CHILD")
        .map(PathBuf::from)
    else {
        return;
    };
    let journal = Journal::open(&path, Clock::system()).await.unwrap();
    println!("open");
    loop {
        let events = vec![event("one"), event("two"), event("three")];
        let entries = journal.append(actor(), events).await.unwrap();
        println!("acknowledged {}", entries[2].seq);
    }
}

#[test]
fn kill_9_at_any_moment_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let random = Random::seeded(9);
    let mut last_acknowledged = 0;
    for round in 0..25 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_appends", "--nocapture"])
            .env("JOURNAL_OF_THE_CHILD", &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let patience = random.below(30);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        while seen < patience {
            let line = lines
                .next()
                .expect("the child writes until it is killed")
                .unwrap();
            if let Some(seq) = line.strip_prefix("acknowledged ") {
                last_acknowledged = seq.parse().unwrap();
                seen += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            if let Some(seq) = line
                .strip_prefix("acknowledged ")
                .and_then(|s| s.parse().ok())
            {
                last_acknowledged = seq;
            }
        }
        if path.exists() {
            match runtime().block_on(verify_file(&path)) {
                Ok(Verification::Whole { entries, .. }) => {
                    assert!(entries >= last_acknowledged, "round {round}: {entries}");
                    assert_eq!(
                        entries % 3,
                        0,
                        "round {round}: an append is whole or not there"
                    );
                }
                Ok(broken) => panic!("round {round}: {broken:?}"),
                // Killed before the first table was made.
                Err(error) => assert_eq!(last_acknowledged, 0, "round {round}: {error}"),
            }
        }
    }
    assert!(
        last_acknowledged > 100,
        "the children did write: {last_acknowledged}"
    );
}
