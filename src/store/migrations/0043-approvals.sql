-- Why: what needs a second person (an import that would lose much, a policy, an action on many) needs one mechanism: a request that
-- says what would be done and by whose wish, that another person agrees to in time or refuses, and that is carried out in the
-- transaction of that decision, once (docs/adr/0017). Payment files keep the columns that they have (0028).
-- Safe beside the release before: a new table that it does not know.

create table approval (
  id             uuid primary key,
  operator_id    uuid not null references operator,
  kind           text not null,
  subject        text not null,                        -- the id of what waits for it
  state          text not null check (state in ('waiting', 'approved', 'refused', 'expired', 'withdrawn')),
  title          text not null,                        -- what it would do, in a sentence
  summary        jsonb not null,                       -- the same with its figures, as it was when it was asked for
  digest         bytea not null,                       -- SHA-256 of what would be done
  reason         text not null,                        -- why it is asked
  roles          text[] not null,                      -- who may decide
  second_person  boolean not null,                     -- false: whoever asked may say yes too
  asked_by       text not null,
  asked_by_person text,
  asked_by_vouched text[] not null default '{}',
  asked_at       timestamptz not null,
  expires_at     timestamptz not null,
  decided_by     text,
  decided_by_person text,
  decided_at     timestamptz,
  decision_reason text,
  constraint approval_decided check ((decided_at is null) = (state = 'waiting')),
  constraint approval_names_its_asker check (not second_person or asked_by_person is not null)
);
create index approval_by_id on approval (operator_id, id desc);
create index approval_waiting on approval (expires_at) where state = 'waiting';
create unique index approval_once on approval (operator_id, kind, subject) where state = 'waiting';
