-- Why: which applications of a handset did their work again after it was provisioned is told by who saw it (US 11,109,201,
-- figure 3:350 and claims 10, 13), each once an item: what was seen already is not booked a second time.
-- Safe beside the release before: a column with a default that it does not write.

alter table order_item add column applications_seen text[] not null default '{}'; -- seen to work over one of `apns`: application@server
