-- Why: the token that was left at sign-up is what later charges use (US 6,647,260, columns 3 and 5): each sum that is collected has
-- a row of its own, which says how far it is; what is had by the month says when it is collected next. A bank account's mandate is
-- kept beside its token. And a payment file may need a second person before anybody has it.
-- Safe beside the release before: new tables, columns that may be empty or have defaults, a wider check. That release makes no call
-- of kind `collection` and leaves it due; it would give out a payment file that waits for its second person, so let none wait
-- while it still runs.

alter table request add column mandate_reference text, add column mandate_signed_on date;
alter table user_account add column mandate_reference text, add column mandate_signed_on date;

create table collection (                              -- a sum taken from a subscriber by the token that they left
  id             uuid primary key,
  operator_id    uuid not null references operator,
  subscriber_id  uuid not null references subscriber,
  order_id       uuid not null,                        -- whose history tells of it
  order_item_id  uuid not null,
  catalog_id     text not null,
  purpose        text not null check (purpose in ('order', 'renewal')),
  period         integer not null check (period >= 0), -- 0: what is due with the order; n: the n-th month after it
  amount_minor   bigint not null check (amount_minor > 0),
  currency       text not null check (currency ~ '^[A-Z]{3}$'),
  state          text not null check (state in ('asked', 'waiting', 'taken', 'refused', 'unknown')),
  attempt        integer not null,                     -- each refusal that is tried again is a call of its own
  reason         text not null,
  next_action    text not null,
  due_at         timestamptz,                          -- of one that waits: when it is asked again
  deadline_at    timestamptz,                          -- null where nothing is waited for
  means_masked   text,                                 -- what paid, or was to; null where nothing was left
  reference      text,                                 -- the payment provider's own number of it
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  constraint collection_never_stands_still check ((deadline_at is null) = (state in ('taken', 'refused', 'unknown'))),
  constraint collection_waits_for_a_time check ((due_at is null) = (state <> 'waiting'))
);
-- No month of an item is collected twice, whoever looks at the same moment.
create unique index collection_once on collection (order_item_id, period);
create index collection_by_id on collection (operator_id, id desc);
create index collection_of_subscriber on collection (operator_id, subscriber_id, id desc);
create index collection_waiting on collection (due_at) where state = 'waiting';
create index collection_to_see_to on collection (operator_id, id desc) where state in ('refused', 'unknown');

alter table provisioned_item add column renews_at timestamptz, add column renewals integer not null default 0;

alter table payment_batch add column release text not null default 'released'
    check (release in ('released', 'awaiting', 'refused', 'lapsed')),
  add column release_until timestamptz,                -- until when a second person has to approve it
  add column released_by text,
  add column released_at timestamptz,
  add column release_reason text,
  add constraint payment_batch_waits_with_an_end check (release <> 'awaiting' or release_until is not null);

alter table outbound_call drop constraint outbound_call_kind_check;
alter table outbound_call add constraint outbound_call_kind_check
  check (kind in ('key_request', 'download_notice', 'fee_request', 'portion_payment', 'remittance_notice',
                  'identity_check', 'card_check', 'service_registration', 'element_task', 'billing_notice', 'mail_notice',
                  'forward_request', 'server_notice', 'collection')) not valid;

-- Every row of before keeps the wider rule too; to look at them all, nobody has to wait.
-- next transaction
alter table outbound_call validate constraint outbound_call_kind_check;
-- next transaction
create index provisioned_item_renewing on provisioned_item (renews_at) where renews_at is not null and ended_at is null;
-- next transaction
create index payment_batch_awaiting on payment_batch (release_until) where release = 'awaiting';
