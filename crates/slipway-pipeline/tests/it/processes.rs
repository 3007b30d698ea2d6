//! Whatever a job does, when it has ended none of its processes is left.

use std::time::{Duration, Instant};

use crate::ground::{Project, is_alive, pids, result, shell, until};
use slipway_journal::event::pipeline::JobResult;
use slipway_pipeline::Happening;

const UNCACHED: &str = "cache = false";

#[tokio::test]
async fn output_is_live_whole_and_in_the_log() {
    let script = "echo first; echo second >&2; printf 'no end'";
    let project = Project::new(&shell("talk", script, UNCACHED));
    let told = project.told().await;
    let output = told.output("talk");
    let mut lines: Vec<&str> = output.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["first", "no end", "second"]);
    let log = told.report().jobs[0].log.clone().unwrap();
    assert_eq!(std::fs::read_to_string(log).unwrap(), output);
}

#[tokio::test]
async fn nothing_is_lost_of_a_flood() {
    let script = "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done";
    let project = Project::new(&shell("flood", script, UNCACHED));
    let told = project.told().await;
    assert_eq!(told.output("flood").lines().count(), 20_000);
}

#[tokio::test]
async fn a_job_gets_the_environment_that_it_declares_and_no_more() {
    let more = "cache = false\npass = [\"ALLOWED\"]\nset = { FIXED = \"value\" }";
    let mut project = Project::new(&shell("show", "env", more));
    project.variables.insert("ALLOWED".into(), "yes".into());
    project.variables.insert("FORBIDDEN".into(), "no".into());
    let told = project.told().await;
    let output = told.output("show");
    assert!(
        output.contains("ALLOWED=yes") && output.contains("FIXED=value"),
        "{output}"
    );
    assert!(!output.contains("FORBIDDEN"), "{output}");
}

#[tokio::test]
async fn a_secret_reaches_the_job_and_no_log() {
    let script = "echo \"token is $TOKEN\"; printf %s \"$TOKEN\" | od -An -tx1 | tr -d ' \\n'";
    let mut project = Project::new(&shell("use", script, "secrets = [\"TOKEN\"]"));
    project.variables.insert("TOKEN".into(), "hunter22".into());
    let told = project.told().await;
    assert_eq!(told.output("use"), "token is ***\n***\n");
    project.variables.insert("TOKEN".into(), "short".into());
    let report = project.run().await;
    assert!(matches!(
        result(&report, "use"),
        JobResult::NotStarted { .. }
    ));
}

#[tokio::test]
async fn time_is_limited_and_everything_is_gone_after_it() {
    let script = "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >> ../pids; sleep 60' & \
                  echo $$ >> ../pids; sleep 60; sleep 60";
    let more = "cache = false\ntimeout = \"300ms\"\ngrace = \"200ms\"";
    let project = Project::new(&shell("slow", script, more));
    let start = Instant::now();
    let report = project.run().await;
    assert_eq!(result(&report, "slow"), &JobResult::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(20));
    let pids = pids(&project.beside("pids"));
    assert_eq!(pids.len(), 2);
    assert!(!pids.into_iter().any(is_alive));
}

#[tokio::test]
async fn who_ends_when_asked_has_the_time_for_it() {
    let script = "trap 'echo tidied; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
    let project = Project::new(&shell("polite", script, "cache = false\ngrace = \"20s\""));
    let stop = project.stop.clone();
    let told = project
        .watched(|happening| {
            if matches!(happening, Happening::Output { .. }) {
                stop.request();
            }
        })
        .await;
    assert!(told.report().cancelled && !told.report().passed);
    assert_eq!(result(told.report(), "polite"), &JobResult::Cancelled);
    assert!(told.output("polite").contains("tidied"));
}

#[tokio::test]
async fn a_second_request_ends_the_grace() {
    let script = "trap '' TERM; echo $$ >> ../pids; echo ready; while :; do sleep 0.05; done";
    let project = Project::new(&shell("stubborn", script, "cache = false\ngrace = \"10m\""));
    let (stop, kill) = (project.stop.clone(), project.kill.clone());
    let told = project
        .watched(|happening| {
            if matches!(happening, Happening::Output { .. }) {
                stop.request();
                kill.request();
            }
        })
        .await;
    assert_eq!(result(told.report(), "stubborn"), &JobResult::Cancelled);
    assert!(!pids(&project.beside("pids")).into_iter().any(is_alive));
}

