-- Why: work that takes longer than a request (imports, replays, actions on many subscribers) needs one mechanism: a row that says
-- who asked for what, how far it is and what comes next, goes on from its last checkpoint after a kill, on whichever server, and
-- leaves an outcome for each of its rows (docs/adr/0017).
-- Safe beside the release before: new tables that it does not know. It runs none of these jobs; a server of this release does.

create table job (
  id             uuid primary key,
  operator_id    uuid not null references operator,
  kind           text not null,                        -- a server takes those whose kind it knows
  state          text not null check (state in ('queued', 'running', 'waiting_approval', 'done', 'failed', 'cancelled')),
  input          jsonb not null,                       -- what was asked for; what is large stands in job_file
  file_id        uuid,
  checkpoint     jsonb,                                -- where it goes on; null: from its beginning
  done           bigint not null default 0,
  total          bigint,                               -- null: not known
  summary        jsonb,                                -- what it came to
  reason         text not null,
  next_action    text not null,
  asked_by       text not null,
  asked_by_person text,
  asked_by_vouched text[] not null default '{}',
  asked_at       timestamptz not null,
  started_at     timestamptz,
  ended_at       timestamptz,
  updated_at     timestamptz not null,
  deadline_at    timestamptz,
  due_at         timestamptz,                          -- when a server may take it; of a running one when its lease ends
  lease_until    timestamptz,
  leased_by      integer,                              -- the server's number (node)
  claim          integer not null default 0,           -- raised each time that it is taken: an earlier server writes nothing more
  attempts       integer not null default 0,           -- times that it was taken since it last came further
  cancel_asked_by text,
  cancel_reason  text,
  approval_id    uuid,
  constraint job_never_stands_still check ((deadline_at is null) = (state in ('done', 'failed', 'cancelled'))),
  constraint job_ends_once check ((ended_at is null) = (deadline_at is not null)),
  constraint job_due check ((due_at is not null) = (state in ('queued', 'running')))
);
create index job_by_id on job (operator_id, id desc);
create index job_due on job (due_at) where due_at is not null;
create index job_deadline on job (deadline_at) where deadline_at is not null;
create index job_ended on job (ended_at) where ended_at is not null;

create table job_outcome (                              -- what became of each of its rows
  job_id         uuid not null references job on delete cascade,
  position       bigint not null,                      -- from 1, in the job's own order
  subject        text not null,                        -- a line, an id, a TAC; never a person's number
  code           text not null,                        -- a word that a client can compare
  reason         text not null,
  primary key (job_id, position)
);

create table job_file (                                 -- what a job reads, brought before it
  id             uuid primary key,
  operator_id    uuid not null references operator,
  octets         bigint not null,
  sha256         bytea,                                -- null: it never arrived whole
  made_at        timestamptz not null
);
create index job_file_by_age on job_file (made_at);

create table job_file_part (
  file_id        uuid not null references job_file on delete cascade,
  position       integer not null,
  octets         bytea not null,
  primary key (file_id, position)
);
alter table job_file_part alter column octets set storage external;  -- it is packed already, or read once
