-- Why: keys that a maker made beforehand are kept here, each used up by the one handset that needs it first; a relation says by
-- what a key is asked for, whether it deletes itself, and whether its access points may reach phones without our client.
-- The release before may run beside it until a relation has the key source "stock": that release would make an own key there.
-- It reads none of the new columns, which have what it did as their default.
alter table relation drop constraint relation_key_source_check;
alter table relation add constraint relation_key_source_check check (key_source in ('own', 'maker', 'stock', 'none'));
alter table relation add column key_request_by text not null default 'model_and_imei'
  constraint relation_key_request_by_check check (key_request_by in ('model_and_imei', 'model', 'imei'));
alter table relation add column delete_after_use boolean not null default true;      -- what keys are made with, and asked for with
alter table relation add column key_apns_as_settings boolean not null default false; -- its maker lets a key's access points go as ordinary settings
alter table relation add column key_stock_low integer not null default 20
  constraint relation_key_stock_low_check check (key_stock_low >= 0);                -- so many keys left are told as few

-- Checked for new rows from now on, and for all of them without keeping writers out.
-- next transaction
alter table device_key drop constraint device_key_source_check;
alter table device_key add constraint device_key_source_check check (source in ('own', 'maker', 'stock')) not valid;
-- next transaction
alter table device_key validate constraint device_key_source_check;
-- next transaction
alter table charge drop constraint charge_key_source_check;
alter table charge add constraint charge_key_source_check check (key_source in ('own', 'maker', 'stock')) not valid;
-- next transaction
alter table charge validate constraint charge_key_source_check;

-- next transaction
create table key_batch (
  operator_id   uuid not null references operator,
  id            text not null check (id ~ '^[A-Za-z0-9._:-]{1,64}$'),  -- the maker's own name of it
  make          text not null,
  issuer        text not null,
  digest        bytea not null,                                        -- SHA-256 of its keys: the same name with others is refused
  key_count     integer not null check (key_count > 0),
  imported_by   text not null,
  imported_at   timestamptz not null,
  withdrawn_by  text,
  withdrawn_at  timestamptz,
  primary key (operator_id, id)
);

create table key_stock (
  id            uuid primary key,                                      -- of the key: no two rows, of whichever operator, hold one key
  operator_id   uuid not null,
  batch_id      text not null,
  make          text not null,
  issuer        text not null,
  sealed        bytea not null,                                        -- as its maker signed it, bound to nobody
  not_before    timestamptz not null,
  not_after     timestamptz not null,
  device_id     uuid references device,                                -- the one handset that it is for, since bound_at
  item_id       uuid,                                                  -- of the order that asked for it last
  bound_at      timestamptz,
  withdrawn_at  timestamptz,
  foreign key (operator_id, batch_id) references key_batch,
  constraint key_stock_bound_whole check ((device_id is null) = (bound_at is null))
);
-- What is used up first: what expires first. Only what nobody has stands in it.
create index key_stock_free on key_stock (operator_id, lower(make), not_after, id) where device_id is null and withdrawn_at is null;
create index key_stock_of_device on key_stock (device_id, id) where device_id is not null;
create index key_stock_of_batch on key_stock (operator_id, batch_id);
