-- A claim may be for a class, too.
-- Locks: `claim` exclusively for as long as a catalogue change takes; its rows are checked
-- after, while others read and write. Rows touched: none.
alter table claim
    drop constraint claim_purpose_one,
    add constraint claim_purpose_known
        check (num_nonnulls(booking_id, block_id, class_id) = 1) not valid;
alter table claim validate constraint claim_purpose_known;
