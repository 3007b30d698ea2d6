-- The table in which the migrations of an application are counted, as its library
-- makes it, so that queries about it can be described without running them.
create table _sqlx_migrations (
    version        bigint primary key,
    description    text not null,
    installed_on   timestamptz not null default now(),
    success        boolean not null,
    checksum       bytea not null,
    execution_time bigint not null
);
