-- Why: a manufacturer's portion is paid to a payable creditor (US 11,109,201 claims 7 and 19). What is known of its account, the
-- payment files that were made, each transfer in them with what the bank said of it, what a side disputes; and a manufacturer's
-- token says which make it speaks for, so that it reads its own statement and no other.
-- Safe beside the release before: new tables, columns with defaults. That release pays every portion through the payment
-- system, as before; a portion that it asked for stands in outbound_call and goes into no file.

alter table relation add column portion_paid_by text not null default 'payment_system'
  check (portion_paid_by in ('payment_system', 'payment_file'));
alter table api_token add column make text;            -- of role maker: whose statement it reads

create table creditor (                                -- account data of a manufacturer; of the payer itself where make is null
  id             uuid primary key,
  operator_id    uuid not null references operator,
  make           text,                                 -- as the catalog spells it
  sealed         bytea not null,                       -- name, account, bank, address, reference
  masked         text not null,                        -- what is shown of the account
  made_by        text not null,
  made_at        timestamptz not null
);
create unique index creditor_once on creditor (operator_id, lower(coalesce(make, '')));

create table payment_batch (                           -- one payment file; its octets never change
  id             uuid primary key,
  operator_id    uuid not null references operator,
  execution_date date not null,
  transfer_count integer not null check (transfer_count > 0),
  payer_masked   text not null,
  file_sealed    bytea not null,                       -- it holds the account numbers
  file_sha256    bytea not null,
  file_octets    integer not null,
  made_by        text not null,
  made_at        timestamptz not null
);
create index payment_batch_by_id on payment_batch (operator_id, id desc);

create table payment_transfer (                        -- to one creditor, in one currency
  id             uuid primary key,
  operator_id    uuid not null,
  batch_id       uuid not null references payment_batch,
  make           text not null,
  currency       text not null check (currency ~ '^[A-Z]{3}$'),
  amount_minor   bigint not null check (amount_minor > 0),
  booked_minor   bigint not null default 0 check (booked_minor between 0 and amount_minor),
  booked_by      text check (booked_by in ('status', 'movement')), -- the bank's word alone, or an entry on the account
  end_to_end_id  text not null,
  payment_info_id text not null,
  reference      text not null,                        -- what the creditor finds it by
  creditor_masked text not null,
  state          text not null check (state in ('exported', 'accepted', 'partly_booked', 'booked', 'rejected', 'returned', 'partly_returned', 'cancelled')),
  reason         text not null,
  next_action    text not null,
  owner          text not null,                        -- who has to see to it
  deadline_at    timestamptz,                          -- null in a final state
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  unique (operator_id, end_to_end_id),
  constraint transfer_never_stands_still
    check ((deadline_at is null) = (state in ('booked', 'rejected', 'returned', 'cancelled')))
);
create index payment_transfer_of_batch on payment_transfer (batch_id);
create index payment_transfer_of_info on payment_transfer (operator_id, payment_info_id);
create index payment_transfer_waiting on payment_transfer (operator_id, deadline_at) where deadline_at is not null;

create table payment_line (                            -- what a transfer pays, and what is set off against it
  id             uuid primary key,
  operator_id    uuid not null,
  transfer_id    uuid not null references payment_transfer,
  charge_id      uuid not null references charge,
  dispute_id     uuid,                                 -- of a set-off: the dispute that took the portion back
  position       integer not null,
  amount_minor   bigint not null check (amount_minor <> 0),
  booked_minor   bigint not null default 0,            -- of its amount; the rest of a line that is settled was set off
  live           boolean not null,                     -- false: the transfer came to nothing, and the line is free again
  constraint set_off_is_negative check ((amount_minor < 0) = (dispute_id is not null))
);
create index payment_line_of_transfer on payment_line (transfer_id, id);
-- No portion is paid twice, and none is set off twice, whoever makes files at the same moment.
create unique index payment_line_once on payment_line (charge_id) where live and dispute_id is null;
create unique index payment_line_set_off_once on payment_line (dispute_id) where live and dispute_id is not null;

create table bank_entry (                              -- what a bank said, once
  id             uuid primary key,
  operator_id    uuid not null references operator,
  entry_key      text not null,
  source         text not null,                        -- camt.054, camt.053, pain.002
  end_to_end_id  text,
  transfer_id    uuid references payment_transfer,
  amount_minor   bigint,
  currency       text,
  direction      text check (direction in ('debit', 'credit')),
  booked_on      date,
  outcome        text not null,
  reason         text not null,
  file_sha256    bytea not null,
  imported_by    text not null,
  imported_at    timestamptz not null,
  unique (operator_id, entry_key)
);
create index bank_entry_by_id on bank_entry (operator_id, id desc);
create index bank_entry_of_transfer on bank_entry (transfer_id) where transfer_id is not null;

create table dispute (                                 -- of one line of a statement
  id             uuid primary key,
  operator_id    uuid not null references operator,
  posting_id     uuid not null references posting,
  charge_id      uuid not null references charge,
  make           text not null,
  raised_by      text not null check (raised_by in ('maker', 'operator')),
  raised_as      text not null,                        -- the token's label
  reason         text not null,
  state          text not null check (state in ('open', 'kept', 'reversed')),
  owner          text not null,                        -- who has to decide it
  deadline_at    timestamptz,                          -- null when decided
  decided_by     text,
  decision       text,
  decided_at     timestamptz,
  claims_back    boolean not null default false,       -- the portion had been paid: it is set off against the next transfer
  created_at     timestamptz not null,
  constraint dispute_never_stands_still check ((deadline_at is null) = (state <> 'open'))
);
create index dispute_by_id on dispute (operator_id, id desc);
create unique index dispute_open_once on dispute (posting_id) where state = 'open';
create unique index dispute_reversed_once on dispute (posting_id) where state = 'reversed';
create index dispute_due on dispute (deadline_at) where deadline_at is not null;
create index dispute_of_charge on dispute (charge_id);
create index dispute_of_make on dispute (operator_id, lower(make)) where state = 'open' or claims_back;

-- A statement reads one account by time.
-- next transaction
create index posting_of_debit on posting (operator_id, debit, id);
-- next transaction
create index posting_of_credit on posting (operator_id, credit, id);
-- Portions that wait to be paid.
-- next transaction
create index charge_unpaid on charge (operator_id, lower(make), id) where state = 'paid';
