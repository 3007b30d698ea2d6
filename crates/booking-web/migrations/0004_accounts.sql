-- Who may do what: accounts, their memberships of businesses, their sessions, and what
-- secures them. An account is a person and stands above businesses, so its tables have
-- no business. They are bound by row-level security all the same: a transaction sees the
-- account that it says it acts for (`booking.account`), the one e-mail address that
-- somebody typed (`booking.email`), or the one row whose secret it knows the hash of
-- (`booking.token_hash`, as for secret addresses of bookings), and nothing else.
-- Locks: new tables, and `business` for a column with a constant default, which
-- PostgreSQL adds without looking at the rows.

create function current_account() returns uuid
    language sql stable
    return nullif(current_setting('booking.account', true), '')::uuid;

create function current_token_hash() returns bytea
    language sql stable
    return decode(nullif(current_setting('booking.token_hash', true), ''), 'hex');

-- A person. Until they have shown that the address is theirs, the account is theirs alone
-- to use from the browser that made it, and others may have the same address.
create table account (
    id               uuid        not null,
    email            text        not null,
    name             text        not null,
    state            text        not null,
    is_demonstration boolean     not null default false,
    created_at       timestamptz not null,
    constraint account_pkey primary key (id),
    constraint account_email_shape check (email = lower(email) and length(email) between 3 and 254),
    constraint account_name_length check (length(name) between 1 and 200),
    constraint account_state_known check (state in ('unconfirmed', 'active'))
);
create unique index account_email_unique on account (email) where state = 'active';

-- Apart from the account, so that whoever may see a colleague's name cannot see this.
create table account_password (
    account_id uuid        not null,
    hash       text        not null,
    changed_at timestamptz not null,
    constraint account_password_pkey primary key (account_id),
    constraint account_password_account_fkey foreign key (account_id)
        references account (id) on delete cascade,
    constraint account_password_argon2id check (hash like '$argon2id$%')
);

-- The secret of a code app, sealed under a key that the database does not know. Not yet
-- confirmed, it is being set up. No code of a step up to the last used one is taken.
create table account_totp (
    account_id   uuid        not null,
    sealed       bytea       not null,
    last_step    bigint      not null default 0,
    confirmed_at timestamptz,
    constraint account_totp_pkey primary key (account_id),
    constraint account_totp_account_fkey foreign key (account_id)
        references account (id) on delete cascade
);

create table recovery_code (
    account_id uuid        not null,
    code_hash  bytea       not null,
    used_at    timestamptz,
    constraint recovery_code_pkey primary key (account_id, code_hash),
    constraint recovery_code_account_fkey foreign key (account_id)
        references account (id) on delete cascade,
    constraint recovery_code_hash_size check (length(code_hash) = 32)
);

-- What a link in a mail is for. Only its hash is kept; used once.
create table account_link (
    token_hash bytea       not null,
    account_id uuid        not null,
    purpose    text        not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz,
    constraint account_link_pkey primary key (token_hash),
    constraint account_link_account_fkey foreign key (account_id)
        references account (id) on delete cascade,
    constraint account_link_hash_size check (length(token_hash) = 32),
    constraint account_link_purpose_known check (purpose in ('confirm_email', 'reset_password'))
);
create index account_link_account on account_link (account_id);

-- A browser in which somebody is signed in, or has given the password and still owes the code.
create table session (
    id          uuid        not null,
    token_hash  bytea       not null,
    account_id  uuid        not null,
    state       text        not null,
    created_at  timestamptz not null,
    seen_at     timestamptz not null,
    expires_at  timestamptz not null,
    password_at timestamptz not null,
    agent       text        not null,
    constraint session_pkey primary key (id),
    constraint session_token_unique unique (token_hash),
    constraint session_account_fkey foreign key (account_id)
        references account (id) on delete cascade,
    constraint session_hash_size check (length(token_hash) = 32),
    constraint session_state_known check (state in ('owes_code', 'signed_in')),
    constraint session_agent_length check (length(agent) <= 100)
);
create index session_account on session (account_id);

create table membership (
    business_id uuid        not null,
    account_id  uuid        not null,
    role        text        not null,
    staff_id    uuid,
    created_at  timestamptz not null,
    constraint membership_pkey primary key (business_id, account_id),
    constraint membership_staff_unique unique (staff_id),
    constraint membership_business_fkey foreign key (business_id) references business (id),
    constraint membership_account_fkey foreign key (account_id) references account (id),
    constraint membership_staff_fkey foreign key (business_id, staff_id)
        references staff (business_id, id),
    constraint membership_role_known check (role in ('owner', 'manager', 'staff', 'front_desk'))
);
create index membership_account on membership (account_id);

