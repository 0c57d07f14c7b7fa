/**
 * Refuses options this factory does not know. A misspelt option that is silently left out would be a default nobody chose.
 *
 * @throws TypeError naming the option and the known ones; also where the options are no object.
 */
export function refuseUnknownOptions(factory: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw new TypeError(`${factory}: options is an object`);
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new TypeError(`${factory}: unknown option ${name}; known are ${known.join(', ')}`);
  }
}

/**
 * Answers a whole number of at least `least`.
 *
 * @throws TypeError naming the option.
 */
export function wholeNumber(factory: string, name: string, value: number, least = 1): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new TypeError(`${factory}: ${name} is a whole number of at least ${least}`);
  }
  return value;
}
