-- The record. Rows are only ever added; triggers refuse everything else.
create table entry (
    seq       integer not null primary key,
    at_us     integer not null,
    actor     text    not null,
    event     text    not null,
    prev_hash blob    not null,
    hash      blob    not null,
    constraint entry_seq_positive check (seq > 0),
    constraint entry_prev_hash_size check (length(prev_hash) = 32),
    constraint entry_hash_size check (length(hash) = 32)
) strict;

create trigger entry_never_changes before update on entry
begin
    select raise(abort, 'an entry of the journal never changes');
end;

create trigger entry_never_goes before delete on entry
begin
    select raise(abort, 'an entry of the journal never goes');
end;

-- The end of the chain, written with each entry, so that a cut-off tail shows.
create table head (
    id   integer not null primary key,
    seq  integer not null,
    hash blob    not null,
    constraint head_is_one check (id = 1)
) strict;
