import { describe, expect, it } from 'vitest';
import { MAX_SERIES, MetricRegistry } from './metric-registry.js';

describe('MetricRegistry', () => {
  it('writes the text format of Prometheus', () => {
    const registry = new MetricRegistry();
    registry.counter('a_total', 'Counts.', ['x', 'y']).series(['"quoted"\n\\', '']).value += 2;
    const series = registry.histogram('b_seconds', 'Times.', ['x'], [0.1, 1]).series(['v']);
    for (const value of [0.1, 0.5, 7]) series.observe(value);
    registry.gauge('c', 'Now.', () => 3);
    registry.info('d', 'Is.', { version: '1' });
    expect(registry.text().split('\n')).toEqual([
      '# HELP a_total Counts.',
      '# TYPE a_total counter',
      'a_total{x="\\"quoted\\"\\n\\\\",y=""} 2',
      '# HELP b_seconds Times.',
      '# TYPE b_seconds histogram',
      'b_seconds_bucket{x="v",le="0.1"} 1',
      'b_seconds_bucket{x="v",le="1"} 2',
      'b_seconds_bucket{x="v",le="+Inf"} 3',
      'b_seconds_sum{x="v"} 7.6',
      'b_seconds_count{x="v"} 3',
      '# HELP c Now.',
      '# TYPE c gauge',
      'c 3',
      '# HELP d Is.',
      '# TYPE d gauge',
      'd{version="1"} 1',
      '',
    ]);
  });

  it('gives what it counted to another, once', () => {
    const [one, all] = [new MetricRegistry(), new MetricRegistry()];
    const [counter] = [one, all].map((registry) => {
      registry.gauge('c', 'Now.', () => 3);
      registry.histogram('b_seconds', 'Times.', ['x'], [0.1, 1]).series(['v']).observe(0.5);
      return registry.counter('a_total', 'Counts.', ['x']);
    });
    counter!.series(['"v"']).value += 2;
    for (let times = 0; times < 2; times++) all.add(JSON.parse(JSON.stringify(one.take())));
    expect(all.text()).toContain('a_total{x="\\"v\\""} 2\n');
    expect(all.text()).toContain('b_seconds_bucket{x="v",le="1"} 2\n');
    expect(all.text()).toContain('b_seconds_count{x="v"} 2\n');
    expect(one.text()).toContain('a_total{x="\\"v\\""} 0\n');
  });

  it('keeps a bounded number of series apart', () => {
    const counter = new MetricRegistry().counter('a_total', 'Counts.', ['x']);
    const all = new Set(Array.from({ length: MAX_SERIES + 10 }, (_, index) => counter.series([`${index}`])));
    expect(all.size).toBe(MAX_SERIES + 1);
    expect(counter.series(['0'])).toBe(counter.series(['0']));
  });
});
