-- The ends of the claims that may still be asked about, and the index over them.
-- Locks: the rows that are filled, and `claim` against changes while the index is built over
-- them. Rows touched: active claims that end later than a week ago.
do $$
declare
    one uuid;
begin
    for one in select id from business loop
        perform set_config('booking.business', one::text, true);
        update claim set starts_at = lower(during), ends_at = upper(during)
        where business_id = one and active and ends_at is null
          and upper(during) > now() - interval '7 days';
    end loop;
    perform set_config('booking.business', '', true);
end
$$;
create index claim_lane_ends on claim (lane_id, ends_at) where active;
