-- How many may be booked on a day and in a week: of a service, and with somebody of the staff.
-- Locks: `service` and `staff` exclusively for as long as a catalogue change takes; no row is
-- rewritten, and the checks are validated by a later migration. Rows touched: none.
alter table service
    add column day_max  smallint,
    add column week_max smallint,
    add constraint service_limits_range
        check (day_max between 1 and 1000 and week_max between 1 and 1000) not valid;

alter table staff
    add column day_max  smallint,
    add column week_max smallint,
    add constraint staff_limits_range
        check (day_max between 1 and 1000 and week_max between 1 and 1000) not valid;

-- Free times follow from a person's limits, too.
drop trigger staff_changed on staff;
create trigger staff_changed after update of is_active, location_id, day_max, week_max on staff
    for each row execute function lane_rule_changed();
