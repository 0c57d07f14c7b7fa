const RAW_QUERY_BYTES =
  'The parser of node:http refuses bytes of 0x80 and above in a target with 400, before any handler sees it. Callers percent-encode them.';

/** Cases of the HTTP suite that node:http cannot pass: name of the case, reason. One that passes after all is an error. */
export const NODE_GAPS = Object.freeze({
  'forwards a target with raw UTF-8 in the query byte for byte after the base path': RAW_QUERY_BYTES,
  'forwards a target with every high byte in the query byte for byte after the base path': RAW_QUERY_BYTES,
});

/** The same for node:http on Deno. */
export const DENO_GAPS = Object.freeze({ ...NODE_GAPS });
