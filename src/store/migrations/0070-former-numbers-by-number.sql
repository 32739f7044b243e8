-- Why: who asks when a number last went to another SIM is answered from the rows of those who had it; they were found by subscriber alone.
-- Safe beside the release before: its statements run on the same names, as before. The table has one row a number that moved.

create index former_number_by_number on former_number (operator_id, msisdn_index, lost_at);
