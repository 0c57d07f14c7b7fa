/** Resources, and the news of their changes. */
export const RESOURCES_SQL = /* sql */ `
CREATE TABLE caracal.resources (
  zone       text        NOT NULL CHECK (octet_length(zone) BETWEEN 1 AND 512),
  identifier text        NOT NULL CHECK (octet_length(identifier) BETWEEN 1 AND 512),
  document   jsonb       NOT NULL CHECK (jsonb_typeof(document) = 'object' AND octet_length(document::text) <= 65536),
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (zone, identifier)
);

-- Changes with every change of the resources, in its transaction: what a reader compares when news may have been missed.
CREATE TABLE caracal.resource_generation (
  one        boolean PRIMARY KEY DEFAULT true CHECK (one),
  generation bigint  NOT NULL
);
INSERT INTO caracal.resource_generation (generation) VALUES (1);

CREATE FUNCTION caracal.tell_resources() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE caracal.resource_generation SET generation = generation + 1;
  PERFORM pg_notify('caracal_resources', '');
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION caracal.tell_resources() FROM PUBLIC;

CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON caracal.resources
  FOR EACH STATEMENT EXECUTE FUNCTION caracal.tell_resources();
`;
