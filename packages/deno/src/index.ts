// Deno's node:http runs on the same parser and shows raw header lists, so the adapter for Node is the adapter here.
export * from '@caracal/node';
