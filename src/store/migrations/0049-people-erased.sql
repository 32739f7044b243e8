-- Why: people whose SIM no network has seen for as long as their operator keeps people (`retention.people`), and those who ask for it, are
-- erased: their rows go, or what names them in rows that stay (store/retention/erase-people.ts). A subscriber who was erased keeps
-- a row with an unlinkable number, so that orders and counts add up; `erased_at` says since when. Texts of the API are found by the
-- number that they went to, by its blind index, from this release on.
-- Safe beside the release before: to that an erased subscriber is one whom no network ever sees again; the texts that it writes are
-- found by no number, and go with their month.

alter table subscriber add column erased_at timestamptz;

create index past_message_to on past_message (operator_id, destination_index) where destination_index is not null;

alter table monthly_statistic drop constraint monthly_statistic_kind_check,
  add constraint monthly_statistic_kind_check check (kind in ('sightings', 'events', 'audit', 'messages', 'people'));
alter table retention_sweep drop constraint retention_sweep_kind_check,
  add constraint retention_sweep_kind_check check (kind in ('sightings', 'events', 'audit', 'messages', 'people'));
