-- Why: an import of an operator is looked at before it counts, and can be taken back: its rows are written out of sight, compared with
-- those in use, and go live by a switch; the version before keeps its rows. And the GSMA's own list stands behind what the
-- operator says itself.
-- Safe beside the release before: a staged data set looks retired to it, and what it imports itself is live at once. Where it
-- replaces a data set, the rows of the version before go, and there is nothing to go back to.

alter table dataset add column live_at timestamptz default now();   -- null: staged, never in use yet
alter table dataset add column is_gsma boolean not null default false;
alter table dataset add column import_job uuid;                      -- null: not by a job
update dataset set live_at = loaded_at;
