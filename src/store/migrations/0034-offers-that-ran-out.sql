-- Why: a value that somebody gave for an offer by SMS stayed sealed when the offer ran out without an answer. It is forgotten with its
-- offer now; this finds the few that hold one.
-- Safe beside the release before: an index.

create index offer_given on offer (expires_at) where given_sealed is not null;
