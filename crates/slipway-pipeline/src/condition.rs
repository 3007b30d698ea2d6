//! A gate's condition: `REPORT.METRIC OPERATOR NUMBER [%]`. Parsing is strict, so that a
//! misspelt condition is an error in the file and never a condition that holds.

use std::fmt;
use std::str::FromStr;

/// One condition over one metric of one report.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The report's name.
    pub report: String,
    /// The metric of the report.
    pub metric: String,
    /// How the two are compared.
    pub operator: Operator,
    /// What the metric is compared with.
    pub bound: f64,
    /// Whether the bound is written as a percentage.
    pub is_percentage: bool,
}

/// How a metric is compared with its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    Different,
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `<`
    Below,
}

/// Why a text is not a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidCondition(String);

/// Longest first, so that `>=` is not read as `>`.
const OPERATORS: [(&str, Operator); 6] = [
    ("==", Operator::Equal),
    ("!=", Operator::Different),
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    (">", Operator::Above),
    ("<", Operator::Below),
];

impl Condition {
    /// Whether `value` fulfils the condition. Values and bounds are counts, or percentages
    /// with at most a few decimals, so that comparing them exactly is what is meant.
    #[expect(clippy::float_cmp, reason = "counts are exact, and == means exactly")]
    pub fn holds(&self, value: f64) -> bool {
        match self.operator {
            Operator::Equal => value == self.bound,
            Operator::Different => value != self.bound,
            Operator::AtLeast => value >= self.bound,
            Operator::AtMost => value <= self.bound,
            Operator::Above => value > self.bound,
            Operator::Below => value < self.bound,
        }
    }
}

impl FromStr for Condition {
    type Err = InvalidCondition;

    fn from_str(text: &str) -> Result<Self, InvalidCondition> {
        let invalid = |reason: String| InvalidCondition(reason);
        let found = text.find(['=', '!', '<', '>']).and_then(|at| {
            let rest = text.get(at..)?;
            let (sign, operator) = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign))?;
            Some((text.get(..at)?, *operator, rest.get(sign.len()..)?))
        });
        let Some((left, operator, right)) = found else {
            return Err(invalid("it has no comparison".to_owned()));
        };
        let Some((report, metric)) = left.trim().split_once('.') else {
            return Err(invalid(format!(
                "{:?} names no metric of a report",
                left.trim()
            )));
        };
        let right = right.trim();
        let (number, is_percentage) = match right.strip_suffix('%') {
            Some(number) => (number.trim(), true),
            None => (right, false),
        };
        let bound = number.parse::<f64>().ok().filter(|n| n.is_finite());
        let Some(bound) = bound else {
            return Err(invalid(format!("{number:?} is not a number")));
        };
        Ok(Self {
            report: report.trim().to_owned(),
            metric: metric.trim().to_owned(),
            operator,
            bound,
            is_percentage,
        })
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = OPERATORS.iter().find(|(_, operator)| operator == self);
        f.write_str(sign.map_or("", |(sign, _)| sign))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.is_percentage { " %" } else { "" };
        write!(
            f,
            "{}.{} {} {}{unit}",
            self.report, self.metric, self.operator, self.bound
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_reads_back_as_it_was_written() {
        for text in [
            "tests.failed == 0",
            "coverage.lines >= 92.5 %",
            "a.b != 1",
            "a.b < 3",
        ] {
            assert_eq!(text.parse::<Condition>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_a_condition_says_why() {
        for (text, reason) in [
            ("tests.failed", "it has no comparison"),
            ("tests.failed = 0", "it has no comparison"),
            ("failed == 0", "\"failed\" names no metric of a report"),
            ("tests.failed == none", "\"none\" is not a number"),
            ("tests.failed == NaN", "\"NaN\" is not a number"),
            ("tests.failed >== 1", "\"= 1\" is not a number"),
        ] {
            let error = text.parse::<Condition>().unwrap_err();
            assert_eq!(error.to_string(), reason, "{text}");
        }
    }

    #[test]
    fn comparisons_are_exact_at_the_bound() {
        let at_least: Condition = "c.lines >= 90 %".parse().unwrap();
        assert!(at_least.holds(90.0) && !at_least.holds(89.99));
        let above: Condition = "c.lines > 90 %".parse().unwrap();
        assert!(!above.holds(90.0));
    }
}
