-- Why: a virtual operator's SIMs look like its host's where no more than an IMSI is seen, so that shipped, unconfirmed
-- access points sent them the host's APN, user and password under the virtual operator's name. From this release on only
-- a host (`mno`) may switch them on. A payload remembers whether it holds such points: what was composed before the switch
-- went off, and waits or is sent again, does not go out after it (kernel/order/unconfirmed.ts).
-- Safe beside the release before: a column with a default, and policies that it obeys too. What it composes meanwhile for a
-- host counts as confirmed; stop it before a host switches its policy off.

alter table payload add column unconfirmed boolean not null default false; -- access points that nobody confirmed stand in it

-- A person's word in a stored policy counts no longer where the operator is no host; so does the former default.
with latest as (
  select distinct on (o.id) o.id, o.kind, p.version, p.body
    from operator o left join operator_policy p on p.operator_id = o.id
   order by o.id, p.version desc nulls last),
off as (
  insert into operator_policy (operator_id, version, body, made_by)
  select id, coalesce(version, 0) + 1, coalesce(body, '{}') || '{"sendUnconfirmed": false}', 'migration 0012'
    from latest
   where kind <> 'mno' and coalesce((body ->> 'sendUnconfirmed')::boolean, true)
  returning operator_id, version)
insert into audit (id, operator_id, actor, action, subject, detail)
select encode(overlay(uuid_send(gen_random_uuid()) placing
              substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 'hex')::uuid,
       l.id, 'migration 0012', 'policy.put',
       coalesce('version ' || off.version, 'the shipped policy'),
       jsonb_build_object('sendUnconfirmed', false, 'why',
         case when l.kind = 'mno'
           then 'shipped, unconfirmed access points are sent no longer unless the policy says so: confirm them by adding your own, or set sendUnconfirmed to true'
           else 'an operator of kind ' || l.kind || ' sends access points of its own only: orders without one wait for it' end)
  from latest l left join off on off.operator_id = l.id
 where off.operator_id is not null or (l.kind = 'mno' and l.version is null);

-- What went out so far, looked at after the policies, so that nothing is composed behind it. By messages: a payload does not
-- name its order. An order that the network opened noted it; a request did not, and had own points to send or had not.
-- next in batches of message
update payload p set unconfirmed = true
  from message m join provisioning_order o on o.id = m.order_id
 where m.id > $1 and m.id <= $2 and m.payload_id = p.id and not p.unconfirmed and m.kind in ('settings', 'package', 'link')
   and (exists (select from order_event e where e.order_id = o.id and e.kind = 'order_provisioning'
                                            and e.detail ->> 'confirmed' = 'false')
     or (exists (select from request r where r.order_id = o.id)
         and not exists (select from access_point a where a.operator_id = o.operator_id and a.made_at <= m.created_at
                                                      and (a.retired_at is null or a.retired_at > m.created_at))));

-- Pages with such points are closed: what they show is sealed, and no statement can tell.
-- next in batches of link
update link l set expires_at = now()
  from operator o
 where l.id > $1 and l.id <= $2 and o.id = l.operator_id and o.kind <> 'mno' and l.expires_at > now()
   and exists (select from message m join payload p on p.id = m.payload_id where m.order_id = l.order_id and p.unconfirmed);
