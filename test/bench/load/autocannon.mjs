// autocannon in a process of its own. Its latencies are whole milliseconds.
import autocannon from 'autocannon';

const { url, headers, connections, seconds, rate } = JSON.parse(process.argv[2]);
const { requests, latency, duration, non2xx, errors, timeouts } = await autocannon({
  url,
  headers,
  connections,
  duration: seconds,
  ...(rate && { overallRate: rate }),
});
console.log(
  JSON.stringify({
    requests: requests.total,
    failures: non2xx + errors + timeouts,
    seconds: duration,
    p50Ms: latency.p50,
    p99Ms: latency.p99,
  }),
);
