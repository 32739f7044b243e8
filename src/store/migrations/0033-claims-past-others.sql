-- Why: an operator that has enough of its messages on their way, at its rate or while its centres are away, is passed over by the
-- claim. By due time alone, each claim for the others reads all that it has due, for as long as it has it.
-- Safe beside the release before, whose claim does not use the index. The build reads the table once, and writes to it wait
-- as long; what is not due has no entry.
create index message_due_of_operator on message (operator_id, due_at) where due_at is not null;
