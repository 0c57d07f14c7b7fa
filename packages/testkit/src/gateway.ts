// A gateway for the tests of those who use one: `@caracal/testkit/gateway`.
export type { FakeAnswer, FakeApi, SeenCall } from './gateway/fake-upstream.js';
export type { FaultName } from './gateway/faults.js';
export {
  startTestGateway,
  type TestCall,
  type TestGateway,
  type TestGatewayOptions,
  type TestProfile,
} from './gateway/test-gateway.js';
export { EXAMPLE_RESOURCE, TEST_CREDENTIAL, type TestResource } from './gateway/test-resource.js';
export type { Claims, TestIssuer } from './issuer.js';
