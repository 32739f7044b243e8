-- Why: what subscribers say by text is evidence, whichever way it was read; a number that said STOP is sent nothing that nobody
-- asked for, whoever queued it; quiet hours need to know which messages those are.
-- Safe beside the release before: new tables, columns with defaults. A node of the release before still sends what is queued
-- without asking for STOP or quiet hours: let it end before offers are made.

create table text_reply (                             -- every text that was taken for an answer, or that answered nothing while a question was open
  id             uuid primary key,
  operator_id    uuid not null references operator,
  subscriber_id  uuid references subscriber,          -- null: a number that nobody is known by said STOP or START
  order_id       uuid,                                -- of the question that it answered
  offer_id       uuid,
  read_as        text not null check (read_as in ('accept', 'decline', 'stop', 'start', 'unclear')),
  questions      text[] not null default '{}',        -- open questions that it may have been about
  text_sealed    bytea not null,                      -- as it came
  answered       text,                                -- the notice that was sent back; null: none
  received_at    timestamptz not null
);
create index text_reply_of_subscriber on text_reply (subscriber_id, received_at desc);
create index text_reply_by_id on text_reply (operator_id, id desc);

create table message_stop (                           -- numbers that want nothing they did not ask for
  operator_id    uuid not null references operator,
  msisdn_index   bytea not null,
  subscriber_id  uuid references subscriber,          -- who said it: he takes it along to another number
  stopped_at     timestamptz not null,
  primary key (operator_id, msisdn_index)
);
create index message_stop_of_subscriber on message_stop (subscriber_id) where subscriber_id is not null;

alter table message add column is_unasked boolean not null default false;  -- an offer, a campaign: STOP and quiet hours hold
alter table message add column destination_index bytea;                    -- of what is unasked and goes to a number outside an order

-- Each index in a transaction of its own: writers of messages wait for the build of one, and readers for none.
-- next transaction
create index message_unasked_of_subscriber on message (subscriber_id) where is_unasked and state in ('queued', 'submitting');
-- next transaction
create index message_unasked_to on message (operator_id, destination_index) where is_unasked and state in ('queued', 'submitting');
