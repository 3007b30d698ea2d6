-- What programs of a business act with: keys, and the secret addresses of calendars. Only
-- hashes of what is secret are kept; whoever knows a secret may see the one row that its
-- hash names, as for links of bookings.
-- Locks: new tables only. Rows touched: none.

create table api_key (
    id           uuid        not null,
    business_id  uuid        not null,
    name         text        not null,
    -- What the key begins with, so that people can tell keys apart.
    prefix       text        not null,
    secret_hash  bytea       not null,
    scopes       text[]      not null,
    created_at   timestamptz not null,
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    constraint api_key_pkey primary key (id),
    constraint api_key_business_unique unique (business_id, id),
    constraint api_key_secret_unique unique (secret_hash),
    constraint api_key_business_fkey foreign key (business_id) references business (id),
    constraint api_key_name_length check (length(name) between 1 and 80),
    constraint api_key_prefix_shape check (prefix ~ '^bk_[a-z0-9]{8}$'),
    constraint api_key_hash_size check (length(secret_hash) = 32),
    constraint api_key_scopes_some check (cardinality(scopes) between 1 and 20)
);

-- A calendar that other programs read: of one of the staff, or of the whole business.
create table calendar_feed (
    id          uuid        not null,
    business_id uuid        not null,
    staff_id    uuid,
    token_hash  bytea       not null,
    -- How much of a customer's name it shows: "Thandi N.", "T. N.", or nothing.
    names       text        not null default 'short',
    created_at  timestamptz not null,
    revoked_at  timestamptz,
    constraint calendar_feed_pkey primary key (id),
    constraint calendar_feed_token_unique unique (token_hash),
    constraint calendar_feed_business_fkey foreign key (business_id) references business (id),
    constraint calendar_feed_staff_fkey foreign key (business_id, staff_id)
        references staff (business_id, id),
    constraint calendar_feed_hash_size check (length(token_hash) = 32),
    constraint calendar_feed_names_known check (names in ('short', 'initials', 'none'))
);
create index calendar_feed_business on calendar_feed (business_id);

alter table api_key enable row level security;
alter table api_key force row level security;
create policy api_key_own on api_key for all
    using (business_id = current_business()) with check (business_id = current_business());
create policy api_key_holder on api_key for select using (secret_hash = current_token_hash());

alter table calendar_feed enable row level security;
alter table calendar_feed force row level security;
create policy calendar_feed_own on calendar_feed for all
    using (business_id = current_business()) with check (business_id = current_business());
create policy calendar_feed_holder on calendar_feed for select
    using (token_hash = current_token_hash());
