import { relayServer } from '../relay-server.mjs';
import { serve } from '../serve.mjs';

await serve(({ upstreamUrl }) => relayServer(upstreamUrl));
