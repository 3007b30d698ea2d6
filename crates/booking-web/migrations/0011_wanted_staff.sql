-- Whom the customer asked for, so that a booking stays with them when its time is taken
-- again or changed. Null means anyone.
-- Locks: `booking` exclusively for as long as a catalogue change takes; the check on rows
-- that are there comes unchecked and is checked after. No row is rewritten.

alter table booking
    add column wanted_staff_id uuid,
    add constraint booking_wanted_staff_fkey foreign key (business_id, wanted_staff_id)
        references staff (business_id, id) not valid;
alter table booking validate constraint booking_wanted_staff_fkey;
