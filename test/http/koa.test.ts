import { koaServer } from '../../docs/examples/adapters/koa.js';
import { gapsOf } from '../runtimes/gaps.mjs';
import { declareHttpSuite } from './adapter-suite.js';

await declareHttpSuite('koa', koaServer, gapsOf('koa'));
