-- What a strict look at privacy asked for: programs in the list of who saw whom, who lifted
-- a hold and why, and indexes for what was found by reading whole tables.
-- Locks: `access_log` and `legal_hold` exclusively for as long as a catalogue change takes,
-- no row is rewritten, and checks come unchecked and are checked after. Each index keeps
-- others from writing to its table while it is built; they may read. Rows touched: none.

-- A program sees customers with a key or at the secret address of a calendar.
alter table access_log
    add column key_id uuid,
    alter column account_id drop not null,
    add constraint access_log_viewer_one check (num_nonnulls(account_id, key_id) = 1) not valid;
alter table access_log validate constraint access_log_viewer_one;

alter table legal_hold
    add column lifted_by     uuid,
    add column lifted_reason text,
    add constraint legal_hold_lifted_reason_length
        check (length(lifted_reason) between 1 and 500) not valid;
alter table legal_hold validate constraint legal_hold_lifted_reason_length;

create index outbox_state on outbox (business_id, state, sent_at);
create index outbox_recipient on outbox (business_id, lower(recipient));
create index privacy_request_email on privacy_request (business_id, lower(email));
create index customer_email on customer (business_id, lower(email));
