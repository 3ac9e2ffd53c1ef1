-- The change feed that keeps every node's map true, and the audit chain that keeps people honest.

CREATE TABLE change_feed (
  -- Gapless and in commit order: assigned under a lock that is held until commit.
  seq         bigint CONSTRAINT change_feed_pk PRIMARY KEY,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  -- What changed: 'project', 'natural_village', 'road_segment', 'water_scheme', 'area', or
  -- 'bulk' for an import, after which a node loads anew.
  kind        text NOT NULL,
  entity_id   uuid,
  area_id     uuid,
  payload     jsonb NOT NULL DEFAULT '{}'
);

-- Appends to the feed. Call it last in a transaction: the lock orders commits.
CREATE FUNCTION append_change(kind text, entity_id uuid, area_id uuid, payload jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE new_seq bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(4490001);
  SELECT coalesce(max(seq), 0) + 1 INTO new_seq FROM change_feed;
  INSERT INTO change_feed (seq, kind, entity_id, area_id, payload) VALUES (new_seq, kind, entity_id, area_id, payload);
  -- A doorbell only: whoever hears it reads the feed from where it stood.
  PERFORM pg_notify('cuntong_feed', new_seq::text);
  RETURN new_seq;
END $$;

-- One chain per county (6-digit code) and one named 'system'.
CREATE TABLE audit_heads (
  chain text CONSTRAINT audit_heads_pk PRIMARY KEY,
  seq   bigint NOT NULL,
  hash  bytea NOT NULL
);
CREATE TABLE audit_entries (
  chain       text NOT NULL,
  seq         bigint NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  -- Exactly the bytes that were hashed: JSON text with time, account, action, entity, old and new.
  body        text NOT NULL,
  prev_hash   bytea NOT NULL,
  -- SHA-256 over prev_hash, seq as 8 bytes big-endian, chain, 0x00, body.
  hash        bytea NOT NULL,
  CONSTRAINT audit_entries_pk PRIMARY KEY (chain, seq)
);
CREATE TRIGGER audit_entries_kept BEFORE UPDATE OR DELETE ON audit_entries
  FOR EACH ROW EXECUTE FUNCTION forbid_rewrite();

-- Appends to a chain. The head row is locked, so that two writers never share a predecessor.
-- Take several chains in code order.
CREATE FUNCTION append_audit(in_chain text, in_body text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE head audit_heads%ROWTYPE; new_seq bigint; h bytea;
BEGIN
  INSERT INTO audit_heads (chain, seq, hash) VALUES (in_chain, 0, sha256(convert_to(in_chain, 'UTF8')))
    ON CONFLICT DO NOTHING;
  SELECT * INTO head FROM audit_heads WHERE chain = in_chain FOR UPDATE;
  new_seq := head.seq + 1;
  h := sha256(head.hash || int8send(new_seq) || convert_to(in_chain, 'UTF8') || '\x00'::bytea || convert_to(in_body, 'UTF8'));
  INSERT INTO audit_entries (chain, seq, body, prev_hash, hash) VALUES (in_chain, new_seq, in_body, head.hash, h);
  UPDATE audit_heads SET seq = new_seq, hash = h WHERE chain = in_chain;
  RETURN new_seq;
END $$;
