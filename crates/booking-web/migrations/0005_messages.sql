-- What happens after a transaction commits. The outbox holds it all: events as the write
-- path leaves them, and the deliveries (mail, text message, call of a webhook) that a
-- worker makes of each. A row is the truth about itself: due or not, whose, sent or not.
-- Locks: `outbox` and `idempotency_key` exclusively for a moment (columns with constant
-- defaults, no rewrite; indexes of tables that are small). Rows touched: those of the
-- outbox that were sent before.

alter table outbox
    add column channel         text        not null default 'event',
    add column state           text        not null default 'waiting',
    add column booking_version integer,
    -- The start that the message speaks of; another one means that it speaks of the past.
    add column starts_at       timestamptz,
    add column expires_at      timestamptz,
    add column recipient       text,
    add column content         text        not null default '',
    add column attempts        integer     not null default 0,
    add column lease_owner     uuid,
    add column lease_until     timestamptz,
    add column queued_at       timestamptz,
    add column provider_id     text,
    add column reason          text,
    -- Mail about an account is nobody's booking, and of no business where there is none yet.
    alter column booking_id drop not null,
    alter column business_id drop not null;
update outbox set state = 'sent' where sent_at is not null;
alter table outbox
    add constraint outbox_channel_known check (channel in ('event', 'email', 'sms', 'webhook')),
    add constraint outbox_state_known
        check (state in ('waiting', 'sending', 'unknown', 'sent', 'dropped', 'dead')),
    add constraint outbox_business_known check (business_id is not null or kind like 'account.%'),
    add constraint outbox_lease_whole check ((lease_owner is null) = (lease_until is null));
create index outbox_due on outbox (send_after) where state in ('waiting', 'sending', 'unknown');
create index outbox_booking on outbox (booking_id);
create index outbox_dead on outbox (business_id, send_after) where state = 'dead';

-- A worker sees the outbox of every business, and nothing else of them: for the rest it
-- takes the scope of one business like everybody.
create policy outbox_worker on outbox for all
    using (current_setting('booking.worker', true) = 'on')
    with check (current_setting('booking.worker', true) = 'on');
-- Whoever writes mail about an account without a business cannot read it again.
create policy outbox_account on outbox for insert with check (business_id is null);

-- How a business wants its messages. One without a row has the defaults.
create table message_settings (
    business_id            uuid     not null,
    -- Minutes before the start; null means that none is sent.
    reminder_email_minutes integer  default 1440,
    reminder_sms_minutes   integer  default 120,
    -- Minutes on the wall between which nobody is reminded; equal means at any time.
    quiet_from             smallint not null default 1200,
    quiet_until            smallint not null default 420,
    -- Says "Appointment" where the name of a service would tell too much.
    hides_service          boolean  not null default false,
    -- Where the business reads what could not be sent, and what customers answer.
    email                  text,
    constraint message_settings_pkey primary key (business_id),
    constraint message_settings_business_fkey foreign key (business_id) references business (id),
    constraint message_settings_lead_range check (
        reminder_email_minutes between 15 and 43200 and reminder_sms_minutes between 15 and 43200),
    constraint message_settings_quiet_range
        check (quiet_from between 0 and 1439 and quiet_until between 0 and 1439)
);

-- Who wants no reminders. Only a hash is kept, so that it may outlive the customer's row.
create table suppression (
    business_id  uuid        not null,
    channel      text        not null,
    address_hash bytea       not null,
    created_at   timestamptz not null,
    constraint suppression_pkey primary key (business_id, channel, address_hash),
    constraint suppression_business_fkey foreign key (business_id) references business (id),
    constraint suppression_channel_known check (channel in ('email', 'sms')),
    constraint suppression_hash_size check (length(address_hash) = 32)
);

create table webhook (
    id          uuid        not null,
    business_id uuid        not null,
    url         text        not null,
    -- Signs what is sent, so it is kept as it is.
    secret      bytea       not null,
    is_active   boolean     not null default true,
    created_at  timestamptz not null,
    constraint webhook_pkey primary key (id),
    constraint webhook_business_unique unique (business_id, id),
    constraint webhook_business_fkey foreign key (business_id) references business (id),
    constraint webhook_url_length check (length(url) between 8 and 2000),
    constraint webhook_secret_size check (length(secret) between 24 and 64)
);

-- Work that comes round again. It is nobody's business, so only workers see it; a lease
-- says who does it now.
create table timer (
    name        text        not null,
    due_at      timestamptz not null,
    lease_until timestamptz,
    constraint timer_pkey primary key (name)
);
alter table timer enable row level security;
alter table timer force row level security;
create policy timer_worker on timer for all
    using (current_setting('booking.worker', true) = 'on')
    with check (current_setting('booking.worker', true) = 'on');

create index idempotency_key_created_at on idempotency_key (created_at);
create policy idempotency_key_worker_reads on idempotency_key for select
    using (current_setting('booking.worker', true) = 'on');
create policy idempotency_key_worker_deletes on idempotency_key for delete
    using (current_setting('booking.worker', true) = 'on');

do $$
declare
    name text;
begin
    foreach name in array array['message_settings', 'suppression', 'webhook']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy %I on %I for all using (business_id = current_business())
            with check (business_id = current_business())', name || '_own', name);
    end loop;
end
$$;
