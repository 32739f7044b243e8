-- Why: an iPhone gets its settings as a configuration profile from the page behind a link; that it was downloaded is evidence, booked
-- once for each link. Safe beside the release before, which neither reads nor writes the column; none of the rows is rewritten.
alter table link add column downloaded_at timestamptz;
