-- Why: where a payment file needs two people, one person alone must not decide where it pays to either: who last changed a manufacturer's
-- account is kept, until somebody else approved a payment to it. Accounts from before count as they did: nobody is known to have changed them.
-- Safe beside the release before: it writes accounts without these columns, and its changes count as accounts from before.
alter table creditor
  add column account_changed_at timestamptz,
  add column account_changed_by jsonb,        -- {person, vouchedBy}; null: whoever has the database (the command line)
  add column account_seen_at    timestamptz;  -- when a second person first approved a payment to it
