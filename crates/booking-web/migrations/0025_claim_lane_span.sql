-- Everything that a question about some days asks of a claim stands in the index over lane and
-- ends, so that a month is read from there alone; and whose claims they are is found out once
-- for each question and no longer for each row.
-- Locks: `claim` against changes while the index is built, about two seconds for a million; then
-- exclusively for as long as a catalogue change takes. Rows touched: none.
create index claim_lane_span on claim (lane_id, ends_at, starts_at)
    include (business_id, hold_until, block_id) where active;
drop index claim_lane_ends;
alter policy claim_own on claim
    using (business_id = (select current_business()))
    with check (business_id = (select current_business()));
