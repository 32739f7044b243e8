-- Why: where an operator wants two persons to change its policy, what one of them wants has to be kept until the other agrees. The
-- decision itself is an approval (0042); what would be put in force stands here, with the version that it was made from.
-- Safe beside the release before: a table that it does not know, and a switch of the policy that it takes for none: it lets one person
-- change a policy. Switch it on when all servers are of this release.
create table policy_proposal (
  id           uuid primary key,                      -- the subject of its approval
  operator_id  uuid not null references operator (id),
  from_version integer not null,                      -- in force when it was asked for
  body         jsonb not null,                        -- the whole policy, as in operator_policy
  made_by      text not null,
  made_at      timestamptz not null,
  reason       text
);
