-- Why: accounts of devices at the proxies come, are blocked and go while proxies run, by the server's word (US 6,647,260,
-- column 6). Each operator has one list of them; its version rises with each change, and each row has the version of its last
-- one, so that a proxy at any version is told what came later. How far each proxy was told stands beside it: a durable call.
-- The release before may run beside it: tables that it does not know. A device that is blocked here passes its land door.

create table proxy_account_list (
  operator_id uuid primary key references operator,
  epoch       uuid not null,                          -- another after a restore: versions of before are nothing to those of now
  version     integer not null
);

create table proxy_account (
  id            uuid not null unique,
  operator_id   uuid not null references operator,
  device_id     uuid not null references device,
  imsi_sealed   bytea,                                -- none where the operator named none, and of a closed one
  msisdn_sealed bytea,
  standing      text not null check (standing in ('open', 'blocked', 'closed')),
  version       integer not null,                     -- of the list, at its last change
  line_version  integer not null,                     -- at the last change of SIM or number
  changed_at    timestamptz not null,
  changed_by    text not null,
  primary key (operator_id, device_id)
);
create unique index proxy_account_by_version on proxy_account (operator_id, version);
create index proxy_account_by_id on proxy_account (operator_id, id);

create table proxy_told (
  operator_id  uuid not null references operator,
  proxy        text not null,
  version      integer not null,                      -- of the list, by the proxy's own word
  tries        integer not null,                      -- since it answered last
  outcome      text,
  tried_at     timestamptz,
  answered_at  timestamptz,
  next_try_at  timestamptz not null,
  leased_until timestamptz,
  primary key (operator_id, proxy)
);
