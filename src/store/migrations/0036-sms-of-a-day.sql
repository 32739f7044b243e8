-- Why: what an operator's short messages come to a day was counted over three days of messages every few seconds, and had no cost;
-- which centre has a message perhaps (it left, and no answer came) was known to one server, until it was started anew.
-- Each server has rows of its own in `sms_day`, so that no two wait for one while they book what centres took.
-- Safe beside the release before, which books what it sends without counting it here: a limit a day counts from the upgrade on.
create table sms_day (
  operator_id uuid not null references operator (id),
  day date not null,                                             -- by UTC
  node integer not null,                                         -- the server's number in the database; 0: none
  parts bigint not null,
  cost_micros bigint not null,                                   -- by the operator's prices when they were sent
  primary key (operator_id, day, node)
);

alter table message add column perhaps_with text, add column perhaps_until timestamptz;
