// The upstream of open streams in a process of its own, so that its share of a cut is not measured with the callers'.
import { streamUpstream } from '../../soak/open-streams.mjs';

const upstream = await streamUpstream();
process.on('message', ({ broadcast }) => {
  if (broadcast !== undefined) upstream.broadcast(broadcast);
  process.send({ open: upstream.open.size });
});
process.send({ url: upstream.url });
