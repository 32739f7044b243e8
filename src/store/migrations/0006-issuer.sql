-- Why: several servers on one database sign device keys of the own store as one, since phones trust one public key: the
-- private half stands here, sealed, and is made once (app/own-issuer.ts). And what the IMEI-tracking applet tells of its
-- home is kept with what it reported.
-- Safe beside the release before: a new table and a new column that it does not know. That release signs with the file
-- own-issuer.pem of its data folder, which the first server of this release takes over.

create table own_issuer (
  only_one            boolean primary key default true check (only_one),
  private_key_sealed  bytea not null,                 -- PKCS #8, domain "issuer"
  made_at             timestamptz not null default now()
);

alter table sighting add column applet_home text check (applet_home in ('sim', 'uicc', 'esim'));
