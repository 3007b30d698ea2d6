-- Passkeys (WebAuthn): what an authenticator of a person left here, and the challenges that
-- are to be signed. They belong to accounts, which stand above businesses, so there is no
-- business in them; they are bound by row-level security as the tables of 0004 are. Whoever
-- signs in brings the id of a passkey, and is shown the one row of that id.
-- Locks: new tables, and `account` as far as a foreign key to it takes.

create table account_passkey (
    id              uuid        not null,
    account_id      uuid        not null,
    credential_hash bytea       not null,
    credential_id   bytea       not null,
    public_key      bytea       not null,
    algorithm       integer     not null,
    sign_count      bigint      not null,
    name            text        not null,
    created_at      timestamptz not null,
    used_at         timestamptz,
    constraint account_passkey_pkey primary key (id),
    constraint account_passkey_credential_unique unique (credential_hash),
    constraint account_passkey_account_fkey foreign key (account_id)
        references account (id) on delete cascade,
    constraint account_passkey_hash_size check (length(credential_hash) = 32),
    constraint account_passkey_credential_length check (length(credential_id) between 1 and 1023),
    constraint account_passkey_key_length check (length(public_key) between 1 and 4096),
    constraint account_passkey_count_range check (sign_count between 0 and 4294967295),
    constraint account_passkey_name_length check (length(name) between 1 and 60)
);
create index account_passkey_account on account_passkey (account_id);

-- A challenge that was given out, by its hash: to which browser, and to add a passkey to which
-- account, or to none, to sign in. Whoever uses it takes the row away.
create table passkey_challenge (
    token_hash bytea       not null,
    holder     bytea       not null,
    account_id uuid,
    expires_at timestamptz not null,
    constraint passkey_challenge_pkey primary key (token_hash),
    constraint passkey_challenge_account_fkey foreign key (account_id)
        references account (id) on delete cascade,
    constraint passkey_challenge_hash_size check (length(token_hash) = 32),
    constraint passkey_challenge_holder_size check (length(holder) = 32)
);
create index passkey_challenge_account on passkey_challenge (account_id);
create index passkey_challenge_ends on passkey_challenge (expires_at);

alter table account_passkey enable row level security;
alter table account_passkey force row level security;
create policy account_passkey_own on account_passkey for all
    using (account_id = current_account()) with check (account_id = current_account());
create policy account_passkey_holder on account_passkey for select
    using (credential_hash = current_token_hash());

alter table passkey_challenge enable row level security;
alter table passkey_challenge force row level security;
create policy passkey_challenge_holder on passkey_challenge for all
    using (token_hash = current_token_hash()) with check (token_hash = current_token_hash());
create policy passkey_challenge_ends on passkey_challenge for select
    using (current_setting('booking.retention', true) = 'on');
create policy passkey_challenge_goes on passkey_challenge for delete
    using (current_setting('booking.retention', true) = 'on');
