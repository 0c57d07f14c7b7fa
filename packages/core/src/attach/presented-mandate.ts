import { type Denial, deny } from '../errors.js';
import { refuseUnknownOptions } from '../option-checks.js';
import { isVisibleAscii } from '../syntax/header-syntax.js';
import { headerCredential } from './credential.js';
import type { Credential, CredentialRequest, Provider } from './provider.js';
import { providerId, providerOrigins } from './provider-options.js';

/** Options of {@link presentedMandate}. */
export interface PresentedMandateOptions {
  readonly id: string;
  /** Origins the mandate may go to. Default: the upstream of whichever resource it was made for. */
  readonly origins?: readonly string[];
}

const MAX_MANDATE_LENGTH = 8_192;

/**
 * A provider that hands on the presented mandate, as `Authorization: Bearer`, where it was made for exactly this resource:
 * its one audience is the resource's identifier. Any other mandate would let the upstream act as the caller elsewhere, and
 * is answered `credential_unavailable` with reason `mandate_not_for_resource`.
 *
 * @throws TypeError at creation.
 * @see RFC 9700 section 4.9.1 (an access token replayed by the resource server it was sent to)
 */
export function presentedMandate(options: PresentedMandateOptions): Provider {
  refuseUnknownOptions('presentedMandate', options, ['id', 'origins']);
  return Object.freeze({
    id: providerId('presentedMandate', options.id),
    kind: 'caracal_mandate' as const,
    origins: providerOrigins('presentedMandate', options.origins),
    headerNames: Object.freeze(['authorization']),
    renewable: false,
    attach: presented,
    renew: async (request: CredentialRequest) => presented(request),
  });
}

function presented({ mandate, token, resource }: CredentialRequest): Credential | Denial {
  const { audience } = mandate;
  if (audience.length !== 1 || audience[0] !== resource.identifier) {
    return deny('credential_unavailable', 'mandate_not_for_resource');
  }
  if (typeof token !== 'string' || !isVisibleAscii(token, MAX_MANDATE_LENGTH)) {
    return deny('credential_unavailable', 'mandate_not_token');
  }
  return headerCredential('Authorization', `Bearer ${token}`, [token]);
}
