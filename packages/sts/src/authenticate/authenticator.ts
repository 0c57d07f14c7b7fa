import {
  ask,
  Denial,
  own,
  peerNetwork,
  type ReplayStore,
  type RevocationStore,
  VerificationBudget,
} from '@caracal/core';
import type { Application } from '../application.js';
import { Denied, denied } from '../denied.js';
import type { Settings } from '../settings.js';
import { parseAssertion, verifyAssertion } from './client-assertion.js';
import type { PresentedCredentials } from './presented-credentials.js';
import { SecretVerifier } from './secret-verifier.js';

type AssertionCredentials = Extract<PresentedCredentials, { method: 'private_key_jwt' }>;

/** Tells which application is asking. */
export class Authenticator {
  readonly #settings: Settings;
  readonly #replays: ReplayStore;
  readonly #revocations: RevocationStore;
  readonly #secrets: SecretVerifier;
  readonly #assertions = new VerificationBudget();

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#replays = settings.replays;
    this.#revocations = settings.revocations;
    this.#secrets = new SecretVerifier(settings.zone, settings.portTimeoutMs);
  }

  /** The application, once it has proved who it is and is not revoked. */
  async authenticate(credentials: PresentedCredentials, peer: string): Promise<Application | Denied> {
    const network = peerNetwork(peer);
    const application =
      credentials.method === 'private_key_jwt'
        ? await this.#byAssertion(credentials, network)
        : await this.#bySecret(credentials.applicationId, credentials.secret, network);
    return application instanceof Denied ? application : this.unrevoked(application);
  }

  /** The application, unless its authority has been revoked as a whole. */
  unrevoked(application: Application): Application | Denied {
    const { zone, endpoints, clock, maxStalenessMs } = this.#settings;
    if (clock.monotonic() - this.#revocations.freshAsOf() > maxStalenessMs) {
      return denied('temporarily_unavailable', 'revocations_stale');
    }
    const anchor = { zoneId: zone, issuer: endpoints.issuer, id: application.id };
    const revoked = this.#revocations.isRevoked([
      { ...anchor, kind: 'client_id' },
      { ...anchor, kind: 'sub' },
    ]);
    return revoked ? denied('invalid_client', 'application_revoked') : application;
  }

  async #bySecret(applicationId: string, secret: string, network: string): Promise<Application | Denied> {
    const application = this.#settings.applications.get(applicationId);
    const refused = await this.#secrets.verify(applicationId, secret, application?.secret, network);
    return refused ?? application!;
  }

  async #byAssertion(credentials: AssertionCredentials, network: string): Promise<Application | Denied> {
    const { clock } = this.#settings;
    // Signatures are cheaper than derivations, and still not free.
    if (this.#assertions.refuse(network, clock.monotonic()) !== undefined) {
      return denied('temporarily_unavailable', 'assertion_failures');
    }
    const verdict = await this.#assertions.run(() => this.#verifyAssertion(credentials));
    if (verdict instanceof Denied && verdict.error === 'invalid_client') {
      this.#assertions.failed(network, clock.monotonic());
    }
    return verdict;
  }

  async #verifyAssertion({ assertion, applicationId }: AssertionCredentials): Promise<Application | Denied> {
    const { applications, endpoints, clock } = this.#settings;
    const jws = parseAssertion(assertion);
    if (jws === undefined) return denied('invalid_client', 'assertion_malformed');
    // Not verified yet, so it may choose among the applications that are known, and nothing else.
    const claimed = own(jws.payload, 'sub');
    const application = typeof claimed === 'string' ? applications.get(claimed) : undefined;
    if (application?.assertionKeys === undefined) return denied('invalid_client', 'application_unknown');
    if (applicationId !== undefined && applicationId !== claimed) {
      return denied('invalid_client', 'assertion_names_another');
    }
    const verified = await verifyAssertion(
      assertion,
      jws,
      {
        applicationId: application.id,
        keys: application.assertionKeys,
        audiences: [endpoints.issuer, endpoints.token],
      },
      clock.now(),
    );
    if (typeof verified === 'string') return denied('invalid_client', verified);
    return this.#firstUse(application, verified);
  }

  // The application's id stands as the issuer: no issuer of mandates has one of that shape, so they cannot meet.
  async #firstUse(
    application: Application,
    { jti, issuedAt, expiresAt }: { readonly jti: string; readonly issuedAt: number; readonly expiresAt: number },
  ): Promise<Application | Denied> {
    const { zone, portTimeoutMs } = this.#settings;
    const use = { zoneId: zone, issuer: application.id, jti, issuedAt, expiresAt };
    const verdict = await ask('replay_unavailable', portTimeoutMs, () => this.#replays.use(use));
    if (verdict instanceof Denial)
      return denied('temporarily_unavailable', 'replay_unavailable', verdict.members?.cause);
    return verdict === 'first' ? application : denied('invalid_client', `assertion_${verdict}`);
  }
}
