-- What the law asks of whoever keeps data about people: the notice that was shown and the
-- consents, requests and their clock, holds, erasures, who of the staff saw whom, incidents,
-- and a chain over the audit that shows where it was broken.
-- Locks: `customer`, `consent` and `service` exclusively for as long as a catalogue change
-- takes; no row is rewritten, checks on rows that are there come unchecked and are checked
-- after. Rows touched: none.

-- Once erased, a customer is an id that bookings and books still refer to.
alter table customer add column erased_at timestamptz;

-- The page about privacy stands where a service of that name would.
alter table service
    add constraint service_slug_free check (slug <> 'privacy') not valid;
alter table service validate constraint service_slug_free;

-- Who is responsible, for the notice. Without a row it is the business as it is called and
-- where it is found.
create table privacy_profile (
    business_id    uuid not null,
    legal_name     text not null,
    address        text not null,
    officer        text not null,
    officer_email  text not null,
    officer_phone  text,
    recipients     text,
    constraint privacy_profile_pkey primary key (business_id),
    constraint privacy_profile_business_fkey foreign key (business_id) references business (id),
    constraint privacy_profile_lengths check (
        length(legal_name) between 1 and 200 and length(address) between 1 and 400
        and length(officer) between 1 and 200 and length(officer_email) between 3 and 254
        and length(officer_phone) <= 40 and length(recipients) <= 1000)
);

-- Every wording of the notice under which somebody booked, word for word.
create table notice (
    business_id  uuid        not null,
    wording_hash bytea       not null,
    version      text        not null,
    language     text        not null,
    wording      text        not null,
    first_at     timestamptz not null,
    constraint notice_pkey primary key (business_id, wording_hash),
    constraint notice_business_fkey foreign key (business_id) references business (id),
    constraint notice_hash_size check (length(wording_hash) = 32)
);
create trigger notice_never_changes before update or delete on notice
    for each row execute function refuse_change();

-- A withdrawal is a row of its own: what was said before stays said.
alter table consent
    add column wording_hash  bytea,
    add column language      text,
    add column channel       text,
    add column is_withdrawal boolean not null default false,
    alter column booking_id drop not null,
    add constraint consent_booking_known
        check (booking_id is not null or purpose = 'marketing') not valid,
    add constraint consent_channel_known
        check (channel in ('page', 'api', 'staff', 'import', 'link')) not valid;
alter table consent validate constraint consent_booking_known;
alter table consent validate constraint consent_channel_known;
create index consent_customer on consent (business_id, customer_id, purpose, given_at);

-- What somebody asked for under the law, and by when it must be answered.
create table privacy_request (
    id           uuid        not null,
    business_id  uuid        not null,
    kind         text        not null,
    channel      text        not null,
    state        text        not null,
    email        text,
    customer_id  uuid,
    details      text,
    language     text        not null,
    token_hash   bytea,
    link_until   timestamptz,
    received_at  timestamptz not null,
    due_at       timestamptz not null,
    confirmed_at timestamptz,
    warned_days  smallint    not null default 0,
    outcome      text,
    evidence     text,
    closed_at    timestamptz,
    closed_by    uuid,
    constraint privacy_request_pkey primary key (id),
    constraint privacy_request_business_unique unique (business_id, id),
    constraint privacy_request_token_unique unique (token_hash),
    constraint privacy_request_business_fkey foreign key (business_id) references business (id),
    constraint privacy_request_customer_fkey foreign key (business_id, customer_id)
        references customer (business_id, id),
    constraint privacy_request_kind_known
        check (kind in ('access', 'correction', 'erasure', 'objection')),
    constraint privacy_request_channel_known
        check (channel in ('page', 'phone', 'email', 'in_person', 'post')),
    constraint privacy_request_state_known
        check (state in ('asked', 'open', 'done', 'refused', 'lapsed')),
    constraint privacy_request_closed_has_an_outcome
        check (state not in ('done', 'refused') or (outcome is not null and closed_at is not null)),
    constraint privacy_request_hash_size check (length(token_hash) = 32),
    constraint privacy_request_email_length check (length(email) between 3 and 254),
    constraint privacy_request_details_length check (length(details) <= 2000),
    constraint privacy_request_outcome_length check (length(outcome) <= 2000),
    constraint privacy_request_evidence_length check (length(evidence) <= 500),
    constraint privacy_request_due_after check (due_at > received_at)
);
create index privacy_request_open on privacy_request (business_id, due_at)
    where state in ('asked', 'open');

-- While one stands, nothing of the customer is erased.
create table legal_hold (
    id          uuid        not null,
    business_id uuid        not null,
    customer_id uuid        not null,
    reason      text        not null,
    placed_by   uuid,
    placed_at   timestamptz not null,
    lifted_at   timestamptz,
    constraint legal_hold_pkey primary key (id),
    constraint legal_hold_customer_fkey foreign key (business_id, customer_id)
        references customer (business_id, id),
    constraint legal_hold_reason_length check (length(reason) between 1 and 500)
);
create unique index legal_hold_standing on legal_hold (business_id, customer_id)
    where lifted_at is null;

