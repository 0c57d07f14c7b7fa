import type { TestProfile } from '@caracal/testkit/gateway';
import { vi } from 'vitest';

/** Gives this process the environment of an agent, as `caracal profile` prints it. */
export function agentEnvironment(profile: TestProfile): void {
  vi.stubEnv('CARACAL_GATEWAY_URL', profile.gatewayUrl);
  vi.stubEnv('CARACAL_TOKEN_URL', profile.tokenUrl);
  vi.stubEnv('CARACAL_ZONE', profile.zone);
  vi.stubEnv('CARACAL_APPLICATION_ID', profile.applicationId);
  vi.stubEnv('CARACAL_APPLICATION_SECRET', profile.applicationSecret);
  vi.stubEnv('CARACAL_RESOURCES', profile.resources.map(({ identifier }) => identifier).join());
}
