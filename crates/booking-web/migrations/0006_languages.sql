-- The language that a business speaks by default, the one that a customer came with, and
-- the one that a booking was made in.
-- Tags as in BCP 47; a release that does not know one speaks English.
-- Locks: `business`, `customer` and `booking` exclusively for as long as a catalogue change
-- takes; no row is rewritten, because the defaults are constant. The checks come unchecked
-- and are checked after, which lets others read and write. Rows touched: none.

alter table business
    add column locale text not null default 'en',
    add constraint business_locale_shape check (locale ~ '^[a-z]{2,3}$') not valid;
alter table customer
    add column locale text,
    add constraint customer_locale_shape check (locale ~ '^[a-z]{2,3}$') not valid;
alter table booking
    add column locale text,
    add constraint booking_locale_shape check (locale ~ '^[a-z]{2,3}$') not valid;
alter table business validate constraint business_locale_shape;
alter table customer validate constraint customer_locale_shape;
alter table booking validate constraint booking_locale_shape;
