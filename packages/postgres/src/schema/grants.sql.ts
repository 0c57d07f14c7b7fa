/** What each role may do, and nothing more. `$role` is the quoted name of the role. */
export const GRANTS_SQL = {
  /** A gateway's shipper: adds evidence, cannot read, change or remove any. */
  shipper: /* sql */ `
GRANT USAGE ON SCHEMA caracal TO $role;
GRANT SELECT ON caracal.migrations TO $role;
GRANT INSERT ON caracal.audit_entries, caracal.audit_set_aside, caracal.audit_chains, caracal.audit_heads TO $role;
GRANT SELECT, INSERT, UPDATE ON caracal.audit_positions TO $role;
GRANT EXECUTE ON FUNCTION caracal.ensure_audit_months(timestamptz) TO $role;
GRANT EXECUTE ON FUNCTION caracal.audit_conflicts(timestamptz[], uuid[], uuid[], bigint[], text[]) TO $role;
`,
  /** Whoever looks at the evidence. */
  reader: /* sql */ `
GRANT USAGE ON SCHEMA caracal TO $role;
GRANT SELECT ON caracal.migrations, caracal.audit_entries, caracal.audit_set_aside, caracal.audit_chains,
  caracal.audit_heads, caracal.audit_positions, caracal.audit_retention, caracal.audit_requests TO $role;
`,
  /** A gateway's connections and directory. */
  gateway: /* sql */ `
GRANT USAGE ON SCHEMA caracal TO $role;
GRANT SELECT ON caracal.migrations, caracal.resources, caracal.resource_generation TO $role;
GRANT SELECT, INSERT, UPDATE, DELETE ON caracal.connections TO $role;
`,
} as const;
