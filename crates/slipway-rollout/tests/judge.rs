//! The judge on made-up traffic: how often it errs, how soon it sees, and that a judgement can
//! be repeated from what was stored.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../examples/judge/stream.rs"]
#[expect(dead_code, reason = "the measurement uses more of it")]
mod stream;

use proptest::prelude::*;
use slipway_rollout::Rolling;
use slipway_rollout::judge::{
    Arm, Evidence, Judgement, Metric, Rules, Trial, Verdict, Vigil, after_cut_over, replay,
    two_arms,
};
use stream::{Shape, Stream};

/// What is known of the old release before.
const HISTORY: [u32; 3] = [5_000, 50_000, 2_000];
const MINUTE_MS: u64 = 60_000;

/// A trial of `minutes`; nothing advances, so that all of it is looked at.
fn tried(shape: Shape, seed: u64, rules: &Rules, minutes: u64) -> (Trial, u64) {
    let rules = Rules {
        dwell_least_ms: u64::MAX,
        ..rules.clone()
    };
    let mut trial = Trial::new(rules, HISTORY);
    let mut errors = 0;
    for tick in Stream::new(shape, seed) {
        errors += tick.canary.errors;
        trial.see(tick.at_ms, tick.baseline.arm, tick.canary.arm);
        if tick.at_ms >= minutes * MINUTE_MS || is_abort(trial.verdict()) {
            break;
        }
    }
    (trial, errors)
}

fn is_abort(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Abort { .. })
}

fn aborted(shape: Shape, seeds: u64, rules: &Rules, minutes: u64) -> usize {
    let trials = (0..seeds).map(|seed| tried(shape, seed, rules, minutes).0);
    trials.filter(|t| is_abort(t.verdict())).count()
}

#[test]
fn however_often_one_looks_false_alarms_stay_below_what_was_asked_for() {
    // Without regard to the size of the effect, and with a large α, so that a judge whose
    // evidence grows by itself would be found out.
    let rules = Rules {
        alpha_ppm: 200_000,
        bad_least: 0,
        ratio_percent: 0,
        difference_ppm: 0,
        ..two_arms()
    };
    let same = Shape {
        rate: 50.0,
        weight: 0.3,
        ..Shape::good(20.0)
    };
    let drifting = Shape {
        errors: 0.002,
        drifts_to: 0.05,
        ..same
    };
    for shape in [same, drifting] {
        let alarms = aborted(shape, 150, &rules, 3);
        assert!(alarms <= 30, "{alarms} of 150: {shape:?}");
    }
}

#[test]
fn good_releases_stay_whatever_troubles_both() {
    let good = Shape::good(20.0);
    let drifting = Shape {
        errors: 0.002,
        drifts_to: 0.02,
        ..good
    };
    let in_a_row = Shape { burst: 5, ..good };
    for shape in [good, drifting, in_a_row] {
        let alarms = aborted(shape, 100, &two_arms(), 5);
        // One in a hundred is what α allows; of a hundred runs that may be four by chance.
        assert!(alarms <= 4, "{alarms} of 100: {shape:?}");
    }
}

#[test]
fn a_release_that_fails_every_second_request_is_seen_within_ten_seconds_and_ten_bad_answers() {
    let mut seconds = Vec::new();
    let mut errors = Vec::new();
    for seed in 0..200 {
        let (trial, bad) = tried(Shape::harmed(20.0, 0.5), seed, &two_arms(), 5);
        let metric = Metric::ServerError;
        assert!(
            matches!(trial.verdict(), Verdict::Abort { metric: m, .. } if *m == metric),
            "{:?}",
            trial.verdict()
        );
        seconds.push(trial.judgement().at_ms / 1000);
        errors.push(bad);
    }
    seconds.sort_unstable();
    errors.sort_unstable();
    assert!(seconds[189] <= 10, "{seconds:?}");
    assert!(errors[189] <= 10, "{errors:?}");
}

