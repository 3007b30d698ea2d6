-- Who told a customer what their data is used for and on which way, which visits were called
-- off together, and in which zone a customer is.
-- Locks: `consent` and `booking` exclusively for as long as a catalogue change takes; no row is
-- rewritten, and the checks are validated by the next migration, which lets others write.
-- Rows touched: none.
alter table consent
    add column recorded_by uuid,
    drop constraint consent_channel_known,
    add constraint consent_channel_known
        check (channel in ('page', 'api', 'staff', 'import', 'link', 'phone', 'walk_in')) not valid;

alter table booking
    add column customer_zone   text,
    add column called_off_with uuid,
    add constraint booking_customer_zone_length
        check (length(customer_zone) between 1 and 64) not valid;
