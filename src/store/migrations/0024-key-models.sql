-- Why: a maker's batch may be for some of its models alone (US 11,109,201, figure 2): its keys are given to handsets of those and to no
-- other, and a handset gets a key that is for its model before one that is for all.
-- The release before may run beside it until a batch that names models is imported: it would give such a key to any handset of the make.
-- It finds free keys by another index then, which is slower.
alter table key_batch add column models text[] not null default '{}'; -- make/model, make/prefix*; none is for all models

-- Keys are looked for within the batches that fit the handset's model, what expires first before the rest.
-- next transaction
create index key_stock_free_of_batch on key_stock (operator_id, batch_id, not_after, id) where device_id is null and withdrawn_at is null;
-- next transaction
drop index key_stock_free;