#[test]
fn slow_answers_are_harm_too() {
    let shape = Shape {
        slowed: Some(0.3),
        ..Shape::good(50.0)
    };
    let (trial, _) = tried(shape, 1, &two_arms(), 5);
    assert!(
        matches!(trial.verdict(), Verdict::Abort { metric: Metric::Slow, evidence } if evidence.contains("slow answers")),
        "{:?}",
        trial.verdict()
    );
}

#[test]
fn a_release_that_turns_bad_after_ten_good_minutes_is_seen_soon() {
    let rules = Rules {
        dwell_least_ms: u64::MAX,
        ..two_arms()
    };
    let mut trial = Trial::new(rules, HISTORY);
    let good = Stream::new(Shape::good(20.0), 3).take(6_000);
    for tick in good {
        trial.see(tick.at_ms, tick.baseline.arm, tick.canary.arm);
    }
    assert!(!is_abort(trial.verdict()));
    for tick in Stream::new(Shape::harmed(20.0, 0.5), 4).take(200) {
        trial.see(600_000 + tick.at_ms, tick.baseline.arm, tick.canary.arm);
    }
    assert!(is_abort(trial.verdict()), "{:?}", trial.verdict());
}

#[test]
fn a_good_release_advances_once_enough_is_known_of_it() {
    let shape = Shape {
        weight: 0.25,
        ..Shape::good(100.0)
    };
    let mut trial = Trial::new(two_arms(), HISTORY);
    for tick in Stream::new(shape, 5).take(6_000) {
        if *trial.see(tick.at_ms, tick.baseline.arm, tick.canary.arm) == Verdict::Advance {
            break;
        }
    }
    assert_eq!(*trial.verdict(), Verdict::Advance);
    let judgement = trial.judgement();
    assert!(judgement.at_ms >= MINUTE_MS);
    assert!(
        judgement
            .figures
            .iter()
            .all(|f| f.bound_ppm <= f.bound_limit_ppm)
    );
}

#[test]
fn no_data_is_inconclusive_and_never_success() {
    let mut trial = Trial::new(two_arms(), HISTORY);
    for at_ms in (0..=600_000).step_by(1_000) {
        let alone = Arm {
            requests: 20,
            ..Arm::default()
        };
        trial.see(at_ms, alone, Arm::default());
    }
    assert!(
        matches!(trial.verdict(), Verdict::Inconclusive { lacking } if lacking.contains("0 of 200 requests")),
        "{:?}",
        trial.verdict()
    );
}

#[test]
fn little_data_is_inconclusive_and_says_what_would_stay_unseen() {
    let mut trial = Trial::new(two_arms(), [0; 3]);
    for second in 1..=600 {
        let quiet = |requests| Arm {
            requests,
            ..Arm::default()
        };
        trial.see(second * 1_000, quiet(4), quiet(second % 2));
    }
    assert!(
        matches!(trial.verdict(), Verdict::Inconclusive { lacking } if lacking.contains("would stay unseen")),
        "{:?}",
        trial.verdict()
    );
    // It is looked at on: harm that comes now is harm.
    for second in 601..=640 {
        let bad = Arm {
            requests: 1,
            bad: [1, 0, 0],
            clients: Some([1, 0, 0]),
            ..Arm::default()
        };
        let good = Arm {
            requests: 9,
            ..Arm::default()
        };
        trial.see(second * 1_000, good, bad);
    }
    assert!(is_abort(trial.verdict()), "{:?}", trial.verdict());
}

/// A watch over a release with a share of errors; when it was taken back, seconds.
fn watched(rate: f64, errors: f64, seed: u64, seconds: usize) -> (Vigil, Option<u64>) {
    let shape = Shape {
        weight: 1.0,
        ..Shape::harmed(rate, errors)
    };
    let mut vigil = Vigil::new(after_cut_over(), HISTORY);
    for tick in Stream::new(shape, seed).take(seconds * 10) {
        if is_abort(vigil.see(tick.at_ms, tick.canary.arm)) {
            return (vigil, Some(tick.at_ms / 1000));
        }
    }
    (vigil, None)
}

