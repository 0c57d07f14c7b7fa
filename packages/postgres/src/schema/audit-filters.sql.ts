/**
 * What evidence is looked for by beside applications and resources: whose it is, and, of the types that are rare, which it is. Requests and
 * issued mandates are most of the table; they are found by time, and have no place in the second index, which so costs them nothing.
 */
export const AUDIT_FILTERS_SQL = /* sql */ `
CREATE INDEX audit_entries_subject ON caracal.audit_entries (subject, at, id) WHERE subject IS NOT NULL;
CREATE INDEX audit_entries_type ON caracal.audit_entries (type, at, id)
  WHERE type NOT IN ('request.authorized', 'request.completed', 'request.denied', 'mandate.issued');
`;
