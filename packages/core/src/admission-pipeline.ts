import type { Attached, Checked, Received } from './admission.js';
import { attachedCredential } from './attach/stage.js';
import type { Recorder } from './audit/recorder.js';
import { acceptedRecord, reservedRoom } from './audit/stages.js';
import { firstUse } from './authorize/first-use.js';
import {
  allowedByAuthorizers,
  declaredOperation,
  grantedScopes,
  metRequirements,
  withinRateLimit,
} from './authorize/stages.js';
import type { GatewaySettings } from './gateway-options.js';
import { checkedHead } from './head/check-head.js';
import { type Pipeline, pipeline } from './pipeline.js';
import { acceptableShape, knownResource } from './resolve/stages.js';
import { freshRevocations, stillValid, unrevokedMandate, verifiedMandate } from './verify/stages.js';
import type { Verifier } from './verify/verifier.js';

/** What the stages are made with. */
export interface PipelineParts
  extends Pick<
    GatewaySettings,
    | 'authorizers'
    | 'authorizerTimeoutMs'
    | 'clock'
    | 'directory'
    | 'headLimits'
    | 'maxStalenessMs'
    | 'portTimeoutMs'
    | 'rateLimiter'
    | 'replays'
    | 'revocations'
  > {
  readonly verifier: Verifier;
  readonly recorder: Recorder;
}

/**
 * Every check a request passes, in order: cheap before expensive, authenticate before resolve, spend last. The first
 * that denies answers.
 */
export function admissionPipeline(parts: PipelineParts): Pipeline<Received, Attached> {
  const { portTimeoutMs } = parts;
  return pipeline<Received>()
    .stage<Checked>(checkedHead(parts.headLimits, parts.directory))
    .stage(verifiedMandate(parts.verifier))
    .stage(freshRevocations(parts))
    .stage(unrevokedMandate(parts))
    .stage(knownResource(parts.directory, portTimeoutMs))
    .stage(acceptableShape)
    .stage(declaredOperation)
    .stage(grantedScopes)
    .stage(metRequirements)
    .stage(withinRateLimit(parts.rateLimiter, portTimeoutMs))
    .stage(allowedByAuthorizers(parts.authorizers, parts.authorizerTimeoutMs))
    .stage(attachedCredential(portTimeoutMs))
    .stage(reservedRoom(parts.recorder))
    .stage(firstUse(parts.replays, portTimeoutMs, parts.verifier))
    .stage(acceptedRecord(parts.recorder, portTimeoutMs))
    .stage(stillValid(parts));
}
