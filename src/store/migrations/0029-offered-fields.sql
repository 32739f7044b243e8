-- Why: what an offer by SMS still lacks (the number that calls are to go to) can be given by SMS. It is read back and waits for a yes,
-- sealed, and is forgotten with the answer. Texts that gave it are told apart from those that nobody understood.
-- Safe beside the release before: an empty column and a wider check. That release takes a yes to such an offer for one without fields,
-- and refuses it: make offers of items that ask for something once all servers are of this release.

alter table offer add column given_sealed bytea;
alter table text_reply drop constraint text_reply_read_as_check;
alter table text_reply add constraint text_reply_read_as_check
  check (read_as in ('accept', 'decline', 'stop', 'start', 'field', 'unclear'));
