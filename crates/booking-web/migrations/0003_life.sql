-- The life of a booking: states and the moves between them, holds, the terms under which
-- it was made, series, and time off.
-- Locks: `booking`, `claim` and `audit` exclusively for as long as a catalogue change takes;
-- no row is rewritten. Constraints on rows that are there come unchecked and are checked
-- after, which lets others read and write. Rows touched: none.

-- The moves that are allowed; the same for every business, so every one may read them.
create table transition (
    from_state text not null,
    to_state   text not null,
    actor      text not null,
    constraint transition_pkey primary key (from_state, to_state, actor),
    constraint transition_actor_known check (actor in ('customer', 'business', 'clock'))
);
insert into transition (from_state, to_state, actor) values
    ('new', 'held', 'customer'),
    ('new', 'confirmed', 'customer'),
    ('new', 'confirmed', 'business'),
    ('new', 'arrived', 'business'),
    ('held', 'confirmed', 'customer'),
    ('held', 'expired', 'customer'),
    ('held', 'expired', 'clock'),
    ('expired', 'confirmed', 'customer'),
    ('confirmed', 'cancelled_by_customer', 'customer'),
    ('confirmed', 'cancelled_by_customer', 'business'),
    ('confirmed', 'cancelled_by_business', 'business'),
    ('confirmed', 'arrived', 'business'),
    ('confirmed', 'completed', 'business'),
    ('confirmed', 'no_show', 'business'),
    ('arrived', 'completed', 'business'),
    ('arrived', 'confirmed', 'business'),
    ('no_show', 'confirmed', 'business'),
    ('no_show', 'arrived', 'business');
alter table transition enable row level security;
alter table transition force row level security;
create policy transition_read on transition for select using (true);

-- Visits that repeat: made together, each a booking of its own.
create table series (
    id          uuid        not null,
    business_id uuid        not null,
    rule        text        not null,
    zone        text        not null,
    local_start text        not null,
    created_at  timestamptz not null,
    constraint series_pkey primary key (id),
    constraint series_business_unique unique (business_id, id),
    constraint series_business_fkey foreign key (business_id) references business (id)
);

-- Under which terms a booking can be called off: those of the service, or else those of
-- the business. What is booked keeps the terms that it was booked under.
create table policy (
    id          uuid  not null,
    business_id uuid  not null,
    service_id  uuid,
    terms       jsonb not null,
    constraint policy_pkey primary key (id),
    constraint policy_service_unique unique nulls not distinct (business_id, service_id),
    constraint policy_business_fkey foreign key (business_id) references business (id),
    constraint policy_service_fkey foreign key (business_id, service_id)
        references service (business_id, id),
    constraint policy_terms_shape check (jsonb_typeof(terms) = 'object')
);

-- Somebody is away, or a room is closed. Its claims cover what no booking has.
create table block (
    id          uuid        not null,
    business_id uuid        not null,
    lane_id     uuid        not null,
    starts_at   timestamptz not null,
    ends_at     timestamptz not null,
    reason      text        not null,
    is_active   boolean     not null default true,
    created_at  timestamptz not null,
    constraint block_pkey primary key (id),
    constraint block_business_unique unique (business_id, id),
    constraint block_lane_fkey foreign key (business_id, lane_id) references lane (business_id, id),
    constraint block_times_order check (ends_at > starts_at),
    constraint block_reason_known check (reason in ('leave', 'sick', 'training', 'closed', 'other'))
);
create index block_lane on block (lane_id, starts_at) where is_active;

-- What somebody is called and reached by in one booking stays with that booking.
alter table booking
    add column series_id     uuid,
    add column booked_name   text,
    add column booked_phone  text,
    add column policy        jsonb,
    add column state_since   timestamptz,
    add column fee_cents     bigint,
    add column fee_is_waived boolean not null default false,
    add column hold_until    timestamptz,
    add column hold_owner    bytea,
    add column hold_origin   bytea,
    add column hold_extended boolean not null default false,
    alter column customer_id drop not null,
    drop constraint booking_state_known,
    add constraint booking_state_known check (state in (
        'held', 'expired', 'awaiting_payment', 'awaiting_approval', 'confirmed', 'arrived',
        'completed', 'no_show', 'cancelled_by_customer', 'cancelled_by_business')) not valid,
    add constraint booking_customer_known
        check (customer_id is not null or state in ('held', 'expired')) not valid,
    add constraint booking_hold_has_an_end check (state <> 'held' or hold_until is not null)
        not valid,
    add constraint booking_fee_not_negative check (fee_cents >= 0) not valid,
    add constraint booking_series_fkey foreign key (business_id, series_id)
        references series (business_id, id) not valid;
alter table booking validate constraint booking_state_known;
alter table booking validate constraint booking_customer_known;
alter table booking validate constraint booking_hold_has_an_end;
alter table booking validate constraint booking_fee_not_negative;
alter table booking validate constraint booking_series_fkey;
create index booking_held on booking (business_id, hold_until) where state = 'held';
create index booking_series on booking (series_id) where series_id is not null;

-- A claim without an end of its own stands until it is given back. One whose end is past
-- still stands, until somebody who wants the time, or the sweeper, gives it back.
alter table claim
    add column hold_until timestamptz,
    add column block_id   uuid,
    alter column booking_id drop not null,
    add constraint claim_purpose_one check (num_nonnulls(booking_id, block_id) = 1) not valid,
    add constraint claim_block_fkey foreign key (business_id, block_id)
        references block (business_id, id) not valid;
alter table claim validate constraint claim_purpose_one;
alter table claim validate constraint claim_block_fkey;
create index claim_block on claim (block_id) where block_id is not null;

-- Who of the staff it was, and what it was before and after, without personal data.
alter table audit
    add column actor_id uuid,
    add column before   jsonb,
    add column after    jsonb;

-- Refuses every move that is not a row of `transition`, and every change of what never
-- changes. Who moves is said by `booking.actor`; a release that does not say so yet may do
-- what anybody may.
create function booking_moves() returns trigger
    language plpgsql as $$
declare
    mover text := nullif(current_setting('booking.actor', true), '');
    origin text := 'new';
begin
    if tg_op = 'UPDATE' then
        origin := old.state;
        if old.policy is not null and new.policy is distinct from old.policy then
            raise exception 'the terms of a booking never change'
                using errcode = 'check_violation', constraint = 'booking_policy_never_changes';
        end if;
        if (new.state, new.starts_at, new.ends_at) is distinct from
                (old.state, old.starts_at, old.ends_at) and new.version <> old.version + 1 then
            raise exception 'a change of a booking raises its version by one'
                using errcode = 'check_violation', constraint = 'booking_version_rises';
        end if;
        if new.state = old.state then
            return new;
        end if;
    end if;
    if not exists (select from transition
            where from_state = origin and to_state = new.state
              and (mover is null or actor = mover)) then
        raise exception 'a booking does not go from % to % by %', origin, new.state,
            coalesce(mover, 'anybody')
            using errcode = 'check_violation', constraint = 'booking_moves';
    end if;
    return new;
end
$$;
create trigger booking_moves before insert or update on booking
    for each row execute function booking_moves();

do $$
declare
    name text;
begin
    foreach name in array array['series', 'policy', 'block']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy %I on %I for all using (business_id = current_business())
            with check (business_id = current_business())', name || '_own', name);
    end loop;
end
$$;

-- Whoever sweeps may see where a hold has run out, and nothing else of it can be changed
-- without the business in scope.
create policy booking_sweeper on booking for select
    using (state = 'held' and current_setting('booking.sweeper', true) = 'on');
