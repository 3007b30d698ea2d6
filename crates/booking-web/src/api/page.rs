//! Long lists, page by page: how many rows, and behind which one. A cursor is opaque to
//! programs; it says where to go on and can open nothing. Pure.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use uuid::Uuid;

use crate::error::FieldProblem;
use crate::intake;

const ROWS_MAX: i64 = 100;
const ROWS_DEFAULT: i64 = 50;

/// The row behind which a page begins.
pub(super) fn cursor(at: Timestamp, id: Uuid) -> String {
    let mut bytes = at.as_microsecond().to_be_bytes().to_vec();
    bytes.extend_from_slice(id.as_bytes());
    BASE64URL_NOPAD.encode(&bytes)
}

/// Where a cursor points; the problem where it is none of ours.
pub(super) fn behind(text: Option<&str>) -> Result<Option<(Timestamp, Uuid)>, FieldProblem> {
    let Some(text) = text else { return Ok(None) };
    let read = |text: &str| {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (at, id) = bytes.split_first_chunk::<8>()?;
        let at = Timestamp::from_microsecond(i64::from_be_bytes(*at)).ok()?;
        intake::is_storable(at).then_some(())?;
        Some((at, Uuid::from_slice(id).ok()?))
    };
    read(text).map(Some).ok_or_else(|| FieldProblem {
        field: "cursor",
        detail: "must be the `next` of another page".to_owned(),
    })
}

/// How many rows a page has.
pub(super) fn limit(text: Option<&str>) -> Result<i64, FieldProblem> {
    let Some(text) = text else {
        return Ok(ROWS_DEFAULT);
    };
    let limit = text.parse().ok().filter(|n| (1..=ROWS_MAX).contains(n));
    limit.ok_or_else(|| FieldProblem {
        field: "limit",
        detail: format!("must be a number from 1 to {ROWS_MAX}"),
    })
}

/// What was read, or its problem among the others.
pub(super) fn kept<T: Default>(
    read: Result<T, FieldProblem>,
    problems: &mut Vec<FieldProblem>,
) -> T {
    read.unwrap_or_else(|problem| {
        problems.push(problem);
        T::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_row_and_others_nowhere() {
        let (at, id) = ("2027-03-24T07:30:00Z".parse().unwrap(), Uuid::from_u128(7));
        assert_eq!(behind(Some(&cursor(at, id))), Ok(Some((at, id))));
        assert_eq!(behind(None), Ok(None));
        let ancient = cursor(Timestamp::MIN, id);
        for foreign in ["", "a", "AAAA", "!", &"A".repeat(40), &ancient] {
            assert!(behind(Some(foreign)).is_err(), "{foreign}");
        }
    }

    #[test]
    fn a_page_has_up_to_a_hundred_rows() {
        assert_eq!(limit(None), Ok(ROWS_DEFAULT));
        assert_eq!(limit(Some("100")), Ok(100));
        for wrong in ["0", "101", "-1", "all"] {
            assert!(limit(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
