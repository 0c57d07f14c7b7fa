import type { Attributes, MeterProvider } from '@opentelemetry/api';

/** Requests of one method that are under way. */
export interface ActiveRequests {
  /** What every request of this method begins with, for its span too. */
  readonly attributes: Attributes;
  count: number;
}

/** Requests under way of all gateways that tell one meter provider: of two instruments of one name, asked at once, the last would count alone. */
const active = new WeakMap<MeterProvider, (method: string) => ActiveRequests>();

/**
 * `http.server.active_requests` of a meter provider, asked for when metrics are collected: to tell it of each request's beginning and end
 * would cost two measurements. The semantic conventions leave the choice of the two kinds of instrument open. `method` is from a closed set.
 *
 * @see OpenTelemetry semantic conventions, general metrics, "Instrument types"
 */
export function activeRequests(provider: MeterProvider, meterName: string): (method: string) => ActiveRequests {
  const known = active.get(provider);
  if (known !== undefined) return known;
  const methods = new Map<string, ActiveRequests>();
  const instrument = provider
    .getMeter(meterName)
    .createObservableUpDownCounter('http.server.active_requests', { unit: '{request}' });
  instrument.addCallback((result) => {
    for (const { attributes, count } of methods.values()) result.observe(count, attributes);
  });
  const of = (method: string): ActiveRequests => {
    let requests = methods.get(method);
    if (requests === undefined) {
      requests = {
        attributes: Object.freeze({ 'http.request.method': method, 'url.scheme': 'http' }),
        count: 0,
      };
      methods.set(method, requests);
    }
    return requests;
  };
  active.set(provider, of);
  return of;
}
