//! Which target gets a request: pure. The less busy of two drawn at random among those
//! that are up; when fewer than half are, all that are not known to be dead. One that has just
//! come up is asked for a share of the requests that grows with time.

/// What is known of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fitness {
    /// Answers its looks.
    Up,
    /// Has come up of late, and leaves this request to others where there are any.
    Warming,
    /// Was not looked at yet.
    Unknown,
    /// Fails its looks, or was left out for a moment, but something is there.
    Poor,
    /// Nothing answers there, or something else does.
    Dead,
}

/// What came of choosing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// This one.
    Target(usize),
    /// None now; one may come up.
    None,
}

/// Chooses among targets; `busy` tells how many requests one has, `tried` which ones this
/// request had already, and `draw` gives a number below its argument.
pub(crate) fn choose(
    fitness: &[Fitness],
    tried: &[usize],
    busy: impl Fn(usize) -> u64,
    mut draw: impl FnMut(usize) -> usize,
) -> Choice {
    let is_up = |fitness: &&Fitness| matches!(fitness, Fitness::Up | Fitness::Warming);
    let up = fitness.iter().filter(is_up).count();
    let panics = up * 2 < fitness.len();
    let unknown = fitness.contains(&Fitness::Unknown);
    let is_left = |index: usize| !tried.contains(&index);
    let is_any_warm =
        (0..fitness.len()).any(|index| is_left(index) && fitness[index] == Fitness::Up);
    let fits = |index: usize| {
        is_left(index)
            && match fitness[index] {
                Fitness::Up => true,
                Fitness::Warming => !is_any_warm,
                // While looks are still to come, their answer is worth waiting for.
                Fitness::Poor => panics && !(up == 0 && unknown),
                Fitness::Unknown | Fitness::Dead => false,
            }
    };
    let fit = (0..fitness.len()).filter(|index| fits(*index)).count();
    let nth = |n: usize| (0..fitness.len()).filter(|index| fits(*index)).nth(n);
    match fit {
        0 => Choice::None,
        1 => nth(0).map_or(Choice::None, Choice::Target),
        _ => {
            let first = draw(fit) % fit;
            let second = (first + 1 + draw(fit - 1) % (fit - 1)) % fit;
            match (nth(first), nth(second)) {
                (Some(a), Some(b)) if busy(b) < busy(a) => Choice::Target(b),
                (Some(a), _) => Choice::Target(a),
                (None, _) => Choice::None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fitness::{Dead, Poor, Unknown, Up, Warming};
    use super::*;
    use proptest::prelude::*;

    fn chosen(fitness: &[Fitness], tried: &[usize]) -> Vec<usize> {
        let mut seen: Vec<usize> = (0..64)
            .filter_map(|n| {
                let mut drawn = [n / 8, n % 8].into_iter();
                let draw = |below| drawn.next().unwrap_or(0) % below;
                match choose(fitness, tried, |_| 0, draw) {
                    Choice::Target(index) => Some(index),
                    Choice::None => None,
                }
            })
            .collect();
        seen.sort_unstable();
        seen.dedup();
        seen
    }

    #[test]
    fn the_rules() {
        for (fitness, tried, expected) in [
            (&[Up, Up, Down_][..], &[][..], &[0, 1][..]),
            (&[Up, Unknown, Unknown], &[], &[0]),
            (&[Up, Poor, Poor], &[], &[0, 1, 2]),
            (&[Up, Poor], &[], &[0]),
            (&[Poor, Dead], &[], &[0]),
            (&[Dead, Dead], &[], &[]),
            (&[Unknown, Poor], &[], &[]),
            (&[Unknown, Up], &[1], &[]),
            (&[Up, Up, Up], &[1], &[0, 2]),
            (&[Up, Up], &[0, 1], &[]),
            (&[Up, Warming, Warming], &[], &[0]),
            (&[Up, Warming, Warming], &[0], &[1, 2]),
            (&[Warming, Warming, Dead], &[], &[0, 1]),
            (&[Warming, Poor], &[], &[0]),
            (&[], &[], &[]),
        ] {
            assert_eq!(chosen(fitness, tried), expected, "{fitness:?} {tried:?}");
        }
    }

    #[expect(non_upper_case_globals, reason = "reads like the variants beside it")]
    const Down_: Fitness = Poor;

    proptest! {
        #[test]
        fn the_dead_and_the_tried_are_never_chosen_and_the_less_busy_wins(
            kinds in prop::collection::vec(0_u8..5, 0..8),
            tried in prop::collection::vec(0_usize..8, 0..3),
            load in prop::collection::vec(0_u64..9, 8),
            draws: (usize, usize),
        ) {
            let fitness: Vec<_> = kinds.iter().map(|k| [Up, Unknown, Poor, Dead, Warming][*k as usize]).collect();
            let mut drawn = [draws.0, draws.1].into_iter();
            let choice = choose(&fitness, &tried, |i| load[i], |below| drawn.next().unwrap() % below);
            let fit: Vec<_> = (0..fitness.len()).filter(|i| fitness[*i] == Up && !tried.contains(i)).collect();
            match choice {
                Choice::Target(index) => {
                    prop_assert!(!tried.contains(&index));
                    prop_assert!(matches!(fitness[index], Up | Poor | Warming));
                    if fit.len() == 2 && fitness.iter().all(|f| *f == Up || *f == Dead) {
                        prop_assert_eq!(load[index], load[fit[0]].min(load[fit[1]]));
                    }
                }
                Choice::None => prop_assert!(fit.is_empty()),
            }
        }
    }
}
