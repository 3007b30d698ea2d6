//! PostgreSQL and Redis beside the services: they outlive control, and while one is gone
//! nothing is deployed and visitors are served.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;
use serde_json::Value;

use crate::ground::{Ground, is_alive, send};
use crate::load::Load;
use crate::release::draft;
use crate::words::{fits, settled};

const WITH_ACCESSORIES: &str = r#"
[accessories]
postgres = true
redis = true

[service.shop.env]
DATABASE_URL = "{postgres.url}"
REDIS_URL = "{redis.url}"
INTERNAL_PORT = "{internal_port}"
"#;

fn pid(ground: &Ground, name: &str) -> i32 {
    let status = ground.status();
    let found = status["accessories"]
        .as_array()
        .unwrap()
        .iter()
        .find(|a| a["name"] == name);
    i32::try_from(found.unwrap()["pid"].as_i64().unwrap()).unwrap()
}

#[test]
fn they_outlive_control_and_a_gone_postgresql_stops_deployments_and_nothing_else() {
    let ground = Ground::up_with(WITH_ACCESSORIES);
    let one = draft("normal", "one")
        .migrate("database")
        .make(&ground.state());
    let two = draft("normal", "two")
        .migrate("database")
        .make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let (postgres, redis) = (pid(&ground, "postgres"), pid(&ground, "redis"));
    let shown = ground.run(&["status"]).with(0).out;
    let words = format!("postgres {postgres} · redis {redis}");
    let line = shown.lines().find(|line| line.trim() == words);
    assert!(line.is_some(), "{shown}");
    fits(&settled(&ground, &shown));

    let control = ground.kill("control");
    ground.wait_for("control to answer again", || {
        let status = ground.status();
        let now = &status["processes"]["control"];
        now["answers"] == true && now["pid"] != control
    });
    assert_eq!(
        (pid(&ground, "postgres"), pid(&ground, "redis")),
        (postgres, redis)
    );

    // Without this file PostgreSQL cannot start again, whoever tries.
    let data = ground
        .state()
        .join("accessories/postgres/data/global/pg_control");
    let aside = data.with_extension("aside");
    fs::rename(&data, &aside).unwrap();
    let load = Load::start(ground.address(), 4);
    send(postgres, Signal::KILL);
    ground.wait_for("PostgreSQL's end", || !is_alive(postgres));
    let refused = ground.run(&["deploy", two.as_str()]).with(3);
    assert!(
        refused.err.contains("postgres does not run"),
        "{refused:#?}"
    );
    assert!(refused.err.contains("slipway doctor"), "{refused:#?}");

    // A control that starts while PostgreSQL is gone is there all the same.
    let control = ground.kill("control");
    ground.wait_for("control without PostgreSQL", || {
        let status = ground.status();
        let now = &status["processes"]["control"];
        now["answers"] == true && now["pid"] != control
    });
    let plan = ground.run(&["rollback", "--plan", "--json"]).json();
    assert_eq!(plan["kind"], "impossible", "{plan:#}");
    assert_eq!(load.count().failed, 0);
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));

    fs::rename(&aside, &data).unwrap();
    ground.wait_for("PostgreSQL to be started again", || {
        ground.status()["accessories"]
            .as_array()
            .unwrap()
            .iter()
            .all(|a| a["running"] == Value::Bool(true))
    });
    ground.wait_for("a deployment to be possible", || {
        ground.deploy(two.as_str()).code == Some(0)
    });
}

/// Kills control and waits for the next one.
fn restart_control(ground: &Ground) {
    let killed = ground.kill("control");
    ground.wait_for("control to answer again", || {
        let status = ground.status();
        let now = &status["processes"]["control"];
        now["answers"] == true && now["pid"] != killed
    });
}

#[test]
fn one_that_control_could_not_write_down_is_not_started_beside() {
    let ground = Ground::up_with(WITH_ACCESSORIES);
    for name in ["postgres", "redis"] {
        let unknown = pid(&ground, name);
        let folder = ground.state().join("accessories").join(name);
        fs::remove_file(folder.join("accessory.json")).unwrap();
        restart_control(&ground);
        ground.wait_for("it to run again", || {
            folder.join("accessory.json").exists() && pid(&ground, name) != unknown
        });
        assert!(!is_alive(unknown), "two {name} on the same data");
    }
    let ready = ground.run(&["up", "--json"]).with(0).json();
    assert_eq!(ready["already_running"], true);
    let log = ground.state().join("accessories/postgres/log");
    let mode = fs::metadata(log).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "statements are nobody else's business");
}

#[test]
fn a_variable_that_cannot_be_known_does_not_keep_a_release_from_being_taken_back() {
    let ground = Ground::up();
    let one = draft("normal", "one").make(&ground.state());
    let two = draft("normal", "two").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    ground.deploy(two.as_str()).with(0);
    // A Redis is asked for that cannot be started: a file stands where its data would lie.
    let folder = ground.state().join("accessories/redis");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("data"), "").unwrap();
    let redis = "[accessories]\nredis = true\n[service.shop.env]\nREDIS_URL = \"{redis.url}\"\n";
    ground.write_environment(&format!("{}{redis}", Ground::environment()));
    restart_control(&ground);
    ground.run(&["rollback"]).with(0);
    assert_eq!(ground.live().as_deref(), Some(one.as_str()));
}

#[test]
fn a_program_of_the_release_runs_with_the_variables_of_its_service() {
    let ground = Ground::up_with(WITH_ACCESSORIES);
    let one = draft("normal", "one").make(&ground.state());
    let nothing = ground
        .run(&["exec", "--", "./app", "migrate", "none"])
        .with(3);
    assert!(
        nothing.err.contains("no release of shop is live"),
        "{nothing:#?}"
    );
    ground.deploy(one.as_str()).with(0);
    let ran = ground.run(&[
        "exec",
        "--",
        "sh",
        "-c",
        "echo $RELEASE $DATABASE_URL; pwd; exit 7",
    ]);
    let ran = ran.with(7);
    assert!(ran.out.starts_with(one.as_str()), "{ran:#?}");
    assert!(ran.out.contains("postgres://shop:"), "{ran:#?}");
    assert!(ran.out.contains("/content"), "{ran:#?}");
    let noted = ground.events();
    let noted = noted
        .iter()
        .find(|e| e["event"]["kind"] == "program-run")
        .unwrap();
    assert_eq!(noted["event"]["program"], "sh", "{noted:#}");
    assert!(!noted.to_string().contains("postgres://"), "{noted:#}");
}
