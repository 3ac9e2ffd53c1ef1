-- Who may do what, where.
CREATE TABLE accounts (
  id            uuid CONSTRAINT accounts_pk PRIMARY KEY,
  login         text NOT NULL CONSTRAINT accounts_login_unique UNIQUE
                CONSTRAINT accounts_login_wellformed CHECK (login ~ '^[a-z0-9._-]{2,64}$'),
  display_name  text NOT NULL,
  unit_name     text NOT NULL,
  -- Argon2id, PHC string.
  password_hash text NOT NULL,
  locale        text NOT NULL DEFAULT 'zh' CONSTRAINT accounts_locale_known CHECK (locale IN ('zh', 'en')),
  disabled_at   timestamptz,
  recorded_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE role_capabilities (
  role       text NOT NULL,
  capability text NOT NULL,
  CONSTRAINT role_capabilities_pk PRIMARY KEY (role, capability)
);
INSERT INTO role_capabilities VALUES
  ('clerk', 'report_progress'), ('town', 'report_progress'),
  ('reviewer', 'review_report'), ('poverty_office', 'review_report'),
  ('planner', 'edit_project'), ('planner', 'import_layer'),
  ('auditor', 'read_audit'), ('inspector', 'read_audit'),
  ('administrator', 'manage_accounts'), ('administrator', 'read_audit'), ('administrator', 'import_layer');

-- One grant: a role in an area and everything below it, for some sectors (all when null).
CREATE TABLE account_roles (
  account_id uuid NOT NULL REFERENCES accounts (id),
  role       text NOT NULL CONSTRAINT account_roles_role_known
             CHECK (role IN ('clerk', 'reviewer', 'town', 'poverty_office', 'planner', 'leader', 'inspector', 'auditor', 'administrator')),
  area_id    uuid NOT NULL REFERENCES areas (id),
  sectors    text[],
  recorded_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz,
  CONSTRAINT account_roles_pk PRIMARY KEY (account_id, role, area_id, recorded_at)
);

-- Only the SHA-256 of the token is stored: a stolen table opens no session.
CREATE TABLE sessions (
  token_hash  bytea CONSTRAINT sessions_pk PRIMARY KEY,
  csrf_token  text NOT NULL,
  account_id  uuid NOT NULL REFERENCES accounts (id),
  created_at  timestamptz NOT NULL DEFAULT now(),
  expires_at  timestamptz NOT NULL,
  revoked_at  timestamptz,
  address     text NOT NULL DEFAULT ''
);
CREATE INDEX sessions_account_index ON sessions (account_id);

CREATE TABLE sign_in_failures (
  login   text NOT NULL,
  address text NOT NULL,
  at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sign_in_failures_login_index ON sign_in_failures (login, at);
CREATE INDEX sign_in_failures_address_index ON sign_in_failures (address, at);

-- The answer to a write, kept 90 days, so that a repeated key gets the same answer and no second write.
CREATE TABLE idempotency_keys (
  account_id  uuid NOT NULL,
  key         text NOT NULL CONSTRAINT idempotency_keys_length CHECK (length(key) BETWEEN 8 AND 128),
  operation   text NOT NULL,
  body_sha256 bytea NOT NULL,
  status      smallint NOT NULL,
  headers     jsonb NOT NULL DEFAULT '{}',
  -- Text, not jsonb: the repeated answer is the same byte for byte.
  body        text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT idempotency_keys_pk PRIMARY KEY (account_id, key)
);
CREATE INDEX idempotency_keys_age_index ON idempotency_keys (recorded_at);
