-- Why: an operator keeps lists of handsets by the API, and every server answers its cores by them within a second. An entry names a
-- handset, so it is sealed, and found by its blind index; what it was before stays for a while, so that a list can be put back. Large
-- files are staged out of sight, compared with what is in force, and go live as a whole.
-- Safe beside the release before: tables that it does not know; it answers by its files alone.
create table equipment_list (
  id             uuid primary key,
  operator_id    uuid not null references operator (id),
  name           text not null,
  status         text not null check (status in ('white', 'grey', 'black')),
  priority       integer not null check (priority >= 0),
  reason         text not null,                        -- why a handset stands in it: lost or stolen, fraud, faulty
  exchange       jsonb,                                -- how files of a registry look that belong to it
  version        integer not null default 0,           -- of its entries: one more with each change
  oldest_version integer not null default 0,           -- the first that can be put back
  entries        integer not null default 0,
  made_at        timestamptz not null,
  changed_at     timestamptz not null,
  changed_by     text not null
);
create unique index equipment_list_by_name on equipment_list (operator_id, name);
create unique index equipment_list_by_priority on equipment_list (operator_id, priority);

create table equipment_entry (
  list_id     uuid not null references equipment_list (id) on delete cascade,
  entry_index bytea not null,                          -- blind index of the handset, range or model
  body_index  bytea not null,                          -- of all that the entry says
  sealed      bytea not null,
  owner       text,                                    -- organisation in whose name a registry's file put it there
  added_in    integer not null,                        -- version of the list
  removed_in  integer,                                 -- null: in force
  removed_at  timestamptz,
  primary key (list_id, entry_index, added_in)
);
create unique index equipment_entry_in_force on equipment_entry (list_id, entry_index) where removed_in is null;
create index equipment_entry_added on equipment_entry (list_id, added_in);
create index equipment_entry_removed on equipment_entry (list_id, removed_in) where removed_in is not null;

create table equipment_version (
  list_id uuid not null references equipment_list (id) on delete cascade,
  version integer not null,
  made_at timestamptz not null,
  made_by text not null,
  reason  text not null,
  added   integer not null,
  changed integer not null,
  removed integer not null,
  entries integer not null,                            -- afterwards
  primary key (list_id, version)
);

create table equipment_staged (
  stage_id    uuid not null,
  entry_index bytea not null,
  body_index  bytea not null,
  sealed      bytea not null,
  owner       text,
  is_removal  boolean not null,
  is_wide     boolean not null,                        -- more handsets than a model has serial numbers
  line        integer not null,
  staged_at   timestamptz not null,
  primary key (stage_id, entry_index)
);

-- Whether the operator's cores hear that a handset is black: off, nobody is refused, on all servers within a second.
create table equipment_switch (
  operator_id   uuid primary key references operator (id),
  answers_black boolean not null,
  reason        text not null,
  changed_by    text not null,
  changed_at    timestamptz not null
);

create trigger equipment_list_changed after insert or update or delete on equipment_list
  for each row execute function note_change('equipment');
create trigger equipment_switch_changed after insert or update or delete on equipment_switch
  for each row execute function note_change('equipment');
