-- Why: on the telephone a code by SMS alone proved who calls, so that whoever holds a SIM speaks for its owner. A PIN beside it, where
-- one is set: salted and slowly hashed, the hash sealed, with the wrong tries in a row and how long they lock it.
-- Safe beside the release before: a table that it does not know. It asks for no PIN.
create table telephone_pin (
  operator_id uuid not null references operator (id),
  subscriber_id uuid not null references subscriber (id),
  salt bytea not null,
  cost integer not null,                                         -- N of scrypt, as a power of 2
  hash_sealed bytea not null,
  tries integer not null,
  locked_until timestamptz,
  set_at timestamptz not null,
  primary key (operator_id, subscriber_id)
);
