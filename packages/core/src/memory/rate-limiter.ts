import type { RateLimit, RateLimiter, RateLimitKey, RateVerdict } from '../authorize/rate-limiter.js';
import { type Clock, systemClock } from '../clock.js';
import { CaracalError } from '../errors.js';
import { refuseUnknownOptions, wholeNumber } from '../option-checks.js';
import { compositeKey } from './composite-key.js';
import { RateWindow } from './rate-window.js';

/** Options of {@link memoryRateLimiter}. */
export interface MemoryRateLimiterOptions {
  readonly clock?: Clock;
  /** Keys counted at once. Default 10,000, at most some 150 MB if each is used to the full. */
  readonly maxKeys?: number;
}

/** Default of `maxKeys`. */
export const MEMORY_RATE_LIMITER_MAX_KEYS = 10_000;

const CLEANING_INTERVAL_MS = 1_000;
const ALLOWED: RateVerdict = Object.freeze({ allowed: true });

/**
 * Rate limits of this process, by a sliding window: in no window of `windowSeconds`, wherever it begins, are more than `requests`
 * admitted (see {@link RateWindow} for how). Refused requests do not count. A changed limit counts what was admitted before, as
 * far back as the former window went.
 *
 * With `maxKeys` keys in use, a request of another throws `CaracalError('rate_limit_unavailable')`, reason `store_full`: a key
 * that were forgotten would begin anew.
 *
 * @throws TypeError for options that are not in order.
 */
export function memoryRateLimiter(options: MemoryRateLimiterOptions = {}): RateLimiter {
  refuseUnknownOptions('memoryRateLimiter', options, ['clock', 'maxKeys']);
  const { clock = systemClock, maxKeys = MEMORY_RATE_LIMITER_MAX_KEYS } = options;
  return new MemoryRateLimiter(clock, wholeNumber('memoryRateLimiter', 'maxKeys', maxKeys));
}

class MemoryRateLimiter implements RateLimiter {
  readonly #clock: Clock;
  readonly #maxKeys: number;
  readonly #windows = new Map<string, RateWindow>();
  #cleanedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, maxKeys: number) {
    this.#clock = clock;
    this.#maxKeys = maxKeys;
  }

  consume({ zoneId, issuer, applicationId, resource }: RateLimitKey, limit: RateLimit): RateVerdict {
    const now = this.#clock.monotonic();
    const key = compositeKey([zoneId, issuer, applicationId, resource]);
    const waitMs = this.#window(key, now).admit(now, limit.requests, limit.windowSeconds * 1000);
    return waitMs === 0 ? ALLOWED : { allowed: false, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
  }

  #window(key: string, now: number): RateWindow {
    const known = this.#windows.get(key);
    if (known !== undefined) return known;
    if (this.#windows.size >= this.#maxKeys) this.#makeRoom(now);
    const window = new RateWindow();
    this.#windows.set(key, window);
    return window;
  }

  #makeRoom(now: number): void {
    // Looks at every key, so not again within a second.
    if (now - this.#cleanedAt >= CLEANING_INTERVAL_MS) {
      this.#cleanedAt = now;
      for (const [key, window] of this.#windows) if (window.isIdle(now)) this.#windows.delete(key);
    }
    if (this.#windows.size >= this.#maxKeys) throw new CaracalError('rate_limit_unavailable', 'store_full');
  }
}
