-- Requests as the arguments say: method, bytes of a body ("0": none), and a file of mandates ("": the header given to wrk),
-- of which each request takes another one; `repeats` tells how often it was begun again. A fourth argument is the form that a
-- mandate is asked for with: then each request is sent with one of its own, and asking is no request. One line of JSON behind wrk's own report. wrk counts a status above 399 as an error.
local mandates = nil
exhausted = 0
local file = nil
local form = nil
local minted = {}
calls = 0
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrk.method = args[1]
  local bytes = tonumber(args[2])
  if bytes > 0 then
    wrk.body = string.rep("x", bytes)
    wrk.headers["Content-Length"] = tostring(bytes)
  end
  if args[3] ~= nil and args[3] ~= "" then
    file = args[3]
    mandates = io.lines(file)
    request = fresh
  end
  if args[4] ~= nil and args[4] ~= "" then
    form = args[4]
    request = mint_or_call
    response = answered
  end
end

-- Whichever connection is free asks for a mandate where none is there, and else uses one. Requests and answers of one connection
-- take turns, and this script does not learn which is which: an answer with a mandate is one of the token service.
function mint_or_call()
  local mandate = table.remove(minted)
  if mandate == nil then
    return wrk.format("POST", "/oauth/2/token", { ["Content-Type"] = "application/x-www-form-urlencoded", ["Host"] = wrk.headers["Host"] }, form)
  end
  wrk.headers["Authorization"] = "Bearer " .. mandate
  return wrk.format()
end

function answered(status, headers, body)
  local mandate = string.match(body, '"access_token":"([^"]+)"')
  if mandate ~= nil then
    table.insert(minted, mandate)
  elseif status == 200 then
    calls = calls + 1
  end
end

function fresh()
  local mandate = mandates()
  if mandate == nil then
    exhausted = exhausted + 1
    mandates = io.lines(file)
    mandate = mandates()
  end
  wrk.headers["Authorization"] = "Bearer " .. mandate
  return wrk.format()
end

function done(summary, latency)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  local repeats = 0
  local called = 0
  for _, thread in ipairs(threads) do
    repeats = repeats + (thread:get("exhausted") or 0)
    called = called + (thread:get("calls") or 0)
  end
  io.write(string.format('\n{"requests":%d,"failures":%d,"seconds":%.6f,"p50Ms":%.3f,"p99Ms":%.3f,"repeats":%d}\n',
    called > 0 and called or summary.requests, failures, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000, repeats))
end
