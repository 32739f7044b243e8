-- Why: messages, their parts and payloads grow with every phone, and were never put away. The months of 0037 do not fit them: a
-- message is written once per key (operator, key), and PostgreSQL's unique keys cannot span partitions, nor could the release before
-- go on with its `on conflict` on a table of months. So what nothing can come for any more moves, in batches, into one narrow row of
-- `past_message`, a table of months with its parts and its payload in it (store/retention/put-away.ts); a month of it is dropped as a
-- whole when its time is over. An order that somebody takes up again has its messages brought back first: `messages_away` says so.
-- The keys of messages without an order outlive them in `message_key`: a digest, since people put numbers into keys.
-- Safe beside the release before: nothing moves while one of its servers works here (`reads_past` of its row is false). Who goes back
-- to it for good does not see what was put away; a text that it is given again it does not send again, by the trigger.

create table past_message (                           -- message, its parts, its payload
  id                 uuid not null,
  operator_id        uuid not null,
  order_id           uuid,
  subscriber_id      uuid,
  destination_sealed bytea,
  destination_index  bytea,
  payload_id         uuid,
  kind               text not null,
  idempotency_key    text not null,
  reference          integer not null,
  part_count         integer not null,
  state              text not null,
  reason             text not null,
  attempts           integer not null,
  expires_at         timestamptz not null,
  created_at         timestamptz not null,
  updated_at         timestamptz not null,
  leased_by          integer,
  is_unasked         boolean not null,
  number_lost_at     timestamptz,
  parts              jsonb,                           -- rows of message_part without the message's id, by sequence
  sealed             bytea,                           -- from here on: of payload, or of the message where that held it itself
  octets             integer,
  protocol           text,
  sec                text,
  unconfirmed        boolean not null default false,
  bearer             text,
  channel            text,
  channel_rule       text,
  part_octets        integer,
  payload_at         timestamptz,
  constraint past_message_pkey primary key (id)
) partition by range (id);
create table past_message_default partition of past_message default;
create index past_message_by_id on past_message (operator_id, id desc);
create index past_message_of_order on past_message (order_id) where order_id is not null;
create index past_message_of_subscriber on past_message (subscriber_id) where subscriber_id is not null;

create table message_key (                            -- of messages without an order that were put away, or soon are
  operator_id uuid not null,
  digest      bytea not null,                         -- the first 16 octets of SHA-256 of the key
  message_id  uuid not null,
  kept_at     timestamptz not null default now(),
  constraint message_key_pkey primary key (operator_id, digest)
);
create index message_key_by_age on message_key (message_id);

create function message_key_digest(key text) returns bytea language sql immutable as $$
  select substring(sha256(convert_to(key, 'UTF8')) for 16)
$$;

-- What a server of the release before writes, which does not ask for such keys: as on conflict do nothing.
create function skip_past_key() returns trigger language plpgsql as $$
begin
  if exists (select from message_key k where k.operator_id = new.operator_id and k.digest = message_key_digest(new.idempotency_key)
                and k.message_id <> new.id) then -- a restored row comes with its own
    return null;
  end if;
  return new;
end $$;

-- By what handset and traffic prove: whether an item's message was taken up, where both were put away. PL/pgSQL, so that its months
-- are not opened by each statement that seldom asks.
create function was_sent_long_ago(item_message uuid, of_order uuid) returns boolean language plpgsql stable as $$
begin
  return item_message is not null and exists (
    select from past_message c join past_message m on m.order_id = of_order and m.payload_id = c.payload_id
     where c.id = item_message and (m.leased_by is not null or m.parts is not null));
end $$;

alter table node add column reads_past boolean not null default false; -- its release finds what was put away

alter table monthly_statistic drop constraint monthly_statistic_kind_check,
  add constraint monthly_statistic_kind_check check (kind in ('sightings', 'events', 'audit', 'messages'));
alter table retention_sweep drop constraint retention_sweep_kind_check,
  add constraint retention_sweep_kind_check check (kind in ('sightings', 'events', 'audit', 'messages'));

-- next transaction
alter table provisioning_order add column messages_away boolean not null default false;

-- next transaction
create trigger message_skips_past_key before insert on message
  for each row when (new.order_id is null and new.payload_id is not null) execute function skip_past_key();