/// Every client's requests to the new release fail, each counted once in ten seconds.
fn failing_for(clients: u64) -> Trial {
    let mut trial = Trial::new(two_arms(), HISTORY);
    for second in 1..=300 {
        let is_first = second == 1;
        let canary = Arm {
            requests: 10,
            bad: if second % 10 == 1 {
                [clients, 0, 0]
            } else {
                [0; 3]
            },
            clients: Some(if is_first { [clients, 0, 0] } else { [0; 3] }),
            ..Arm::default()
        };
        let baseline = Arm {
            requests: 90,
            ..Arm::default()
        };
        trial.see(second * 1_000, baseline, canary);
    }
    trial
}

#[test]
fn what_fails_for_two_clients_only_takes_nothing_back_however_often_they_try() {
    let two = failing_for(2);
    assert!(!is_abort(two.verdict()), "{:?}", two.verdict());
    assert!(two.figures()[0].ln_e_milli > two.figures()[0].ln_e_limit_milli);
    assert!(is_abort(failing_for(3).verdict()));
}

#[test]
fn a_batch_of_a_rolling_release_is_let_on_by_time_and_taken_back_by_the_judge() {
    let watched = |bad: u64| {
        let mut trial = Trial::new(Rolling::default().rules(), HISTORY);
        let arm = |bad: u64| Arm {
            requests: 100,
            bad: [bad, 0, 0],
            clients: Some([bad, 0, 0]),
            ..Arm::default()
        };
        for second in 1..=100 {
            trial.see(second * 1_000, arm(0), arm(bad));
        }
        trial.verdict().clone()
    };
    let Verdict::Hold { lacking } = watched(0) else {
        panic!("{:?}", watched(0));
    };
    assert!(lacking.contains("time decides"), "{lacking}");
    assert!(is_abort(&watched(10)));
}

#[test]
fn a_release_that_was_good_enough_and_then_does_harm_is_taken_back() {
    let mut trial = Trial::new(two_arms(), HISTORY);
    let mut at_ms = 0;
    let mut see = |trial: &mut Trial, bad: u64| {
        at_ms += 1_000;
        let arm = |bad: u64| Arm {
            requests: 50,
            bad: [bad, 0, 0],
            clients: Some([bad, 0, 0]),
            ..Arm::default()
        };
        trial.see(at_ms, arm(0), arm(bad)).clone()
    };
    while see(&mut trial, 0) != Verdict::Advance {}
    let harm = (0..30).find(|_| is_abort(&see(&mut trial, 5)));
    assert!(harm.is_some(), "{:?}", trial.verdict());
    let judgement = stored(&trial.judgement());
    assert_eq!(replay(&judgement, &judgement.rules), judgement);
}

#[test]
fn after_the_cut_over_a_release_is_watched_beside_what_was_usual() {
    for seed in 0..60 {
        let (_, seen) = watched(20.0, 0.5, seed, 60);
        assert!(seen.is_some_and(|s| s <= 5), "{seen:?}");
    }
    let alarms = (0..60).filter(|seed| watched(20.0, 0.01, *seed, 300).1.is_some());
    assert_eq!(alarms.count(), 0);
}

