export {
  type Claims,
  createTestIssuer,
  type TestAlgorithm,
  type TestIssuer,
  type TestIssuerOptions,
} from './issuer.js';
