-- Why: services are replaced as features are (US 6,647,260, claim 6), and what was given for an item, such as the number that
-- calls are forwarded to, can be changed later: so it is kept, sealed, beside what is had. A registration that takes over
-- another one at the same service server goes on under the id that this server knows it by, and the former one is `replaced`.
-- Safe beside the release before: new columns without a value, and a wider check. The release before takes no call of the
-- action `restore` and leaves such a one given up; replace services once all servers are of this release.

alter table provisioned_item add column given_sealed bytea;
alter table registration add column registered_as uuid;   -- null: its own id

alter table registration drop constraint registration_state_check;
alter table registration add constraint registration_state_check
  check (state in ('asked', 'needs_information', 'registered', 'removing', 'removed', 'not_removed', 'refused', 'withheld',
                   'replaced')) not valid;

-- next transaction
alter table registration validate constraint registration_state_check;
