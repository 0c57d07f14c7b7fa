// An entry of its own: the API of OpenTelemetry is loaded by those alone who make spans.
export { type OpenTelemetryOptions, openTelemetry } from './telemetry/open-telemetry.js';
