import * as node from '@caracal/node';
import { describe, expect, it } from 'vitest';
import * as deno from './index.js';

describe('@caracal/deno', () => {
  it('offers everything that @caracal/node offers, and what Deno.serve needs', () => {
    expect(Object.keys(deno).sort()).toEqual([...Object.keys(node), 'denoHandler', 'denoProtect'].sort());
  });
});
