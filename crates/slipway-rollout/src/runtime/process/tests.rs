//! Instances as real processes: whose they are, and that nothing of them is left.

#![cfg(test)]

use super::*;
use std::os::unix::fs::PermissionsExt as _;

/// Instances whose program is a script.
struct Ground {
    folder: tempfile::TempDir,
    runtime: Processes,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open.clone()).unwrap();
        let launcher = folder.path().join("launch");
        let script =
            "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done; shift\nexec setsid \"$@\"\n";
        std::fs::write(&launcher, script).unwrap();
        std::fs::set_permissions(&launcher, open).unwrap();
        let instances = folder.path().join("instances");
        let launcher = vec![launcher.into_os_string()];
        let runtime = Processes::new(instances, launcher, Random::system()).unwrap();
        Self { folder, runtime }
    }

    fn spec(&self, script: &str) -> Spec {
        Spec {
            instance: InstanceId(Random::system().uuid(jiff::Timestamp::UNIX_EPOCH)),
            service: "shop".parse().unwrap(),
            release: "ab".repeat(32).parse().unwrap(),
            role: None,
            content: self.folder.path().to_owned(),
            argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
            env: BTreeMap::new(),
        }
    }
}

async fn nobody_carries(instance: InstanceId) -> bool {
    let gone = async || carriers(instance).unwrap().is_empty().then_some(());
    testkit::wait::answer(Duration::from_secs(20), gone)
        .await
        .is_some()
}

#[tokio::test]
async fn what_an_instance_started_ends_with_it() {
    let ground = Ground::new();
    for stopped in [true, false] {
        let spec = ground.spec("sleep 600 & sleep 600 & wait");
        let instance = spec.instance;
        let running = ground.runtime.start(spec).await.unwrap();
        let all = async || (carriers(instance).unwrap().len() == 3).then_some(());
        let all = testkit::wait::answer(Duration::from_secs(20), all).await;
        assert!(all.is_some(), "it runs with two others");
        if stopped {
            let grace = Duration::from_secs(5);
            ground.runtime.stop(instance, grace).await.unwrap();
            assert_eq!(carriers(instance).unwrap(), []);
        } else {
            running.identity.signal(Signal::KILL).unwrap();
            assert!(nobody_carries(instance).await);
        }
    }
}

#[tokio::test]
async fn a_port_that_somebody_else_has_is_not_the_instance_s() {
    let ground = Ground::new();
    let spec = ground.spec("sleep 600");
    let instance = spec.instance;
    let running = ground.runtime.start(spec).await.unwrap();
    assert!(!ground.runtime.holds(instance, running.address).await);
    let other = std::net::TcpListener::bind(running.address).unwrap();
    assert!(
        !ground
            .runtime
            .holds(instance, other.local_addr().unwrap())
            .await
    );
    ground
        .runtime
        .stop(instance, Duration::from_secs(5))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_a_command_started_ends_with_it() {
    let ground = Ground::new();
    for (script, within) in [("sleep 600 &", 20), ("sleep 600 & sleep 600", 1)] {
        let spec = ground.spec(script);
        let instance = spec.instance;
        let ran = ground.runtime.run(spec, Duration::from_secs(within)).await;
        assert_eq!(ran.is_ok(), within == 20, "{ran:?}");
        assert_eq!(carriers(instance).unwrap(), []);
    }
}

#[tokio::test]
async fn an_instance_that_cannot_be_written_down_does_not_run() {
    let ground = Ground::new();
    let spec = ground.spec("sleep 600");
    let instance = spec.instance;
    let folder = ground
        .folder
        .path()
        .join("instances")
        .join(instance.to_string());
    let aside = format!(".pid.json.{}.new", std::process::id());
    std::fs::create_dir_all(folder.join(aside)).unwrap();
    let refused = ground.runtime.start(spec).await;
    assert!(refused.is_err(), "{refused:?}");
    assert!(nobody_carries(instance).await);
}

#[tokio::test]
async fn an_instance_that_cannot_be_looked_at_has_not_ended() {
    let ground = Ground::new();
    let spec = ground.spec("sleep 600");
    let instance = spec.instance;
    ground.runtime.start(spec).await.unwrap();
    // As control finds it after a restart, with a record that cannot be read for a while.
    let launcher = ground.runtime.launcher.clone();
    let instances = ground.runtime.folder.clone();
    let again = Processes::new(instances.clone(), launcher, Random::system()).unwrap();
    let record = instances.join(instance.to_string()).join("pid.json");
    let kept = std::fs::read(&record).unwrap();
    std::fs::write(&record, "{").unwrap();
    let mut ended = again.ended(instance);
    for _ in 0..3 {
        tokio::select! {
            biased;
            how = &mut ended => panic!("it runs, and is said to have ended: {how}"),
            found = again.find(instance) => assert!(found.is_err()),
        }
    }
    std::fs::write(&record, kept).unwrap();
    again.stop(instance, Duration::from_secs(5)).await.unwrap();
    let how = ended.await;
    assert!(
        how.contains("not running") || how.contains("went to nobody"),
        "{how}"
    );
}
