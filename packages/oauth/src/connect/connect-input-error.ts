/**
 * What was asked of a connect service cannot be: an unknown provider, a shared connection that is not allowed, a life out of range. The
 * fault of whoever asked, unlike any other `TypeError`. `message` holds no secret.
 */
export class ConnectInputError extends TypeError {
  override readonly name = 'ConnectInputError';
}
