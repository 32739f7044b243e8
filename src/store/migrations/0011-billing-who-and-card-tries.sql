-- Why: the billing centre is told who an account's holder is, not an id alone, and hears of what changed since: for that, what
-- it was told last is kept beside the account, sealed. The operator's own account number of a subscriber has a place. And each
-- card that somebody tries counts for whoever tried it, on every node and across restarts: by blind indexes, no number.
-- Safe beside the release before: columns without a need and a table that it does not know.

alter table subscriber add column billing_account_sealed bytea;  -- the operator's own number of the account behind the SIM
alter table user_account add column billing_told_sealed bytea;   -- what the billing centre took last of who he is

create table card_try (
  operator_id  uuid not null references operator,
  kind         text not null check (kind in ('session', 'number', 'device', 'card', 'address', 'token')),
  key          bytea not null,          -- blind index of whom or what the try counts for
  try_id       uuid not null,
  card         bytea not null,          -- blind index of the card
  outcome      text not null check (outcome in ('asked', 'accepted', 'refused')),
  at           timestamptz not null,
  primary key (operator_id, kind, key, try_id)
);
create index card_try_by_id on card_try (try_id);
create index card_try_by_time on card_try (at);   -- for forgetting them
