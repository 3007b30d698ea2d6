-- The foundation: everything that cannot be added later without a long lock or a
-- leak between businesses. Every table but `business` itself carries the business,
-- and row-level security is forced, so that the owner of the tables is bound too.
-- Locks: new tables only. Rows touched: none.

create extension if not exists btree_gist;

-- The business that this transaction acts for; nothing is visible without one.
create function current_business() returns uuid
    language sql stable
    return nullif(current_setting('booking.business', true), '')::uuid;

create table business (
    id                   uuid        not null,
    slug                 text        not null,
    name                 text        not null,
    about                text,
    zone                 text        not null,
    currency             text        not null,
    cancel_limit_minutes integer     not null default 0,
    created_at           timestamptz not null,
    constraint business_pkey primary key (id),
    constraint business_slug_unique unique (slug),
    constraint business_slug_shape check (slug ~ '^[a-z][a-z0-9-]{1,39}$'),
    constraint business_name_length check (length(name) between 1 and 120),
    constraint business_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint business_cancel_limit_range check (cancel_limit_minutes between 0 and 43200)
);

create table location (
    id          uuid not null,
    business_id uuid not null,
    name        text not null,
    address     text not null,
    constraint location_pkey primary key (id),
    constraint location_business_unique unique (business_id, id),
    constraint location_business_fkey foreign key (business_id) references business (id)
);

-- One unit that does one thing at a time. Its version grows with every change of its
-- claims or hours, so that a cache can tell that it is stale.
create table lane (
    id          uuid   not null,
    business_id uuid   not null,
    kind        text   not null,
    version     bigint not null default 1,
    constraint lane_pkey primary key (id),
    constraint lane_business_unique unique (business_id, id),
    constraint lane_business_fkey foreign key (business_id) references business (id),
    constraint lane_kind_known check (kind in ('person', 'room', 'equipment'))
);

create table staff (
    id          uuid    not null,
    business_id uuid    not null,
    location_id uuid    not null,
    lane_id     uuid    not null,
    name        text    not null,
    is_active   boolean not null default true,
    constraint staff_pkey primary key (id),
    constraint staff_business_unique unique (business_id, id),
    constraint staff_lane_unique unique (lane_id),
    constraint staff_location_fkey foreign key (business_id, location_id)
        references location (business_id, id),
    constraint staff_lane_fkey foreign key (business_id, lane_id) references lane (business_id, id)
);

create table service (
    id               uuid    not null,
    business_id      uuid    not null,
    slug             text    not null,
    name             text    not null,
    about            text,
    duration_minutes integer not null,
    before_minutes   integer not null default 0,
    after_minutes    integer not null default 0,
    step_minutes     integer not null,
    notice_minutes   integer not null default 0,
    horizon_days     integer not null,
    price_cents      bigint  not null,
    is_active        boolean not null default true,
    constraint service_pkey primary key (id),
    constraint service_business_unique unique (business_id, id),
    constraint service_slug_unique unique (business_id, slug),
    constraint service_slug_shape check (slug ~ '^[a-z][a-z0-9-]{1,39}$'),
    constraint service_business_fkey foreign key (business_id) references business (id),
    constraint service_duration_range check (duration_minutes between 5 and 1440),
    constraint service_buffers_range
        check (before_minutes between 0 and 720 and after_minutes between 0 and 720),
    constraint service_step_range check (step_minutes between 1 and 1440),
    constraint service_notice_range check (notice_minutes between 0 and 525600),
    constraint service_horizon_range check (horizon_days between 0 and 730),
    constraint service_price_not_negative check (price_cents >= 0)
);

create table service_staff (
    business_id uuid not null,
    service_id  uuid not null,
    staff_id    uuid not null,
    constraint service_staff_pkey primary key (service_id, staff_id),
    constraint service_staff_service_fkey foreign key (business_id, service_id)
        references service (business_id, id),
    constraint service_staff_staff_fkey foreign key (business_id, staff_id)
        references staff (business_id, id)
);

-- Minutes since midnight on the wall, in the zone of the business; beyond 1440 is the
-- following day.
create table opening (
    id          uuid     not null,
    business_id uuid     not null,
    lane_id     uuid     not null,
    weekday     smallint not null,
    opens       smallint not null,
    closes      smallint not null,
    constraint opening_pkey primary key (id),
    constraint opening_lane_fkey foreign key (business_id, lane_id)
        references lane (business_id, id),
    constraint opening_weekday_range check (weekday between 1 and 7),
    constraint opening_minutes_range
        check (opens >= 0 and opens < 1440 and closes > opens and closes <= 2880)
);
create index opening_lane on opening (lane_id);

-- A date that is different. Without minutes it is closed all day.
create table opening_exception (
    id          uuid     not null,
    business_id uuid     not null,
    lane_id     uuid     not null,
    date        date     not null,
    opens       smallint,
    closes      smallint,
    constraint opening_exception_pkey primary key (id),
    constraint opening_exception_lane_fkey foreign key (business_id, lane_id)
        references lane (business_id, id),
    constraint opening_exception_minutes_range
        check ((opens is null and closes is null)
            or (opens >= 0 and opens < 1440 and closes > opens and closes <= 2880))
);
create index opening_exception_lane on opening_exception (lane_id, date);

create table customer (
    id          uuid        not null,
    business_id uuid        not null,
    name        text        not null,
    email       text        not null,
    phone       text,
    created_at  timestamptz not null,
    constraint customer_pkey primary key (id),
    constraint customer_business_unique unique (business_id, id),
    constraint customer_email_unique unique (business_id, email),
    constraint customer_business_fkey foreign key (business_id) references business (id),
    constraint customer_name_length check (length(name) between 1 and 200),
    constraint customer_email_length check (length(email) between 3 and 254)
);

