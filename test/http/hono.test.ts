import { honoServer } from '../../docs/examples/adapters/hono.js';
import { gapsOf } from '../runtimes/gaps.mjs';
import { declareHttpSuite } from './adapter-suite.js';

await declareHttpSuite('hono', honoServer, gapsOf('hono'));
