-- Why: message centres have words of their own for what became of a message, and some send one receipt for all parts of it. The
-- word stays as evidence beside the state that was read from it, and a receipt that speaks for its whole message says so.
-- Safe beside the release before: columns that may be empty, or with a default that it does not write.

alter table message_part add column reported_state text;                            -- the centre's word, where it is not SMPP's
alter table message_part add column speaks_for_message boolean not null default false; -- its centre sends one receipt a message
alter table unmatched_receipt add column reported_state text;
alter table unmatched_receipt add column speaks_for_message boolean not null default false;
