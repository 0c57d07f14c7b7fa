import { fastifyServer } from '../../docs/examples/adapters/fastify.js';
import { gapsOf } from '../runtimes/gaps.mjs';
import { declareHttpSuite } from './adapter-suite.js';

await declareHttpSuite('fastify', fastifyServer, gapsOf('fastify'));
