-- Has wrk send what is told, and print what came of it as JSON: times in microseconds.

function init(arguments)
   wrk.method = arguments[1]
   wrk.body = arguments[2] ~= "" and arguments[2] or nil
end

function done(summary, latency, requests)
   local errors = summary.errors
   local broken = errors.connect + errors.read + errors.write + errors.timeout
   print(string.format(
      '{"answers": %d, "errors": %d, "microseconds": %d, "p50": %d, "p99": %d}',
      summary.requests, errors.status + broken, summary.duration,
      latency:percentile(50), latency:percentile(99)
   ))
end
