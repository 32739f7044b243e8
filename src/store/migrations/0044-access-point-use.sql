-- Why: an access point that an operator's own SIMs use is surer than what volunteers collected, and one that fails for them again and
-- again is to lose its place. One row an access point of a network and a group of its SIMs, written once a minute by each server and
-- merged: no row a session. SIMs are counted by sketches of 256 octets (HyperLogLog over keyed hashes), which name nobody.
-- Safe beside the release before: a new table that it does not know.
create table access_point_use (
  operator_id uuid not null references operator (id),
  plmn text not null,                                            -- home network of the SIMs, MCC and MNC run together
  spn text not null,                                             -- as sightings said it; empty where none did
  gid1 text not null,
  apn text not null,                                             -- in lower case
  used_by bytea not null,                                        -- sketch of the SIMs that were seen to use it
  sessions bigint not null default 0,
  first_seen_at timestamptz,
  last_seen_at timestamptz,
  failed_for bytea not null,                                     -- sketch of the SIMs for which it failed
  failures bigint not null default 0,
  last_failed_at timestamptz,
  last_failure text,
  primary key (operator_id, plmn, spn, gid1, apn)
);
