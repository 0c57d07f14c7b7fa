/** Which resolved addresses may be dialled. Pools are kept per `key`: equal keys mean equal permission. */
export interface AddressPolicy {
  readonly key: string;
  /** `address`: a literal IPv4 or IPv6 address as resolved, without brackets; anything else is not allowed. */
  allows(address: string): boolean;
}
