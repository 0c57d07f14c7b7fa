import { readFileSync } from 'node:fs';
import { createTestIssuer } from '@caracal/testkit';
import { EdgeVM } from '@edge-runtime/vm';
import ts from 'typescript';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { builtFiles, packages, root } from './packages.mjs';

const FOREIGN_GLOBALS = new Set([
  ...['Buffer', 'process', 'require', 'module', '__dirname', '__filename', 'global', 'setImmediate'], // Node
  ...['Deno', 'Bun'],
  'fetch', // present everywhere and forbidden: it rewrites paths and follows no address policy
]);

describe('core', () => {
  it('names no global that only some runtimes have, and never fetch', () => {
    const core = packages.filter(({ name }) => name === 'core');
    const found = core.flatMap((workspacePackage) =>
      builtFiles(workspacePackage)
        .filter((file) => file.endsWith('.js'))
        .flatMap((file) => foreignGlobals(readFileSync(file, 'utf8'))),
    );
    expect(found).toEqual([]);
  });

  it('decides in a runtime that has nothing but Web APIs', async () => {
    const vm = new EdgeVM();
    vm.evaluate(await bundleOfCore());
    const globals = vm.evaluate<string>('[typeof process, typeof require, typeof Buffer].join()');
    expect(globals).toBe('undefined,undefined,undefined');
    const issuer = await createTestIssuer();
    const mandate = await issuer.mint({ target: ['resource://billing-api'] });
    const known = { issuer: issuer.issuer, keys: issuer.jwks().keys, mandate };
    const decided = await vm.evaluate<Promise<string>>(`(${decide})(core, ${JSON.stringify(known)})`);
    expect(decided).toBe('exchange, then executed');
  });
});

interface Known {
  readonly issuer: string;
  readonly keys: readonly Record<string, unknown>[];
  readonly mandate: string;
}

// Runs inside, from its source text: it may use nothing but its parameters.
async function decide(core: typeof import('@caracal/core'), { issuer, keys, mandate }: Known): Promise<string> {
  const audit = core.memoryAuditSink();
  const gateway = core.createGateway({
    issuers: [{ issuer, keys }],
    resources: [
      {
        identifier: 'resource://billing-api',
        upstreamUrl: 'http://127.0.0.1:9',
        allowPrivateNetwork: true,
        provider: core.apiKey({ id: 'provider://billing', headerName: 'X-Api-Key', secret: new core.Secret('key') }),
      },
    ],
    audit: { sink: audit },
  });
  const admitted = await gateway.admit({
    method: 'GET',
    target: '/v1/invoices',
    headers: [
      ...['Host', 'gateway.example', 'Authorization', `Bearer ${mandate}`],
      ...['X-Caracal-Resource', 'resource://billing-api'],
    ],
    httpVersion: '1.1',
    peer: { address: '127.0.0.1' },
    upgrade: false,
    fidelity: 'raw',
  });
  if (admitted.kind === 'refusal') return admitted.body;
  admitted.settle({
    outcome: 'executed',
    status: 200,
    upstreamStatus: 200,
    requestBytes: 0,
    responseBytes: 0,
    firstByteMs: 1,
    attempts: 1,
    error: undefined,
    reason: undefined,
  });
  await gateway.close();
  return `${admitted.kind}, then ${audit.records().find(({ type }) => type === 'request.completed')?.outcome}`;
}

// Core with everything it depends on, as one script. Bundling for the web fails on an import of node:*.
async function bundleOfCore(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    root,
    build: {
      write: false,
      minify: false,
      lib: { entry: `${root}/packages/core/dist/index.js`, formats: ['iife'], name: 'core' },
      rollupOptions: {
        onwarn(warning) {
          throw new Error(warning.message);
        },
      },
    },
  });
  const [output] = Array.isArray(result) ? result : [result];
  if (output === undefined || !('output' in output)) throw new Error('nothing was bundled');
  return output.output[0].code;
}

// By name alone: a local variable of such a name is refused as well, which keeps the check simple and the code clear.
function foreignGlobals(text: string): readonly string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && FOREIGN_GLOBALS.has(node.text) && !isPropertyName(node)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('built.js', text, ts.ScriptTarget.ES2023, true));
  return found;
}

function isPropertyName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node && !isGlobalThis(parent.expression);
  return (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent)) && parent.name === node;
}

function isGlobalThis(node: ts.Expression): boolean {
  return ts.isIdentifier(node) && node.text === 'globalThis';
}
