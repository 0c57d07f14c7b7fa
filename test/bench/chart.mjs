const WIDTH = 720;
const ROW = 26;
const LABEL = 190;

/** Requests per second of a scenario's targets as an SVG bar chart. */
export function chart({ title, targets }) {
  const most = Math.max(...targets.map(({ requestsPerSecond }) => requestsPerSecond));
  const height = targets.length * ROW + 56;
  const bars = targets.map(({ name, requestsPerSecond, cpuRatio }, index) => {
    const y = 44 + index * ROW;
    const width = ((WIDTH - LABEL - 150) * requestsPerSecond) / most;
    const colour = name.startsWith('caracal') ? '#b4551d' : '#8a9099';
    return [
      `<text x="${LABEL - 8}" y="${y + 14}" text-anchor="end">${name}</text>`,
      `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="18" rx="2" fill="${colour}"/>`,
      `<text x="${(LABEL + width + 6).toFixed(1)}" y="${y + 14}">${Math.round(requestsPerSecond).toLocaleString('en')}/s, CPU ${cpuRatio.toFixed(2)}</text>`,
    ].join('');
  });
  const heading = `${title}: requests per second; CPU per request, the bare relay is 1`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="#3b4048">
<title>${heading}</title>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="12" y="24" font-size="15" font-weight="600">${heading}</text>
${bars.join('\n')}
</svg>
`;
}
