//! How high a share may be at most, by what was seen, whenever one looks: the share that a
//! mixture over all others (Beta(½, ½)) does not refute. Robbins 1970; Howard et al. 2021,
//! arXiv 1810.08240.

use super::reckoning::{Count, real};

/// The highest share that is not refuted with the chance `alpha` of ever being wrong.
pub(crate) fn upper(count: Count, alpha: f64) -> f64 {
    let (bad, good) = (real(count.bad), real(count.requests - count.bad));
    let mixture = ln_beta(bad + 0.5, good + 0.5) - ln_beta(0.5, 0.5);
    let is_refuted = |p: f64| mixture - bad * p.ln() - good * (1.0 - p).ln() >= -alpha.ln();
    let (mut low, mut high) = (count.share().max(1e-12), 1.0 - 1e-12);
    if !is_refuted(high) {
        return 1.0;
    }
    // Halved often enough for a millionth of a millionth.
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if is_refuted(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// The logarithm of the gamma function for positive numbers: Stirling's series (Abramowitz and
/// Stegun 6.1.41) from 10 on, and the recurrence below. Good to ten digits.
fn ln_gamma(x: f64) -> f64 {
    let mut x = x;
    let mut shift = 0.0;
    while x < 10.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let square = x * x;
    let series = (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / (1260.0 * square)) / square) / x;
    shift + (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_at_all_bounds_the_share_as_published() {
        for (requests, bound) in [(100, 5.7), (300, 2.1), (500, 1.3), (1_000, 0.7)] {
            let found = upper(Count::new(requests, 0, 0), 0.05) * 100.0;
            assert!((found - bound).abs() < 0.06, "{requests}: {found}");
        }
    }

    #[test]
    fn the_bound_lies_above_what_was_seen_and_nothing_seen_bounds_nothing() {
        let count = Count::new(1_000, 100, 100);
        let bound = upper(count, 0.05);
        assert!((0.12..0.14).contains(&bound), "{bound}");
        assert!(upper(Count::new(0, 0, 0), 0.05) > 0.99);
        assert!(upper(Count::new(5, 5, 5), 0.05) > 0.99);
    }

    #[test]
    fn the_gamma_function_is_that_of_the_tables() {
        let half = std::f64::consts::PI.sqrt().ln();
        for (x, expected) in [
            (0.5, half),
            (1.0, 0.0),
            (5.0, 24_f64.ln()),
            (100.0, 359.134_205_369_575_4),
        ] {
            assert!((ln_gamma(x) - expected).abs() < 1e-9, "{x}");
        }
    }
}
