import type { Claims } from '../issuer.js';

/** Claims of authority that came over these applications, root first. */
export function delegated(...applications: string[]): Claims {
  const path = applications.map(() => crypto.randomUUID());
  return {
    agent_session_id: crypto.randomUUID(),
    delegation_edge_id: path.at(-1),
    delegation_path: path,
    delegation_chain: applications.map((application, index) => ({
      application_id: application,
      agent_session_id: `session-${application}`,
      delegation_edge_id: path[index],
    })),
    hop_count: path.length,
    delegation_graph_epoch: 1,
  };
}
