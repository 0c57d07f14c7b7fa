import { expressServer } from '../../docs/examples/adapters/express.js';
import { gapsOf } from '../runtimes/gaps.mjs';
import { declareHttpSuite } from './adapter-suite.js';

await declareHttpSuite('express', expressServer, gapsOf('express'));