create table booking (
    id          uuid        not null,
    business_id uuid        not null,
    service_id  uuid        not null,
    staff_id    uuid        not null,
    customer_id uuid        not null,
    state       text        not null,
    version     integer     not null default 1,
    starts_at   timestamptz not null,
    ends_at     timestamptz not null,
    zone        text        not null,
    local_start text        not null,
    price_cents bigint      not null,
    currency    text        not null,
    note        text,
    created_at  timestamptz not null,
    constraint booking_pkey primary key (id),
    constraint booking_business_unique unique (business_id, id),
    constraint booking_service_fkey foreign key (business_id, service_id)
        references service (business_id, id),
    constraint booking_staff_fkey foreign key (business_id, staff_id)
        references staff (business_id, id),
    constraint booking_customer_fkey foreign key (business_id, customer_id)
        references customer (business_id, id),
    constraint booking_state_known
        check (state in ('confirmed', 'cancelled_by_customer', 'cancelled_by_business')),
    constraint booking_times_order check (ends_at > starts_at),
    constraint booking_note_length check (length(note) <= 1000)
);
create index booking_starts_at on booking (business_id, starts_at);

-- The proof that a time is taken, buffers included. The database decides: of two that
-- overlap on a lane, one does not exist.
create table claim (
    id          uuid      not null,
    business_id uuid      not null,
    lane_id     uuid      not null,
    booking_id  uuid      not null,
    during      tstzrange not null,
    active      boolean   not null default true,
    constraint claim_pkey primary key (id),
    constraint claim_lane_fkey foreign key (business_id, lane_id) references lane (business_id, id),
    constraint claim_during_shape check (
        not isempty(during) and lower_inc(during) and not upper_inc(during)
        and upper(during) - lower(during) <= interval '31 days'),
    constraint claim_no_overlap exclude using gist (lane_id with =, during with &&) where (active)
);
create index claim_booking on claim (booking_id);

create table idempotency_key (
    business_id  uuid        not null,
    key          text        not null,
    request_hash bytea       not null,
    booking_id   uuid        not null,
    created_at   timestamptz not null,
    constraint idempotency_key_pkey primary key (business_id, key),
    constraint idempotency_key_length check (length(key) between 1 and 128),
    constraint idempotency_key_hash_size check (length(request_hash) = 32)
);

-- The secret address of a booking. Only its hash is kept.
create table booking_link (
    token_hash  bytea not null,
    business_id uuid  not null,
    booking_id  uuid  not null,
    constraint booking_link_pkey primary key (token_hash),
    constraint booking_link_hash_size check (length(token_hash) = 32),
    constraint booking_link_booking_fkey foreign key (business_id, booking_id)
        references booking (business_id, id)
);

create table consent (
    id          uuid        not null,
    business_id uuid        not null,
    customer_id uuid        not null,
    booking_id  uuid        not null,
    purpose     text        not null,
    notice      text        not null,
    given_at    timestamptz not null,
    constraint consent_pkey primary key (id),
    constraint consent_booking_fkey foreign key (business_id, booking_id)
        references booking (business_id, id)
);

create table audit (
    id          uuid        not null,
    business_id uuid        not null,
    at          timestamptz not null,
    actor       text        not null,
    action      text        not null,
    subject     uuid        not null,
    constraint audit_pkey primary key (id),
    constraint audit_business_fkey foreign key (business_id) references business (id)
);
create index audit_subject on audit (business_id, subject);

create table outbox (
    id          uuid        not null,
    business_id uuid        not null,
    dedupe_key  text        not null,
    kind        text        not null,
    booking_id  uuid        not null,
    send_after  timestamptz not null,
    sent_at     timestamptz,
    constraint outbox_pkey primary key (id),
    constraint outbox_dedupe_unique unique (dedupe_key),
    constraint outbox_booking_fkey foreign key (business_id, booking_id)
        references booking (business_id, id)
);
create index outbox_unsent on outbox (send_after) where sent_at is null;

-- What a business is called and where it is found is public; changing it is not.
alter table business enable row level security;
alter table business force row level security;
create policy business_read on business for select using (true);
create policy business_write on business for all
    using (id = current_business()) with check (id = current_business());

-- Whoever knows the secret address may see which booking it is for, and no more.
alter table booking_link enable row level security;
alter table booking_link force row level security;
create policy booking_link_own on booking_link for all
    using (business_id = current_business()) with check (business_id = current_business());
create policy booking_link_holder on booking_link for select
    using (token_hash = decode(nullif(current_setting('booking.token_hash', true), ''), 'hex'));

do $$
declare
    name text;
begin
    foreach name in array array['location', 'lane', 'staff', 'service', 'service_staff',
        'opening', 'opening_exception', 'customer', 'booking', 'claim', 'idempotency_key',
        'consent', 'audit', 'outbox']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy %I on %I for all using (business_id = current_business())
            with check (business_id = current_business())', name || '_own', name);
    end loop;
end
$$;

-- What happened stays as it was written.
create function refuse_change() returns trigger
    language plpgsql as $$
begin
    raise exception 'a row of % never changes', tg_table_name;
end
$$;
create trigger audit_never_changes before update or delete on audit
    for each row execute function refuse_change();
create trigger consent_never_changes before update or delete on consent
    for each row execute function refuse_change();
