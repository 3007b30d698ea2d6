//! The laws can be broken: each is held against a world, or a policy, that breaks it. A law
//! that nothing breaks would prove nothing.

use std::time::Duration;

use chassis::Random;
use slipway_proxy::{Pool, Route, Table, Target};

use crate::policy::{Burst, Strategy};
use crate::tests::chaos::{Day, run};
use crate::tests::machine::{Birth, Mood};
use crate::tests::stage::Stage;
use crate::tests::story::Story;
use crate::tests::weather::{Happening, RELEASES, Sky, Weather};
use crate::traffic::Traffic as _;

/// A day on which a second release follows a first one and nothing breaks.
fn quiet() -> Weather {
    let mut weather = Weather::of(&Random::seeded(1));
    let releases = usize::try_from(RELEASES).unwrap();
    weather.sky = Sky::default();
    weather.services = 1;
    weather.births = vec![vec![Birth::Ready(Duration::ZERO); releases]];
    weather.unfit = vec![vec![false; releases]];
    weather.moods = vec![vec![Mood::Good; releases]];
    weather.policies.truncate(1);
    weather.policies[0].strategy = Strategy::BlueGreen;
    weather.policies[0].bake = Duration::from_secs(30);
    let deploy = |release| Happening::Deploy {
        service: 0,
        release,
        force: false,
    };
    weather.happenings = vec![
        (Duration::ZERO, deploy(0)),
        (Duration::from_secs(8), deploy(1)),
    ];
    weather
}

fn broken(weather: Weather) -> String {
    run(Day::new(weather, 1, Story::default()).play()).join("\n")
}

#[test]
fn a_quiet_day_breaks_no_law() {
    assert_eq!(broken(quiet()), "");
}

#[test]
fn a_bad_release_that_nobody_takes_back_breaks_a_law() {
    let mut weather = quiet();
    weather.policies[0].burst = Burst {
        failed: u64::MAX,
        ..Burst::default()
    };
    let turn = Happening::Turn {
        service: 0,
        release: 1,
        mood: Mood::Hangs,
    };
    // Hanging requests are counted when they are over, and the judge has no history to go by.
    weather.policies[0].look_every = Duration::from_secs(60);
    weather.happenings.push((Duration::from_secs(14), turn));
    let broken = broken(weather);
    assert!(broken.contains("keeps its traffic"), "{broken}");
}

#[test]
fn a_request_that_only_visitors_counted_breaks_a_law() {
    let mut weather = quiet();
    let ghost = Happening::Ghost {
        service: 0,
        release: 1,
    };
    weather.happenings.push((Duration::from_secs(8), ghost));
    let broken = broken(weather);
    assert!(broken.contains("visitors counted"), "{broken}");
}

#[test]
fn a_step_that_never_ends_breaks_a_law() {
    let mut weather = quiet();
    weather.policies[0].bake = Duration::from_secs(1);
    weather.policies[0].drain_window = Duration::from_secs(3600);
    let stuck = Happening::Stuck;
    weather.happenings.push((Duration::from_secs(8), stuck));
    let broken = broken(weather);
    assert!(broken.contains("does not end it"), "{broken}");
}

#[test]
fn a_failed_request_on_a_clear_day_breaks_a_law() {
    let mut weather = quiet();
    let kill = Happening::Kill { nth: 0 };
    weather
        .happenings
        .insert(1, (Duration::from_secs(5), kill.clone()));
    weather.happenings.insert(2, (Duration::from_secs(5), kill));
    let broken = broken(weather);
    assert!(broken.contains("requests failed"), "{broken}");
}

#[test]
fn a_table_that_leads_to_nobody_and_one_that_comes_late_break_laws() {
    run(async {
        let stage = Stage::quiet(1);
        let target = Target {
            instance: "nobody".to_owned(),
            address: ([127, 0, 0, 1], 20_001).into(),
        };
        let pool = Pool {
            release: "none".to_owned(),
            targets: vec![target],
            health: None,
        };
        let mut table = Table::default();
        table.generation.0 = 1;
        let route: Route = serde_json::from_value(serde_json::json!({
            "pools": { "blue": pool },
            "live": "blue",
            "health": {
                "path": "/", "every_ms": 500, "timeout_ms": 2000, "down_after": 3, "up_after": 1,
            },
        }))
        .unwrap();
        table.routes.insert("shop".to_owned(), route);
        stage.world.publish(&table).await.unwrap();
        assert!(stage.world.publish(&table).await.is_err());
        let broken = stage.world.violations().join("\n");
        assert!(
            broken.contains("leads visitors of shop to nobody"),
            "{broken}"
        );
        assert!(broken.contains("table 1 comes late"), "{broken}");
    });
}
