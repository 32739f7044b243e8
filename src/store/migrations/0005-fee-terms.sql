-- Why: what a key costs is what was agreed when it was asked for or issued. A relation may change before the key reaches
-- the level that its fee hangs on, and the key's own terms must stand beside it until then.
-- Safe beside the release before: a new column that it does not know; a key of its making is charged as it did before.

alter table order_item add column fee_terms jsonb;      -- kernel/settlement/charge.ts gives its shape; null without a key
