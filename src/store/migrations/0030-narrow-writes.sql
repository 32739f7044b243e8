-- Why: a phone that is turned up writes some fifty rows, and each row is written once more for every index of its table that
-- the change touches. These indexes no statement reads: an item is looked for by its order, its key or its id, a key by its
-- id or its reference, and what stands on an account is found by posting_of_debit and posting_of_credit, which begin with the
-- same columns. And a reference to the operator locks the operator's one row for each subscriber, handset and order that is
-- written, so that all writers share that lock (a multixact) and write it down again and again. An operator is never deleted,
-- and what is written for one was let in by a token of its own. A part is written for a message whose row the same
-- transaction holds, and for no other (store/orders/message-rows.ts).
-- Safe beside the release before: it reads none of these indexes, and checks nothing by these references.

drop index order_item_of_message;

-- next transaction
drop index device_key_of_device;

-- next transaction
drop index posting_by_debit;

-- next transaction
drop index posting_by_credit;

-- next transaction
alter table subscriber drop constraint subscriber_operator_id_fkey;

-- next transaction
alter table device drop constraint device_operator_id_fkey;

-- next transaction
alter table provisioning_order drop constraint provisioning_order_operator_id_fkey;

-- next transaction
alter table message_part drop constraint message_part_message_id_fkey;

-- Room in each page for the next version of its rows: their changes touch no index, so they need not leave the page.
-- next transaction
alter table message_part set (fillfactor = 70);

-- next transaction
alter table device_key set (fillfactor = 70);
