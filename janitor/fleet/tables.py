"""Our tables in the fleet's PostgreSQL, as steps: each is made once, in order, and never edited after a release.

They stand in a schema of their own, with those of Procrastinate. What hosts compare, as heartbeats, is by the clock of
the database; what belongs to a night is by the clock of who writes it. No secret is in any of them.
"""

FLEET = """
CREATE TABLE accounts (
    account text PRIMARY KEY,
    shard integer NOT NULL,
    epoch bigint NOT NULL,
    recorded_epoch bigint NOT NULL DEFAULT 0,
    last_run bigint NOT NULL DEFAULT 0,
    last_exemption bigint NOT NULL DEFAULT 0,
    exempted_at timestamptz,
    worker text NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE accounts IS 'who has an account: the epoch counts the takings, the recorded one is in its file, too';

CREATE TABLE reached (
    account text PRIMARY KEY,
    api text NOT NULL,
    project text NOT NULL,
    endpoint text NOT NULL,
    images text[] NOT NULL,
    since timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
);
CREATE INDEX reached_projects ON reached (project);
CREATE INDEX reached_images ON reached USING gin (images);
COMMENT ON TABLE reached IS 'what each account reaches, so that no two clean the same';
COMMENT ON COLUMN reached.images IS 'digests of some of its own images';

CREATE TABLE workers (
    worker text PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    state text NOT NULL,
    serves integer[] NOT NULL DEFAULT '{}',
    refuses integer[] NOT NULL DEFAULT '{}',
    draining boolean NOT NULL DEFAULT false,
    started_at timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN workers.state IS 'its folder of shards';
COMMENT ON COLUMN workers.serves IS 'the shards that it may lease: it wants them, and has their files';
COMMENT ON COLUMN workers.refuses IS 'the shards that it wants, but has not the files of';

CREATE TABLE shards (
    shard integer PRIMARY KEY,
    worker text,
    epoch bigint NOT NULL DEFAULT 0,
    leased_at timestamptz,
    place text,
    marker text
);
COMMENT ON COLUMN shards.place IS 'host and folder of its last lease';
COMMENT ON COLUMN shards.marker IS 'what its folder holds in shard.json since its first lease';

CREATE TABLE nights (
    night date PRIMARY KEY,
    begun_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    reserved integer NOT NULL DEFAULT 0,
    claimed_by text,
    claimed_at timestamptz,
    summed_up_at timestamptz,
    told boolean NOT NULL DEFAULT false
);
COMMENT ON COLUMN nights.reserved IS 'deletions of all accounts that may still happen or did';

CREATE TABLE outcomes (
    night date NOT NULL REFERENCES nights ON DELETE CASCADE,
    account text NOT NULL,
    shard integer NOT NULL,
    digest text NOT NULL,
    state text NOT NULL,
    epoch bigint NOT NULL DEFAULT 0,
    attempt integer NOT NULL DEFAULT 0,
    worker text,
    started_at timestamptz,
    finished_at timestamptz,
    exit_code integer,
    mode text,
    counts jsonb NOT NULL DEFAULT '{}',
    bytes bigint,
    money numeric,
    would_bytes bigint,
    would_money numeric,
    currency text,
    said text,
    report text,
    PRIMARY KEY (night, account)
);
COMMENT ON COLUMN outcomes.counts IS 'what is not in it is not known';
CREATE INDEX outcomes_of_account ON outcomes (account, night);

CREATE TABLE reservations (
    night date NOT NULL REFERENCES nights ON DELETE CASCADE,
    account text NOT NULL,
    epoch bigint NOT NULL,
    deletions integer NOT NULL,
    given_back integer NOT NULL DEFAULT 0,
    PRIMARY KEY (night, account, epoch),
    CHECK (given_back BETWEEN 0 AND deletions)
);

CREATE TABLE outputs (
    id uuid PRIMARY KEY,
    account text NOT NULL,
    words text[] NOT NULL,
    asked_by text NOT NULL,
    digest text NOT NULL,
    asked_at timestamptz NOT NULL,
    answered_at timestamptz,
    output text,
    errors text,
    exit_code integer
);
CREATE INDEX outputs_by_age ON outputs (asked_at);

CREATE TABLE pace (
    sender text PRIMARY KEY,
    next_at timestamptz NOT NULL
);
"""

STEPS = (FLEET,)
