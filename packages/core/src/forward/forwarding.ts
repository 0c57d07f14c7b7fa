import { type Attached, learn } from '../admission.js';
import type { ExchangeParts } from '../admitted-exchange.js';
import type { Credential } from '../attach/provider.js';
import { Denial } from '../errors.js';
import type { GatewaySettings } from '../gateway-options.js';
import { upstreamTarget } from '../resolve/upstream-target.js';
import { withQueryCredential } from './query-credential.js';
import { upstreamHeaders } from './request-headers.js';
import { callerHeaders } from './response-headers.js';

/** How a gateway makes the plan of an exchange, the caller's head, and a plan with another credential. */
export function forwarding(
  settings: Pick<GatewaySettings, 'clock' | 'corsOrigins' | 'publicUrl'>,
): Pick<ExchangeParts, 'plan' | 'response' | 'renewed'> {
  throw new Error('to be written');
}
