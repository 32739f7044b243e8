-- Why: a registration that is being ended, that nobody ended, or that was never made, is told apart from one that was
-- removed (docs/api.md, cancelling).
-- The release before may run beside it: it writes none of the new states and reads them as ones that are not registered.
alter table registration drop constraint registration_state_check;
alter table registration add constraint registration_state_check
  check (state in ('asked', 'needs_information', 'registered', 'removing', 'removed', 'not_removed', 'refused', 'withheld'));
