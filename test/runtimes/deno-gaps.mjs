/** Cases of the HTTP suite that the adapter for Deno cannot pass: name of the case, reason. One that passes is an error. */
export const DENO_GAPS = Object.freeze({});
