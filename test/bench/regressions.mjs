/** What a ratio may grow beyond the committed one even where the control says less, as a share of it. */
const LEAST_TOLERANCE = 0.1;

/** CPU ratios that are worse than the committed ones by more than twice the control's spread, as lines for people. */
export function regressions(result, committed) {
  const before = new Map(
    committed.scenarios.flatMap(({ name, targets }) =>
      targets.map((target) => [`${name}/${target.name}`, target.cpuRatio]),
    ),
  );
  return result.scenarios.flatMap(({ name, control, targets }) => {
    const tolerance = Math.max(LEAST_TOLERANCE, 2 * control.spread.cpuMicros);
    return targets
      .filter(
        (target) =>
          target.cpuRatio > (before.get(`${name}/${target.name}`) ?? Number.POSITIVE_INFINITY) * (1 + tolerance),
      )
      .map((target) => {
        const was = before.get(`${name}/${target.name}`).toFixed(2);
        return `${name}: ${target.name} takes ${target.cpuRatio.toFixed(2)} of the baseline's CPU, it was ${was}`;
      });
  });
}
