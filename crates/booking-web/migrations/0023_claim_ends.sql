-- When a claim begins and ends, beside the range that the exclusion constraint needs. Row-level
-- security lets only leak-proof operators into the condition of an index, and those of ranges
-- are none, so that every question about a day read all that was ever claimed on a lane.
-- Locks: `claim` exclusively for as long as a catalogue change takes. Rows touched: none.
alter table claim
    add column starts_at timestamptz,
    add column ends_at   timestamptz;

create function claim_ends() returns trigger language plpgsql as $$
begin
    new.starts_at := lower(new.during);
    new.ends_at := upper(new.during);
    return new;
end
$$;
create trigger claim_ends before insert or update of during on claim
    for each row execute function claim_ends();
