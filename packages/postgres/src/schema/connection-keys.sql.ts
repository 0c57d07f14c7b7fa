/**
 * Whose a connection is, as columns: what sealing anew goes through. Texts are JSON strings without their quotes, so that nothing a
 * subject may hold (U+0000, a lone surrogate) is lost; ordinary identifiers stand there as they are.
 *
 * Rows of before get their parts where the label still has them, which the digest proves; the others when they are next read or
 * changed. All four stay empty until then, and of an older release that goes on writing meanwhile.
 */
export const CONNECTION_KEYS_SQL = /* sql */ `
ALTER TABLE caracal.connections
  ADD COLUMN zone     text,
  ADD COLUMN provider text,
  -- Empty, with a zone: shared by all subjects of the zone.
  ADD COLUMN issuer   text,
  ADD COLUMN subject  text,
  ADD CONSTRAINT connections_key_parts CHECK (
    (zone IS NULL) = (provider IS NULL) AND (issuer IS NULL) = (subject IS NULL) AND (zone IS NOT NULL OR issuer IS NULL)
  );

UPDATE caracal.connections AS kept
SET zone = told.parts[1], provider = told.parts[2], issuer = told.parts[3], subject = told.parts[4]
FROM (
  SELECT split.key, split.plain, array_agg(substr(escaped.text, 2, length(escaped.text) - 2) ORDER BY escaped.n) AS parts,
    '[' || string_agg(escaped.text, ',' ORDER BY escaped.n) || ']' AS json
  FROM (SELECT key, string_to_array(label, ' ') AS plain FROM caracal.connections) AS split,
    LATERAL (SELECT n, to_json(part)::text AS text FROM unnest(split.plain) WITH ORDINALITY AS each (part, n)) AS escaped
  WHERE cardinality(split.plain) IN (2, 4)
  GROUP BY split.key, split.plain
) AS told
WHERE told.key = kept.key AND sha256(convert_to(told.json, 'UTF8')) = kept.key;
`;
