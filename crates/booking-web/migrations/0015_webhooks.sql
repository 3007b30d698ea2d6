-- What a webhook wants to hear of, and a change of its secret without a gap.
-- Locks: `webhook` exclusively for a moment (columns with constant defaults, no rewrite),
-- `outbox` against writing while a small index is made. Rows touched: none.

alter table webhook
    -- The kinds of events that it is called for, such as `confirmed`; none means all.
    add column kinds text[] not null default '{}',
    -- Signs beside the present one until then.
    add column old_secret bytea,
    add column old_until timestamptz,
    add constraint webhook_kinds_few check (cardinality(kinds) <= 20),
    add constraint webhook_old_secret_size check (length(old_secret) between 24 and 64),
    add constraint webhook_old_secret_whole check ((old_secret is null) = (old_until is null));

create index outbox_webhook on outbox (recipient, send_after) where channel = 'webhook';
