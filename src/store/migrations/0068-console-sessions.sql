-- Why: people work in a browser, where a token has no safe place. They show it once and get a session: a cookie that scripts cannot
-- read, of which the hash stands here, that ends when it lies idle, when its time is over, when somebody ends it, or with its token.
-- `turnup start` prints a link that opens one once, so that nobody has to copy a token.
-- Safe beside the release before: two tables that it does not know.
create table console_session (
  id           uuid primary key,
  operator_id  uuid not null references operator (id),
  token_id     uuid not null references api_token (id) on delete cascade,
  hash         bytea not null unique,                 -- SHA-256 of the cookie
  browser      text not null,                         -- as its User-Agent says, cut short
  created_at   timestamptz not null,
  last_seen_at timestamptz not null,                  -- to the minute
  ended_at     timestamptz,
  ended_by     text                                   -- the label of whoever ended it
);
create index console_session_of_operator on console_session (operator_id, id);
create index console_session_of_token on console_session (token_id);

create table sign_in_link (
  hash       bytea primary key,                       -- SHA-256 of what stands in the link
  token_id   uuid not null references api_token (id) on delete cascade,
  made_at    timestamptz not null,
  expires_at timestamptz not null,
  spent_at   timestamptz
);
create index sign_in_link_of_token on sign_in_link (token_id);
