import type { Anchor, AuditRecord, Durability, HeadLimits, ProviderKind, ResourceDefinition } from '@caracal/core';

/** A provider as JSON; the secret stands in it because it was made up a moment ago. */
export interface SubjectProvider {
  readonly id: string;
  readonly kind: ProviderKind;
  readonly headerName?: string;
  readonly queryParam?: string;
  readonly scheme?: string;
  readonly username?: string;
  readonly secret?: { readonly plain: string };
  readonly origins?: readonly string[];
}

/** A resource as JSON. */
export type SubjectResource = Omit<ResourceDefinition, 'provider'> & { readonly provider: SubjectProvider };

/** An issuer as JSON. */
export interface SubjectIssuer {
  readonly issuer: string;
  readonly zone: string;
  readonly profile: 'caracal' | 'rfc9068';
  readonly algorithms?: readonly ('ES256' | 'EdDSA' | 'RS256' | 'PS256')[];
  readonly jwks: { readonly keys: readonly object[] };
}

/** What a gateway under test is made of. Plain JSON, so that it can cross into another process. */
export interface SubjectConfig {
  readonly issuers: readonly SubjectIssuer[];
  readonly resources: readonly SubjectResource[];
  readonly durability: Durability;
  readonly publicUrl?: string;
  readonly cors?: { readonly origins: readonly string[] };
  readonly headLimits?: Partial<HeadLimits>;
}

/** A gateway under test, wherever it runs. */
export interface Subject {
  /** It listens on this port of 127.0.0.1. */
  readonly port: number;
  /** Every record of a request, once the last one is there: `request.denied` or `request.completed`. Waits 3 s at most. */
  records(requestId: string): Promise<readonly AuditRecord[]>;
  /** Everything recorded so far. */
  allRecords(): readonly AuditRecord[];
  /** What a process under test has written beside the protocol; empty for one in this process. */
  output(): string;
  /** Resolves when the revocation is in force. */
  revoke(anchor: Anchor): Promise<void>;
  close(): Promise<void>;
}

/** A gateway that was started, as its starter hands it over. */
export interface StartedSubject {
  readonly port: number;
  revoke(anchor: Anchor): Promise<void>;
  close(): Promise<void>;
}

/** Starts a gateway on a free port of 127.0.0.1. Every record goes to `onRecord`, in order. */
export type StartSubject = (config: SubjectConfig, onRecord: (record: AuditRecord) => void) => Promise<StartedSubject>;
