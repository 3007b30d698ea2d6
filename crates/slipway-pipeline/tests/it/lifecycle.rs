//! Runs that are killed, that meet each other, and that find no room on the disk.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::ground::{Project, is_alive, pids, result, shell, until};
use chassis::Env;
use slipway_journal::event::pipeline::JobResult::{Cached, Passed};
use slipway_pipeline::{Happening, RunError};

/// Names the folder of the project that `a_run_of_its_own` is to run.
const FOLDER: &str = "PIPELINE_TEST_FOLDER";

/// Not a test: a whole run in a process that a test may kill. Does nothing by itself.
#[tokio::test]
#[ignore = "started by other tests, as a process of its own"]
async fn a_run_of_its_own() {
    let env = Env::process();
    let project = Project::at(PathBuf::from(env.require(FOLDER, "the project").unwrap()));
    let told = project.told().await;
    match told.result {
        Ok(report) => println!("PASSED {}", report.passed),
        Err(error) => println!("ERROR {error}"),
    }
}

/// This test program, told to run only `a_run_of_its_own`; `before` is put before it.
fn apart(project: &Project, before: &str) -> Child {
    let own = std::env::current_exe().unwrap();
    let script =
        format!("{before} exec \"$0\" --exact lifecycle::a_run_of_its_own --ignored --nocapture");
    Command::new("/bin/sh")
        .args(["-c", &script])
        .arg(own)
        .env(FOLDER, project.folder())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_run_that_was_killed_goes_on_from_there() {
    let first = shell("first", "echo 1 >> ../first", "inputs = [\"in.txt\"]");
    let second = shell(
        "second",
        "echo $$ >> ../pids; sh -c 'echo $$ >> ../pids; exec sleep 600' & \
         while [ ! -e ../go ]; do sleep 0.05; done",
        "inputs = [\"in.txt\"]\nneeds = [\"first\"]",
    );
    let project = Project::new(&format!("{first}{second}"));
    project.write("in.txt", "1");
    let list = project.beside("pids");
    let mut child = apart(&project, "");
    until("the second job runs", || pids(&list).len() == 2).await;
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    let left = pids(&list);
    fs::write(project.beside("go"), "").unwrap();
    let told = project.told().await;
    assert_eq!(result(told.report(), "first"), &Cached);
    assert_eq!(result(told.report(), "second"), &Passed);
    let runs = fs::read_to_string(project.beside("first")).unwrap();
    assert_eq!(
        runs.lines().count(),
        1,
        "what had passed was not done again"
    );
    let resumed = told
        .happenings
        .iter()
        .find_map(|happening| match happening {
            Happening::Resumed { passed, .. } => Some(*passed),
            _ => None,
        });
    assert_eq!(resumed, Some(1));
    assert!(
        !left.into_iter().any(is_alive),
        "nothing of the killed run is left"
    );
    let told = project.told().await;
    let is_resumed = |h: &Happening| matches!(h, Happening::Resumed { .. });
    assert!(!told.happenings.iter().any(is_resumed), "only once");
}

#[tokio::test]
async fn two_runs_at_once_are_refused_or_wait() {
    let script = "echo $$ >> ../pids; while [ ! -e ../go ]; do sleep 0.02; done";
    let project = Project::new(&shell("slow", script, "cache = false"));
    let mut child = apart(&project, "");
    let list = project.beside("pids");
    until("the first run goes on", || !pids(&list).is_empty()).await;
    let refused = project.told().await.result.unwrap_err();
    let RunError::Held(holder) = &refused else {
        panic!("{refused}");
    };
    assert_eq!(*holder, format!("process {}", child.id()));
    let mut patient = Project::at(project.folder());
    patient.request.wait = true;
    let go = project.beside("go");
    let told = patient
        .watched(|happening| {
            if matches!(happening, Happening::Waiting { .. }) {
                fs::write(&go, "").unwrap();
            }
        })
        .await;
    assert!(told.report().passed);
    assert!(matches!(told.happenings[0], Happening::Waiting { .. }));
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn waiting_ends_when_it_is_asked_to() {
    let script = "echo $$ >> ../pids; while [ ! -e ../go ]; do sleep 0.02; done";
    let project = Project::new(&shell("slow", script, "cache = false"));
    let mut child = apart(&project, "");
    let list = project.beside("pids");
    until("the first run goes on", || !pids(&list).is_empty()).await;
    let mut patient = Project::at(project.folder());
    patient.request.wait = true;
    let stop = patient.stop.clone();
    let told = patient.watched(|_| stop.request()).await;
    assert!(matches!(told.result, Err(RunError::StoppedWaiting(_))));
    fs::write(project.beside("go"), "").unwrap();
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn a_log_that_cannot_be_written_ends_the_run_and_every_process() {
    let script = "echo $$ >> ../pids; sh -c 'echo $$ >> ../pids; exec sleep 600' & \
                  while [ $(wc -l < ../pids) -lt 2 ]; do sleep 0.01; done; \
                  while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done";
    let project = Project::new(&shell("flood", script, "cache = false"));
    // No file may grow beyond 64 KiB, and the writer is told so instead of killed.
    let child = apart(&project, "trap '' XFSZ; ulimit -f 128;");
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("ERROR job flood: File too large"), "{said}");
    let pids = pids(&project.beside("pids"));
    assert_eq!(pids.len(), 2);
    assert!(!pids.into_iter().any(is_alive));
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_costs_time_and_nothing_else() {
    let script = "mkdir -p out; echo made > out/file";
    let project = Project::new(&shell(
        "a",
        script,
        "inputs = [\"in.txt\"]\noutputs = [\"out\"]",
    ));
    project.write("in.txt", "1");
    project.run().await;
    // A file stands where the folder of the objects was.
    let objects = project.state().join("cache/objects");
    fs::remove_dir_all(&objects).unwrap();
    fs::write(&objects, "").unwrap();
    project.write("in.txt", "2");
    let refused = project.told().await.result.unwrap_err();
    assert!(refused.to_string().contains("cache"), "{refused}");
    // And where a single object would lie.
    fs::remove_file(&objects).unwrap();
    fs::create_dir(&objects).unwrap();
    for number in 0..256 {
        fs::write(objects.join(format!("{number:02x}")), "").unwrap();
    }
    let report = project.run().await;
    assert_eq!(result(&report, "a"), &Passed);
    assert!(
        report.jobs[0].notes[0].starts_with("not kept: "),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_state_folder_that_cannot_be_made_is_named() {
    let project = Project::new(&shell("a", "true", "cache = false"));
    fs::write(project.state(), "").unwrap();
    let error = project.told().await.result.unwrap_err().to_string();
    assert!(error.contains("state/cache"), "{error}");
}

#[tokio::test]
async fn the_events_of_a_run_are_a_line_each() {
    let project = Project::new(&shell("a", "true", "cache = false"));
    let told = project.told().await;
    let text = fs::read_to_string(told.report().folder.join("events.jsonl")).unwrap();
    let kinds: Vec<String> = text
        .lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            value["event"]["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(kinds, ["run-started", "job-finished", "run-finished"]);
    assert_eq!(told.events().len(), 3);
}

#[tokio::test]
async fn folders_of_old_runs_that_cannot_be_removed_do_not_fail_a_run() {
    let project = Project::new(&shell("a", "true", "cache = false"));
    for number in 0..40 {
        // Where a folder is looked for, a file stands.
        let name = format!("00000000-0000-7000-8000-{number:012}");
        let runs = project.state().join("runs");
        fs::create_dir_all(&runs).unwrap();
        fs::write(runs.join(name), "").unwrap();
    }
    assert!(project.run().await.passed);
}
