//! What the parts of a copy of somebody's data are called, in words. Decides nothing about what
//! is in it; what has no name yet goes by the name that the database gives it.

use crate::language::{Language, Message, message};

type Names = &'static [(&'static str, fn() -> Message)];

/// Each table of which rows are given out, and the message that names it.
const KINDS: Names = &[
    ("seat", || message("kept-in-seat")),
    ("customer", || message("kept-in-customer")),
    ("booking", || message("kept-in-booking")),
    ("claim", || message("kept-in-claim")),
    ("idempotency_key", || message("kept-in-idempotency-key")),
    ("booking_link", || message("kept-in-booking-link")),
    ("consent", || message("kept-in-consent")),
    ("audit", || message("kept-in-audit")),
    ("outbox", || message("kept-in-outbox")),
    ("privacy_request", || message("kept-in-privacy-request")),
    ("legal_hold", || message("kept-in-legal-hold")),
    ("access_log", || message("kept-in-access-log")),
];

/// The same for their columns.
const VALUES: Names = &[
    ("account_id", || message("kept-account-id")),
    ("action", || message("kept-action")),
    ("active", || message("kept-active")),
    ("actor", || message("kept-actor")),
    ("actor_id", || message("kept-actor-id")),
    ("after", || message("kept-after")),
    ("at", || message("kept-at")),
    ("attempts", || message("kept-attempts")),
    ("before", || message("kept-before")),
    ("block_id", || message("kept-block-id")),
    ("booked_name", || message("kept-booked-name")),
    ("booked_phone", || message("kept-booked-phone")),
    ("booking_id", || message("kept-booking-id")),
    ("booking_version", || message("kept-booking-version")),
    ("business_id", || message("kept-business-id")),
    ("channel", || message("kept-channel")),
    ("class_id", || message("kept-class-id")),
    ("closed_at", || message("kept-closed-at")),
    ("closed_by", || message("kept-closed-by")),
    ("confirmed_at", || message("kept-confirmed-at")),
    ("content", || message("kept-content")),
    ("created_at", || message("kept-created-at")),
    ("currency", || message("kept-currency")),
    ("customer_id", || message("kept-customer-id")),
    ("dedupe_key", || message("kept-dedupe-key")),
    ("cancel_reason", || message("kept-cancel-reason")),
    ("desk_note", || message("kept-desk-note")),
    ("details", || message("kept-details")),
    ("due_at", || message("kept-due-at")),
    ("during", || message("kept-during")),
    ("email", || message("kept-email")),
    ("ends_at", || message("kept-ends-at")),
    ("erased_at", || message("kept-erased-at")),
    ("evidence", || message("kept-evidence")),
    ("expires_at", || message("kept-expires-at")),
    ("fee_cents", || message("kept-fee-cents")),
    ("fee_is_waived", || message("kept-fee-is-waived")),
    ("given_at", || message("kept-given-at")),
    ("hold_extended", || message("kept-hold-extended")),
    ("hold_origin", || message("kept-hold-origin")),
    ("hold_owner", || message("kept-hold-owner")),
    ("hold_until", || message("kept-hold-until")),
    ("id", || message("kept-id")),
    ("is_active", || message("kept-is-active")),
    ("is_restricted", || message("kept-is-restricted")),
    ("is_withdrawal", || message("kept-is-withdrawal")),
    ("key", || message("kept-key")),
    ("kind", || message("kept-kind")),
    ("lane_id", || message("kept-lane-id")),
    ("language", || message("kept-language")),
    ("lease_owner", || message("kept-lease-owner")),
    ("lease_until", || message("kept-lease-until")),
    ("lifted_reason", || message("kept-lifted-reason")),
    ("key_id", || message("kept-key-id")),
    ("wanted_staff_id", || message("kept-wanted-staff-id")),
    ("lifted_by", || message("kept-lifted-by")),
    ("lifted_at", || message("kept-lifted-at")),
    ("link_until", || message("kept-link-until")),
    ("local_start", || message("kept-local-start")),
    ("locale", || message("kept-locale")),
    ("merged_into", || message("kept-merged-into")),
    ("name", || message("kept-name")),
    ("note", || message("kept-note")),
    ("notice", || message("kept-notice")),
    ("outcome", || message("kept-outcome")),
    ("phone", || message("kept-phone")),
    ("placed_at", || message("kept-placed-at")),
    ("placed_by", || message("kept-placed-by")),
    ("policy", || message("kept-policy")),
    ("source", || message("kept-source")),
    ("price_cents", || message("kept-price-cents")),
    ("provider_id", || message("kept-provider-id")),
    ("purpose", || message("kept-purpose")),
    ("queued_at", || message("kept-queued-at")),
    ("reason", || message("kept-reason")),
    ("received_at", || message("kept-received-at")),
    ("recipient", || message("kept-recipient")),
    ("request_hash", || message("kept-request-hash")),
    ("send_after", || message("kept-send-after")),
    ("sent_at", || message("kept-sent-at")),
    ("series_id", || message("kept-series-id")),
    ("service_id", || message("kept-service-id")),
    ("staff_id", || message("kept-staff-id")),
    ("starts_at", || message("kept-starts-at")),
    ("state", || message("kept-state")),
    ("state_since", || message("kept-state-since")),
    ("subject", || message("kept-subject")),
    ("token_hash", || message("kept-token-hash")),
    ("version", || message("kept-version")),
    ("warned_days", || message("kept-warned-days")),
    ("wording_hash", || message("kept-wording-hash")),
    ("zone", || message("kept-zone")),
    ("called_off_with", || message("kept-called-off-with")),
    ("customer_zone", || message("kept-customer-zone")),
];

/// The name of a kind of rows.
pub(super) fn kind(language: Language, table: &str) -> String {
    named(language, KINDS, table)
}

/// The name of a value.
pub(super) fn value(language: Language, column: &str) -> String {
    named(language, VALUES, column)
}

fn named(language: Language, names: Names, what: &str) -> String {
    let found = names.iter().find(|(name, _)| *name == what);
    found.map_or_else(
        || what.to_owned(),
        |(_, name)| name().text(language).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::register::{Holds, register};

    #[test]
    fn everything_that_is_given_out_has_a_name_in_every_language() {
        for language in Language::ALL {
            for (table, entry) in register().tables() {
                let is_given_out = |holds: &Holds| !matches!(holds, Holds::Account);
                if !entry.person.values().any(is_given_out) {
                    continue;
                }
                assert_ne!(kind(language, table), table, "{table} has no name");
                for column in entry.columns() {
                    if entry.withheld.contains_key(column) {
                        continue;
                    }
                    let name = value(language, column);
                    assert_ne!(name, column, "{table}.{column} has no name");
                }
            }
        }
    }
}
