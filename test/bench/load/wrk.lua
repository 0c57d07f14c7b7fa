-- One line of JSON behind wrk's own report. wrk counts a status above 399 as an error.
done = function(summary, latency)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  io.write(string.format('\n{"requests":%d,"failures":%d,"seconds":%.6f,"p50Ms":%.3f,"p99Ms":%.3f}\n',
    summary.requests, failures, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
