-- Why: a text of the API was two rows, its payload and its message, and PostgreSQL looked for the first once more while it wrote the
-- second. Nothing else ever names such a payload: it is in the message itself from this release on, which makes it one row, and
-- `payload` keeps what several messages of an order share. A payload is written with its first message in one transaction and
-- never deleted while a message names it, so that the reference is no longer checked a row.
-- Beside the release before: what that writes is read as before. A text of this release that waits for its turn it leases, finds
-- nothing to send, and gives back after seconds; so such a text waits until a server of this release claims it, and that one's list
-- leaves it out. Nothing is lost, nothing is sent twice.

alter table message add column sealed bytea; -- of a text of the API: its octets; of all others they are in payload
alter table message add column octets integer;

-- next transaction
alter table message alter column payload_id drop not null;

-- next transaction
alter table message drop constraint message_payload_id_fkey;

-- next transaction
alter table message add constraint message_has_content check (payload_id is not null or (sealed is not null and octets is not null)) not valid;

-- next transaction
alter table message validate constraint message_has_content;