-- Who was erased, by a hash that leads back to nobody; done again after an old backup
-- was restored.
create table erasure (
    business_id  uuid        not null,
    subject_hash bytea       not null,
    erased_at    timestamptz not null,
    request_id   uuid,
    constraint erasure_pkey primary key (business_id, subject_hash),
    constraint erasure_business_fkey foreign key (business_id) references business (id),
    constraint erasure_hash_size check (length(subject_hash) = 32)
);
create trigger erasure_never_changes before update or delete on erasure
    for each row execute function refuse_change();

-- How long a business keeps a class of data where that is not what the register says.
create table retention_policy (
    business_id uuid    not null,
    class       text    not null,
    days        integer not null,
    constraint retention_policy_pkey primary key (business_id, class),
    constraint retention_policy_business_fkey foreign key (business_id) references business (id),
    constraint retention_policy_days_range check (days between 1 and 3660)
);

-- Who of the staff saw, exported or erased whom, and when; never what.
create table access_log (
    id          uuid        not null,
    business_id uuid        not null,
    at          timestamptz not null,
    account_id  uuid        not null,
    customer_id uuid        not null,
    action      text        not null,
    constraint access_log_pkey primary key (id),
    constraint access_log_customer_fkey foreign key (business_id, customer_id)
        references customer (business_id, id),
    constraint access_log_action_known check (action in ('saw', 'exported', 'changed', 'erased'))
);
create index access_log_at on access_log (business_id, at);
create index access_log_customer on access_log (business_id, customer_id, at);

-- It never changes, and goes only when its time is over.
create function refuse_early_end() returns trigger
    language plpgsql as $$
begin
    if tg_op = 'DELETE' and current_setting('booking.retention', true) = 'on' then
        return old;
    end if;
    raise exception 'a row of % never changes', tg_table_name;
end
$$;
create trigger access_log_never_changes before update or delete on access_log
    for each row execute function refuse_early_end();
drop trigger consent_never_changes on consent;
create trigger consent_never_changes before update or delete on consent
    for each row execute function refuse_early_end();

-- Something that should not have happened to data about people.
create table incident (
    id               uuid        not null,
    business_id      uuid        not null,
    what             text        not null,
    noticed_at       timestamptz not null,
    began_at         timestamptz not null,
    ended_at         timestamptz not null,
    -- Whose access it was; null means everybody's.
    account_id       uuid,
    consequences     text        not null,
    measures         text        not null,
    advice           text        not null,
    intruder         text,
    delay_reason     text,
    portal_reference text,
    reported_at      timestamptz,
    people_told_at   timestamptz,
    created_by       uuid        not null,
    created_at       timestamptz not null,
    constraint incident_pkey primary key (id),
    constraint incident_business_fkey foreign key (business_id) references business (id),
    constraint incident_times_order check (ended_at >= began_at),
    constraint incident_lengths check (
        length(what) between 1 and 2000 and length(consequences) between 1 and 2000
        and length(measures) between 1 and 2000 and length(advice) between 1 and 2000
        and length(intruder) <= 500 and length(delay_reason) <= 1000
        and length(portal_reference) <= 100)
);
create index incident_noticed_at on incident (business_id, noticed_at);

-- The chain over the audit, one link for each entry, in the order in which they were
-- sealed. Entries are written without waiting for each other; sealing comes after.
create table audit_link (
    business_id uuid   not null,
    seq         bigint not null,
    audit_id    uuid   not null,
    hash        bytea  not null,
    constraint audit_link_pkey primary key (business_id, seq),
    constraint audit_link_entry_unique unique (audit_id),
    constraint audit_link_business_fkey foreign key (business_id) references business (id),
    constraint audit_link_seq_positive check (seq > 0),
    constraint audit_link_hash_size check (length(hash) = 32)
);
create trigger audit_link_never_changes before update or delete on audit_link
    for each row execute function refuse_change();
create index audit_at on audit (business_id, at);

drop trigger account_event_never_changes on account_event;
create trigger account_event_never_changes before update or delete on account_event
    for each row execute function refuse_early_end();

do $$
declare
    name text;
begin
    foreach name in array array['privacy_profile', 'notice', 'privacy_request', 'legal_hold',
        'erasure', 'retention_policy', 'access_log', 'incident', 'audit_link']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy %I on %I for all using (business_id = current_business())
            with check (business_id = current_business())', name || '_own', name);
    end loop;
end
$$;

-- Whoever knows the secret address in the mail may see which request it is for.
create policy privacy_request_holder on privacy_request for select
    using (token_hash = decode(nullif(current_setting('booking.token_hash', true), ''), 'hex'));

-- What ends by itself is nobody's business: whoever lets go of it sees and removes it, and
-- nothing else of it can be done.
do $$
declare
    name text;
begin
    foreach name in array array['account_link', 'session', 'account_event', 'sign_in_failure',
        'request_count']
    loop
        execute format('create policy %I on %I for select
            using (current_setting(''booking.retention'', true) = ''on'')', name || '_ends', name);
        execute format('create policy %I on %I for delete
            using (current_setting(''booking.retention'', true) = ''on'')', name || '_goes', name);
    end loop;
end
$$;
