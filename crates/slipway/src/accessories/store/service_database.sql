-- A role and a database for one service. Run by `psql` with the variable `role`; the
-- password arrives in the environment, so that it shows in no list of processes.
\getenv password SERVICE_PASSWORD
set log_statement = 'none';
set log_min_error_statement = 'panic';
select format('create role %I login', :'role')
 where not exists (select from pg_roles where rolname = :'role') \gexec
select format('alter role %I password %L', :'role', :'password') \gexec
select format('create database %I owner %I', :'role', :'role')
 where not exists (select from pg_database where datname = :'role') \gexec
select format('revoke connect on database %I from public', :'role') \gexec
