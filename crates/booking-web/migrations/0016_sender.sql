-- Whom the messages of a business are from, where that is not its own name.
-- Locks: `message_settings` exclusively for a moment (a column without a default).
-- Rows touched: none.

alter table message_settings
    add column sender text,
    add constraint message_settings_sender_length check (length(sender) between 1 and 120);
