-- What a visit needs beside a person, classes with seats, and days that differ for a
-- whole location or for everybody.
-- Locks: new tables, and columns with constant defaults on `business`, `lane`, `service`
-- and `claim` (access exclusive, for an instant); checking the new constraints reads
-- `lane` and `service`, which have few rows. Rows touched: none.

-- Rooms or devices of a kind, of which any will do.
create table pool (
    id          uuid not null,
    business_id uuid not null,
    location_id uuid not null,
    name        text not null,
    constraint pool_pkey primary key (id),
    constraint pool_business_unique unique (business_id, id),
    constraint pool_location_fkey foreign key (business_id, location_id)
        references location (business_id, id),
    constraint pool_name_length check (length(name) between 1 and 120)
);

-- A room or a device is in one pool, a person in none.
alter table lane
    add column pool_id   uuid,
    add column name      text,
    add column is_active boolean not null default true,
    add constraint lane_pool_fkey foreign key (business_id, pool_id)
        references pool (business_id, id),
    add constraint lane_name_length check (length(name) between 1 and 120);
create index lane_pool on lane (pool_id) where pool_id is not null;

-- With a capacity above one, the service is a class; it may take place only where the
-- business has planned it.
alter table service
    add column capacity     integer not null default 1,
    add column fills_gaps   boolean not null default false,
    add column only_planned boolean not null default false,
    add constraint service_capacity_range check (capacity between 1 and 500);

-- So many lanes of a pool, for the whole visit with its buffers or for a part of it, in
-- minutes from its start.
create table service_need (
    id           uuid     not null,
    business_id  uuid     not null,
    service_id   uuid     not null,
    pool_id      uuid     not null,
    quantity     smallint not null default 1,
    from_minutes integer,
    to_minutes   integer,
    constraint service_need_pkey primary key (id),
    constraint service_need_pool_unique unique (service_id, pool_id),
    constraint service_need_service_fkey foreign key (business_id, service_id)
        references service (business_id, id),
    constraint service_need_pool_fkey foreign key (business_id, pool_id)
        references pool (business_id, id),
    constraint service_need_quantity_range check (quantity between 1 and 50),
    constraint service_need_part_shape
        check ((from_minutes is null and to_minutes is null)
            or (from_minutes >= 0 and to_minutes > from_minutes and to_minutes <= 1440))
);

-- A class that takes place: its lanes are claimed once, its seats are counted. One that
-- nobody planned ends with its last seat.
create table class (
    id          uuid        not null,
    business_id uuid        not null,
    service_id  uuid        not null,
    staff_id    uuid        not null,
    starts_at   timestamptz not null,
    capacity    integer     not null,
    taken       integer     not null default 0,
    is_planned  boolean     not null default false,
    is_active   boolean     not null default true,
    constraint class_pkey primary key (id),
    constraint class_business_unique unique (business_id, id),
    constraint class_service_fkey foreign key (business_id, service_id)
        references service (business_id, id),
    constraint class_staff_fkey foreign key (business_id, staff_id)
        references staff (business_id, id),
    constraint class_seats_counted check (taken between 0 and capacity)
);
create index class_starts_at on class (service_id, starts_at) where is_active;

-- Who sits in a class. The booking is written after its seat, like after a claim.
create table seat (
    id          uuid    not null,
    business_id uuid    not null,
    class_id    uuid    not null,
    booking_id  uuid    not null,
    is_active   boolean not null default true,
    constraint seat_pkey primary key (id),
    constraint seat_class_fkey foreign key (business_id, class_id)
        references class (business_id, id)
);
create unique index seat_booking_unique on seat (booking_id) where is_active;
create index seat_class on seat (class_id);

-- A claim belongs to a booking or to a class.
alter table claim
    alter column booking_id drop not null,
    add column class_id uuid;
create index claim_class on claim (class_id) where class_id is not null;

-- A date on which a whole location is different. Without minutes it is closed all day.
create table location_exception (
    id          uuid     not null,
    business_id uuid     not null,
    location_id uuid     not null,
    date        date     not null,
    opens       smallint,
    closes      smallint,
    constraint location_exception_pkey primary key (id),
    constraint location_exception_location_fkey foreign key (business_id, location_id)
        references location (business_id, id),
    constraint location_exception_minutes_range
        check ((opens is null and closes is null)
            or (opens >= 0 and opens < 1440 and closes > opens and closes <= 2880))
);
create index location_exception_date on location_exception (location_id, date);

-- Whether the public holidays of South Africa are days off, and single days on which it
-- is otherwise: kept although no law says so, or not kept.
alter table business add column keeps_holidays boolean not null default true;
create table holiday_choice (
    business_id uuid    not null,
    date        date    not null,
    is_closed   boolean not null,
    name        text,
    constraint holiday_choice_pkey primary key (business_id, date),
    constraint holiday_choice_business_fkey foreign key (business_id) references business (id),
    constraint holiday_choice_name_length check (length(name) between 1 and 120)
);

do $$
declare
    name text;
begin
    foreach name in array array['pool', 'service_need', 'class', 'seat',
        'location_exception', 'holiday_choice']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy %I on %I for all using (business_id = current_business())
            with check (business_id = current_business())', name || '_own', name);
    end loop;
end
$$;

-- Whoever changes a rule changes the versions of the lanes that it is about, in the same
-- transaction and without having to think of it. Claims and seats, which are many, say so
-- themselves.
create function lane_rule_changed() returns trigger
    language plpgsql as $$
begin
    if tg_op <> 'INSERT' then
        update lane set version = version + 1 where id = old.lane_id;
    end if;
    if tg_op <> 'DELETE' then
        update lane set version = version + 1 where id = new.lane_id;
    end if;
    return null;
end
$$;
create trigger opening_changed after insert or update or delete on opening
    for each row execute function lane_rule_changed();
create trigger opening_exception_changed after insert or update or delete on opening_exception
    for each row execute function lane_rule_changed();
create trigger staff_changed after update of is_active, location_id on staff
    for each row execute function lane_rule_changed();

create function business_rule_changed() returns trigger
    language plpgsql as $$
begin
    update lane set version = version + 1
    where id in (select id from lane order by id for no key update);
    return null;
end
$$;
create trigger location_exception_changed after insert or update or delete on location_exception
    for each statement execute function business_rule_changed();
create trigger holiday_choice_changed after insert or update or delete on holiday_choice
    for each statement execute function business_rule_changed();
create trigger business_changed after update of keeps_holidays, zone on business
    for each statement execute function business_rule_changed();
