-- Why: who reads which policy held when, and why it was made, found versions without a reason; and an order told by which
-- rules it was judged, but not by which version of them, so that nobody could say what another policy would have decided.
-- Safe beside the release before: it writes versions without a reason and verdicts without a version, which both count as not told.
-- Both columns are empty at first and cost no rewrite.
alter table operator_policy add column reason text;
alter table provisioning_order add column policy_version integer;