#[tokio::test]
async fn what_a_job_leaves_running_is_ended_also_in_a_session_of_its_own() {
    let script = "setsid sh -c 'echo $$ >> ../pids; exec sleep 60' >/dev/null 2>&1 & \
                  sh -c 'echo $$ >> ../pids; exec sleep 60' & \
                  while [ $(cat ../pids 2>/dev/null | wc -l) -lt 2 ]; do sleep 0.01; done";
    let project = Project::new(&shell("litter", script, UNCACHED));
    let told = project.told().await;
    assert_eq!(result(told.report(), "litter"), &JobResult::Passed);
    let pids = pids(&project.beside("pids"));
    assert_eq!(pids.len(), 2);
    assert!(!pids.into_iter().any(is_alive));
    assert!(told.output("litter").contains("left 2 processes running"));
}

#[tokio::test]
async fn a_storm_of_forks_is_ended() {
    // Each process starts two more and stays: 2^7 of them, in sessions of their own.
    let storm = "echo $$ >> ../pids; if [ $1 -gt 0 ]; then \
                 setsid sh storm.sh $(($1-1)) & setsid sh storm.sh $(($1-1)) & fi; sleep 60";
    let more = "cache = false\ntimeout = \"1s\"\ngrace = \"100ms\"";
    let project = Project::new(&shell("storm", "sh storm.sh 6", more));
    project.write("storm.sh", storm);
    let report = project.run().await;
    assert_eq!(result(&report, "storm"), &JobResult::TimedOut);
    let pids = pids(&project.beside("pids"));
    assert!(pids.len() > 20, "there was a storm: {}", pids.len());
    until("nothing of the storm is left", || {
        !pids.iter().any(|p| is_alive(*p))
    })
    .await;
}

#[tokio::test]
async fn a_program_that_is_not_there_says_so() {
    let job = "[job.a]\nrun = [\"no-such-program\"]\ncache = false\n";
    let report = Project::new(job).run().await;
    let JobResult::NotStarted { reason } = result(&report, "a") else {
        panic!("{report:?}");
    };
    assert!(
        reason.starts_with("no-such-program cannot be started"),
        "{reason}"
    );
    assert!(
        reason.ends_with("is it installed, and is PATH right?"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_signal_from_elsewhere_is_told_from_an_exit() {
    let project = Project::new(&shell("hit", "kill -USR1 $$", UNCACHED));
    let report = project.run().await;
    assert_eq!(result(&report, "hit"), &JobResult::Signalled { signal: 10 });
}

#[tokio::test]
async fn the_first_failure_ends_the_others_where_that_is_wanted() {
    let tables = format!(
        "{}{}{}",
        shell(
            "bad",
            "while [ ! -e ../started ]; do sleep 0.01; done; exit 1",
            UNCACHED
        ),
        shell(
            "long",
            "touch ../started; sleep 60",
            "cache = false\ngrace = \"100ms\""
        ),
        shell("after", "true", "cache = false\nneeds = [\"bad\"]")
    );
    let mut project = Project::new(&tables);
    let report = project.run().await;
    assert_eq!(result(&report, "long"), &JobResult::Cancelled);
    assert_eq!(
        result(&report, "after"),
        &JobResult::Skipped {
            because: "bad".into()
        }
    );
    assert!(!report.passed && !report.cancelled);
    project.define(&tables.replace("sleep 60", "true"));
    project.request.fail_fast = Some(false);
    let report = project.run().await;
    assert_eq!(result(&report, "long"), &JobResult::Passed);
}

#[tokio::test]
async fn jobs_run_side_by_side_up_to_the_cores() {
    // Each waits for the other to have started, so one after the other would never end.
    let wait = |own: &str, other: &str| {
        shell(
            own,
            &format!("touch ../{own}; while [ ! -e ../{other} ]; do sleep 0.01; done"),
            "cache = false\ntimeout = \"20s\"",
        )
    };
    let project = Project::new(&format!("{}{}", wait("one", "two"), wait("two", "one")));
    assert!(project.run().await.passed);
    let alone = |name: &str| {
        let script = "mkdir ../busy && sleep 0.05 && rmdir ../busy";
        shell(name, script, "cache = false\ncores = 2")
    };
    let project = Project::new(&format!("{}{}", alone("one"), alone("two")));
    assert!(
        project.run().await.passed,
        "a job that fills all cores runs alone"
    );
}