-- A business always has an owner. Whoever takes one away first locks the business, so
-- that two owners who remove each other at once do not both succeed.
create function keep_an_owner() returns trigger
    language plpgsql as $$
begin
    perform 1 from business where id = old.business_id for no key update;
    if not exists (select from membership
                   where business_id = old.business_id and role = 'owner') then
        raise exception 'a business always has an owner'
            using errcode = '23514', constraint = 'membership_last_owner', table = 'membership';
    end if;
    return null;
end
$$;
create trigger membership_last_owner after update or delete on membership
    for each row when (old.role = 'owner') execute function keep_an_owner();

create table invitation (
    id          uuid        not null,
    business_id uuid        not null,
    token_hash  bytea       not null,
    email       text        not null,
    role        text        not null,
    staff_id    uuid,
    invited_by  uuid        not null,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    accepted_at timestamptz,
    constraint invitation_pkey primary key (id),
    constraint invitation_token_unique unique (token_hash),
    constraint invitation_business_fkey foreign key (business_id) references business (id),
    constraint invitation_staff_fkey foreign key (business_id, staff_id)
        references staff (business_id, id),
    constraint invitation_hash_size check (length(token_hash) = 32),
    constraint invitation_role_known check (role in ('owner', 'manager', 'staff', 'front_desk'))
);
create unique index invitation_open on invitation (business_id, email) where accepted_at is null;

-- What happened to an account, beside the audit of businesses. An attempt for an address
-- that no account has belongs to no account, and says nothing about what was typed.
create table account_event (
    id         uuid        not null,
    account_id uuid,
    at         timestamptz not null,
    action     text        not null,
    network    text        not null,
    constraint account_event_pkey primary key (id)
);
create index account_event_account on account_event (account_id, at);
create trigger account_event_never_changes before update or delete on account_event
    for each row execute function refuse_change();

-- Failed sign-ins of one address from one network or one known device, by a keyed hash.
create table sign_in_failure (
    key_hash bytea       not null,
    failures integer     not null,
    last_at  timestamptz not null,
    free_at  timestamptz not null,
    constraint sign_in_failure_pkey primary key (key_hash),
    constraint sign_in_failure_hash_size check (length(key_hash) = 32)
);

-- How often something was asked for in a window of time, by a keyed hash of what and who.
create table request_count (
    key_hash   bytea       not null,
    taken      integer     not null,
    expires_at timestamptz not null,
    constraint request_count_pkey primary key (key_hash),
    constraint request_count_hash_size check (length(key_hash) = 32)
);

-- Until the owner has shown that the e-mail address is theirs, the page can be tried by
-- whoever knows its address, and is not in any list.
alter table business add column is_listed boolean not null default true;

alter table account enable row level security;
alter table account force row level security;
create policy account_own on account for all
    using (id = current_account()) with check (id = current_account());
create policy account_named on account for select
    using (email = nullif(current_setting('booking.email', true), ''));
create policy account_colleague on account for select
    using (exists (select from membership
                   where membership.account_id = account.id
                     and membership.business_id = current_business()));

alter table membership enable row level security;
alter table membership force row level security;
create policy membership_own on membership for all
    using (business_id = current_business()) with check (business_id = current_business());
create policy membership_account on membership for select
    using (account_id = current_account());

alter table invitation enable row level security;
alter table invitation force row level security;
create policy invitation_own on invitation for all
    using (business_id = current_business()) with check (business_id = current_business());
create policy invitation_holder on invitation for select
    using (token_hash = current_token_hash());

alter table session enable row level security;
alter table session force row level security;
create policy session_own on session for all
    using (account_id = current_account()) with check (account_id = current_account());
create policy session_holder on session for select
    using (token_hash = current_token_hash());

alter table account_link enable row level security;
alter table account_link force row level security;
create policy account_link_own on account_link for all
    using (account_id = current_account()) with check (account_id = current_account());
create policy account_link_holder on account_link for select
    using (token_hash = current_token_hash());

-- An event of nobody can be written by whoever saw it, and read by the operator alone.
alter table account_event enable row level security;
alter table account_event force row level security;
create policy account_event_own on account_event for select
    using (account_id = current_account());
create policy account_event_write on account_event for insert
    with check (account_id is null or account_id = current_account());

do $$
declare
    name text;
begin
    foreach name in array array['account_password', 'account_totp', 'recovery_code']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy %I on %I for all using (account_id = current_account())
            with check (account_id = current_account())', name || '_own', name);
    end loop;
    foreach name in array array['sign_in_failure', 'request_count']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy %I on %I for all using (key_hash = current_token_hash())
            with check (key_hash = current_token_hash())', name || '_holder', name);
    end loop;
end
$$;
