// autocannon in a process of its own. Its latencies are whole milliseconds.
import autocannon from 'autocannon';

const { url, method = 'GET', headers, bodyBytes = 0, connections, seconds } = JSON.parse(process.argv[2]);
const { requests, latency, duration, non2xx, errors, timeouts } = await autocannon({
  url,
  method,
  headers,
  ...(bodyBytes > 0 && { body: 'x'.repeat(bodyBytes) }),
  connections,
  duration: seconds,
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
