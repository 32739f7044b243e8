-- Why: a server knows by heart which SIM is in which handset, also while others work on the same database. So each change
-- of a pair that some server may know is told to all, with the commit: a SIM that left its handset or its network, a number
-- or a name that is another now. What is new is told by nobody: no server knows it yet. Triggers do it, so that no writer can
-- forget it: a server, a command, somebody with SQL. The word holds the first half of the SIM's blind index, no identifier.
-- Safe beside the release before: its writes are told too, and it hears a kind of word that it does not know.

create function note_pair() returns trigger language plpgsql as $$
declare
  whose  uuid;
  of_sim bytea;
begin
  if current_setting('turnup.restoring', true) = 'on' then return null; end if;
  if tg_table_name = 'subscriber' then
    whose := old.operator_id;
    of_sim := old.imsi_index;
  else
    select operator_id, imsi_index into whose, of_sim from subscriber where id = old.subscriber_id;
  end if;
  perform pg_notify('turnup_changed', json_build_object('kind', 'pair', 'operatorId', whose, 'version', 0,
                                                        'detail', encode(substr(of_sim, 1, 8), 'hex'))::text);
  return null;
end $$;

create trigger pairing_changed after update on pairing for each row
  when (old.is_current and (not new.is_current or old.serving_plmn is distinct from new.serving_plmn))
  execute function note_pair();
create trigger pairing_ended after delete on pairing for each row when (old.is_current) execute function note_pair();
create trigger subscriber_changed after update on subscriber for each row
  when ((old.msisdn_index is not null and old.msisdn_index is distinct from new.msisdn_index)
     or (old.gid1 is not null and old.gid1 is distinct from new.gid1)
     or (old.spn is not null and old.spn is distinct from new.spn)
     or (old.iccid_sealed is not null and new.iccid_sealed is null))
  execute function note_pair();
