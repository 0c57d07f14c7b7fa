// Deno's node:http shows raw header lists and targets, holds 100 Continue back, and hands over sockets as Node does, so
// the adapter for Node is the adapter here. What differs: Deno tells parse errors apart less finely, so that a version of
// HTTP other than 1.0, 1.1 and 2 is answered with 400 instead of 505.
export * from '@caracal/node';
export { type DenoHandler, type DenoHandlerOptions, type DenoInfo, denoHandler } from './deno-handler.js';
export { denoProtect } from './deno-protect.js';
