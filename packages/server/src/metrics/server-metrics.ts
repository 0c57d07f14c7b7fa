import { DURATION_BUCKETS_S, type PartlyAdmitted, type RequestEnd, type Telemetry } from '@caracal/core';
import { type HistogramSeries, MetricRegistry } from './metric-registry.js';

/** The metrics of a server, and the port the gateways tell them through. */
export interface ServerMetrics {
  readonly telemetry: Telemetry;
  readonly registry: MetricRegistry;
  /** Counts an attempt to reload. */
  reloaded(ok: boolean): void;
}

interface Series {
  readonly requests: { value: number };
  readonly duration: HistogramSeries;
  readonly requestBytes: { value: number };
  readonly responseBytes: { value: number };
  readonly attempts: { value: number };
}

/** Resources whose series are found without making a text; reloads may bring ever new ones. */
const MAX_KNOWN_RESOURCES = 2_000;

const REFUSED = '_refused';
const NONE = '_none';

/**
 * Metrics whose labels come from the configuration and from fixed sets alone: resource identifiers that were resolved,
 * outcomes, error codes, classes of status. Nothing a caller sends becomes a label.
 */
export function serverMetrics(version: string): ServerMetrics {
  const registry = new MetricRegistry();
  registry.info('caracal_build_info', 'The version that runs.', { version });
  const requests = registry.counter('caracal_requests_total', 'Requests that have ended.', [
    'resource',
    'outcome',
    'error',
    'status_class',
  ]);
  const durations = registry.histogram(
    'caracal_request_duration_seconds',
    'From receipt of a head to the end of its answer.',
    ['resource'],
    DURATION_BUCKETS_S,
  );
  const requestBytes = registry.counter('caracal_request_body_bytes_total', 'Bodies of forwarded requests.', [
    'resource',
  ]);
  const responseBytes = registry.counter('caracal_response_body_bytes_total', 'Bodies of forwarded answers.', [
    'resource',
  ]);
  const attempts = registry.counter('caracal_upstream_attempts_total', 'Requests sent upstream.', ['resource']);
  const reloads = registry.counter('caracal_reloads_total', 'Attempts to reload the configuration.', ['result']);
  for (const result of ['ok', 'failed']) reloads.series([result]);

  // One look-up a request, by what is fixed for it: no text is made on the way.
  const known = new Map<string, Map<string, Map<string | undefined, Map<number, Series>>>>();
  const seriesOf = (resource: string, outcome: string, error: string | undefined, statusClass: number): Series => {
    if (known.size > MAX_KNOWN_RESOURCES) known.clear();
    const byOutcome = at(known, resource, () => new Map());
    const byError = at(byOutcome, outcome, () => new Map());
    const byStatus = at(byError, error, () => new Map());
    return at(byStatus, statusClass, () => ({
      requests: requests.series([resource, outcome, error ?? '', statusClass === 0 ? '' : `${statusClass}xx`]),
      duration: durations.series([resource]),
      requestBytes: requestBytes.series([resource]),
      responseBytes: responseBytes.series([resource]),
      attempts: attempts.series([resource]),
    }));
  };

  const finished = (admission: PartlyAdmitted, { status, code, settlement }: RequestEnd): void => {
    const resource = admission.resource?.identifier ?? NONE;
    const outcome = settlement?.outcome ?? (code === undefined ? 'preflight' : REFUSED);
    const series = seriesOf(resource, outcome, code, status === undefined ? 0 : Math.floor(status / 100));
    series.requests.value += 1;
    series.duration.observe((performance.now() - admission.startedAt) / 1000);
    if (settlement === undefined) return;
    series.requestBytes.value += settlement.requestBytes;
    series.responseBytes.value += settlement.responseBytes;
    series.attempts.value += settlement.attempts;
  };
  return {
    registry,
    // Spans are not made here: the caller's place in its trace is passed on as it is.
    telemetry: { received: (_head, trace) => ({ trace, forwarding: ({ trace: own }) => own, finished }) },
    reloaded: (ok) => {
      reloads.series([ok ? 'ok' : 'failed']).value += 1;
    },
  };
}

function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
