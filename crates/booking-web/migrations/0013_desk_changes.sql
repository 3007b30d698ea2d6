-- How a booking came about, and why staff called it off.
-- Locks: `booking` exclusively for as long as a catalogue change takes; no row is rewritten.
-- Checks come unvalidated and are validated after, which lets others read and write. Rows
-- touched: none.
alter table booking
    add column source        text not null default 'online',
    add column cancel_reason text,
    add constraint booking_source_known
        check (source in ('online', 'phone', 'walk_in')) not valid,
    add constraint booking_cancel_reason_length check (length(cancel_reason) <= 500) not valid;
alter table booking validate constraint booking_source_known;
alter table booking validate constraint booking_cancel_reason_length;
