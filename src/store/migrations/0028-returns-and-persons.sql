-- Why: a direct debit that was taken comes back days or weeks later, as a card payment does (the R-transactions of the SEPA rulebooks):
-- each return is kept, whoever told it and whether or not it is known which sum it takes back, and books once. What subscribers owe
-- and paid stands in postings, as a key's fee does. And two tokens may be one person's: a token says whose it is, so that four eyes
-- are four eyes.
-- Safe beside the release before: columns that may be empty or have defaults, wider checks, new tables. That release lists the posting
-- of a subscriber's sum without its charge, and tells persons by their labels alone: let no payment file wait while it still runs.

alter table api_token add column person text,         -- whose it is; null: nobody said
  add column vouched_by text[] not null default '{}'; -- who made the token by a token of their own, and who made that one
alter table payment_batch add column made_by_person text,
  add column made_by_vouched text[] not null default '{}',
  add column released_by_person text;

alter table collection add column card_token text,    -- what paid, as the payment provider calls it
  add column returned_minor bigint not null default 0,
  add column return_code text,                         -- why it came back: AM04, AC04, MD06
  add column returned_at timestamptz,
  add column ends_means boolean not null default false; -- the account is closed, or nobody may collect from it any more
alter table collection drop constraint collection_state_check, drop constraint collection_never_stands_still;
alter table collection add constraint collection_state_check
  check (state in ('asked', 'waiting', 'taken', 'refused', 'unknown', 'partly_returned', 'returned')) not valid;
alter table collection add constraint collection_never_stands_still
  check ((deadline_at is null) = (state in ('taken', 'refused', 'unknown', 'partly_returned', 'returned'))) not valid;
alter table collection add constraint collection_returned_check check (returned_minor between 0 and amount_minor) not valid;

alter table posting alter column charge_id drop not null, add column collection_id uuid references collection;
alter table posting add constraint posting_books_one_thing check ((charge_id is null) <> (collection_id is null)) not valid;

create table collection_return (                       -- a sum that came back, as it was told
  id             uuid primary key,
  operator_id    uuid not null references operator,
  entry_key      text not null,
  source         text not null check (source in ('payment_provider', 'camt.054', 'camt.053')),
  kind           text not null check (kind in ('return', 'chargeback')),
  named          text[] not null,                      -- what the teller calls the sum: our own id, the payment provider's number
  collection_id  uuid references collection,           -- null as long as nobody knows which
  amount_minor   bigint,                               -- null where what was told is none of its currency
  currency       text,
  code           text,                                 -- ISO 20022 external return reason, or the card scheme's
  returned_on    date,
  outcome        text not null check (outcome in ('booked', 'confirmed', 'unknown', 'mismatch', 'conflict', 'settled')),
  reason         text not null,
  told_by        text not null,
  told_at        timestamptz not null,
  unique (operator_id, entry_key)
);
create index collection_return_by_id on collection_return (operator_id, id desc);
create index collection_return_of on collection_return (collection_id) where collection_id is not null;
create index collection_return_to_see_to on collection_return (operator_id, id desc) where outcome in ('unknown', 'mismatch', 'conflict');

create table collection_return_asking (                -- how far an operator's payment provider was asked for returns
  operator_id    uuid primary key references operator,
  cursor         text,                                 -- the provider's own; null: from the beginning
  due_at         timestamptz not null,
  asked_at       timestamptz,
  failure        text                                  -- null where it answered
);

-- next transaction
alter table collection validate constraint collection_state_check;
-- next transaction
alter table collection validate constraint collection_never_stands_still;
-- next transaction
alter table collection validate constraint collection_returned_check;
-- next transaction
alter table posting validate constraint posting_books_one_thing;
-- next transaction
create index posting_of_collection on posting (collection_id) where collection_id is not null;
-- next transaction
drop index collection_to_see_to;
-- next transaction
create index collection_to_see_to on collection (operator_id, id desc) where state in ('refused', 'unknown', 'partly_returned', 'returned');
-- next transaction
create index collection_by_reference on collection (operator_id, reference) where reference is not null;