/// As it is after the journal wrote and read it.
fn stored(judgement: &Judgement) -> Judgement {
    let text = serde_json::to_string(judgement).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_watch_is_repeated_from_what_was_stored() {
    let (vigil, seen) = watched(20.0, 0.05, 9, 300);
    assert!(seen.is_some());
    let judgement = stored(&vigil.judgement());
    assert_eq!(replay(&judgement, &judgement.rules), judgement);
    let patient = Rules {
        alpha_ppm: 1,
        odds_percent: vec![200],
        ..judgement.rules.clone()
    };
    let again = replay(&judgement, &patient);
    assert!(matches!(again.verdict, Verdict::Hold { .. }), "{again:?}");
}

#[test]
fn other_rules_lead_to_another_verdict_on_the_same_traffic() {
    let (trial, _) = tried(Shape::harmed(20.0, 0.5), 1, &two_arms(), 5);
    let judgement = stored(&trial.judgement());
    let hasty = Rules {
        alpha_ppm: 300_000,
        bad_least: 1,
        ..judgement.rules.clone()
    };
    let sooner = replay(&judgement, &hasty);
    assert!(is_abort(&sooner.verdict) && sooner.at_ms < judgement.at_ms);
    let patient = Rules {
        bad_least: 1_000,
        ..judgement.rules.clone()
    };
    assert!(matches!(
        replay(&judgement, &patient).verdict,
        Verdict::Hold { .. }
    ));
}

fn arm() -> impl Strategy<Value = Arm> {
    let counts = || prop::array::uniform3(0_u64..12);
    (0_u64..40, counts(), counts()).prop_map(|(requests, bad, left_out)| {
        let bad = bad.map(|b| b.min(requests));
        Arm {
            requests,
            bad,
            left_out: std::array::from_fn(|i| left_out[i].min(requests - bad[i])),
            clients: Some(bad),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_trial_is_repeated_from_what_was_stored(
        looks in prop::collection::vec((50_u64..20_000, arm(), arm()), 0..80),
    ) {
        let mut trial = Trial::new(two_arms(), HISTORY);
        let mut at_ms = 0;
        for (after, baseline, canary) in looks {
            at_ms += after;
            let verdict = trial.see(at_ms, baseline, canary).clone();
            let judgement = stored(&trial.judgement());
            if verdict != (Verdict::Hold { lacking: "nothing was counted yet".to_owned() }) {
                prop_assert_eq!(&replay(&judgement, &judgement.rules), &judgement);
            }
            if matches!(verdict, Verdict::Advance | Verdict::Abort { .. }) {
                break;
            }
        }
    }

    #[test]
    fn one_more_bad_answer_of_the_new_release_never_speaks_for_it(
        looks in prop::collection::vec((arm(), arm()), 1..40),
        which: prop::sample::Index,
    ) {
        let rules = Rules { alpha_ppm: 1, bad_least: u32::MAX, dwell_least_ms: u64::MAX, ..two_arms() };
        let run = |worse: Option<usize>| {
            let mut trial = Trial::new(rules.clone(), HISTORY);
            for (index, (baseline, canary)) in looks.iter().enumerate() {
                let mut canary = *canary;
                if worse == Some(index) && canary.bad[0] < canary.told(Metric::ServerError) {
                    canary.bad[0] += 1;
                }
                trial.see((index as u64 + 1) * 1_000, *baseline, canary);
            }
            trial.figures()[0].ln_e_milli
        };
        prop_assert!(run(Some(which.index(looks.len()))) >= run(None));
    }

    #[test]
    fn blocks_end_by_counts_of_requests_and_time_and_not_by_what_came_of_them(
        looks in prop::collection::vec((arm(), arm()), 1..40),
    ) {
        let rules = Rules { bad_least: u32::MAX, dwell_least_ms: u64::MAX, ..two_arms() };
        let ends = |is_all_good: bool| {
            let mut trial = Trial::new(rules.clone(), HISTORY);
            for (index, (baseline, canary)) in looks.iter().enumerate() {
                let seen = |arm: &Arm| if is_all_good { Arm { bad: [0; 3], ..*arm } } else { *arm };
                trial.see((index as u64 + 1) * 300, seen(baseline), seen(canary));
            }
            match trial.judgement().evidence {
                Evidence::TwoArms { blocks, .. } => blocks.iter().map(|b| b.end_ms).collect(),
                Evidence::OneArm { .. } => Vec::new(),
            }
        };
        prop_assert_eq!(ends(true), ends(false));
    }
}
