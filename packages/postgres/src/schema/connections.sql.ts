/** Connections. The key is a digest: no identifier is too long for an index, and none can be mistaken for another. */
export const CONNECTIONS_SQL = /* sql */ `
CREATE TABLE caracal.connections (
  key         bytea PRIMARY KEY CHECK (length(key) = 32),
  -- For people and for reports; nothing is found by it.
  label       text        NOT NULL,
  version     text        NOT NULL,
  -- JSON text of { id, sealed }: tokens in it are sealed before they come here.
  content     text        NOT NULL CHECK (octet_length(content) <= 1048576),
  changed_at  timestamptz NOT NULL DEFAULT now()
);
`;
