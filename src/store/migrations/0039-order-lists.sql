-- Why: orders are listed by more than their creation, and a list by model alone read a million rows. Each index here serves
-- lists that the ones it takes the place of did not (store/orders/order-list.ts), and each costs every phone its entries:
--
--   by_standing  (state, cause, verdict)  created with any of them, and with none: in place of by_id and by_state;
--                                         state, cause, verdict; the counts by state
--   by_phone     (make, model)            created with make, model or both; make, model: in place of by_make
--   by_deadline  (state, deadline)        deadline; an order that is over has no entry
--   by_update    (state, five minutes)    updated: equal keys share an entry, and a change within five minutes of the last one
--                                         changes none of its columns, so it does not stand in the way of an update in place
--   by_attempts  (sends)                  attempts, attemptsFrom: what was sent once has no entry
--
-- `sends` is those of that of an order's items which was sent most often; `attempts` beside it was never written, and goes later.
-- Safe beside the release before: a trigger keeps the slot for whoever does not write it, and its lists are right, slower
-- where they ran on an index that went. What it sends again meanwhile counts with the next change by this release.

alter table provisioning_order add column updated_slot timestamptz, add column sends integer not null default 0;

create function keep_updated_slot() returns trigger language plpgsql as $$
begin
  new.updated_slot := date_bin('5 minutes', new.updated_at, timestamptz '2000-01-01T00:00:00Z');
  return new;
end $$;

create trigger provisioning_order_slot before insert or update of updated_at on provisioning_order for each row
  when (new.updated_slot is distinct from date_bin('5 minutes', new.updated_at, timestamptz '2000-01-01T00:00:00Z'))
  execute function keep_updated_slot();

-- next in batches of provisioning_order
update provisioning_order o
   set updated_slot = date_bin('5 minutes', o.updated_at, timestamptz '2000-01-01T00:00:00Z'),
       sends = coalesce((select max(i.attempt) from order_item i where i.order_id = o.id), 0)
 where o.id > $1 and o.id <= $2;

-- next transaction
create index provisioning_order_by_standing on provisioning_order (operator_id, state, cause, verdict, id);

-- next transaction
create index provisioning_order_by_phone on provisioning_order (operator_id, make, model, id);

-- next transaction
create index provisioning_order_by_deadline on provisioning_order (operator_id, state, deadline_at, id) where deadline_at is not null;

-- next transaction
create index provisioning_order_by_update on provisioning_order (operator_id, state, updated_slot);

-- next transaction
create index provisioning_order_by_attempts on provisioning_order (operator_id, sends, id) where sends > 1;

-- next transaction
drop index provisioning_order_by_id;

-- next transaction
drop index provisioning_order_by_state;

-- next transaction
drop index provisioning_order_by_make;
