-- What the desk keeps: customers who have no address, what is known of them, which of two
-- records was merged into the other, and notes that only staff sees.
-- Locks: `customer` and `booking` exclusively for as long as a catalogue change takes; no
-- row is rewritten. The foreign key comes unchecked and is checked after, which lets others
-- read and write. Rows touched: none.

alter table customer
    -- Whoever rang or walked in may have no e-mail address.
    alter column email drop not null,
    add column merged_into   uuid,
    add column note          text,
    -- They asked that their details are used for their bookings and for nothing else.
    add column is_restricted boolean not null default false,
    add constraint customer_merged_fkey foreign key (business_id, merged_into)
        references customer (business_id, id) not valid,
    add constraint customer_not_merged_into_itself check (merged_into <> id) not valid,
    add constraint customer_note_length check (length(note) <= 2000) not valid;
alter table customer validate constraint customer_merged_fkey;
alter table customer validate constraint customer_not_merged_into_itself;
alter table customer validate constraint customer_note_length;
create index customer_merged_into on customer (merged_into) where merged_into is not null;
create index booking_customer on booking (customer_id);

-- What staff writes about a booking; the customer never sees it.
alter table booking
    add column desk_note text,
    add constraint booking_desk_note_length check (length(desk_note) <= 2000) not valid;
alter table booking validate constraint booking_desk_note_length;
