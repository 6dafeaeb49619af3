import { describe, expect, it } from 'vitest';
import { colourBy, colourOf, MAX_HUES, PALETTES } from './colours.ts';

describe('colours', () => {
  it('go to the most frequent values; what is rarer shares the last one', () => {
    const values = Array.from({ length: 12 }, (_, i) => Array.from({ length: 20 - i }, () => `t${i}`)).flat();
    const { legend, entryOf } = colourBy([...values, null]);
    expect(legend).toHaveLength(MAX_HUES + 1);
    expect(legend[0]).toEqual({ value: 't0', count: 20 });
    expect(legend.at(-1)).toEqual({ value: null, count: 11 + 10 + 9 + 1 });
    expect(legend.reduce((sum, { count }) => sum + count, 0)).toBe(values.length + 1);
    expect([entryOf[0], entryOf.at(-1)]).toEqual([0, MAX_HUES]);
    expect(colourOf(PALETTES.light, MAX_HUES, legend)).toBe(PALETTES.light.at(-1));
  });

  it('leave out the rest when there is none, and give it its grey when there are few values', () => {
    expect(colourBy(['b', 'a']).legend).toEqual([
      { value: 'a', count: 1 },
      { value: 'b', count: 1 },
    ]);
    const { legend, entryOf } = colourBy(['a', null]);
    expect(colourOf(PALETTES.dark, entryOf[1]!, legend)).toBe(PALETTES.dark.at(-1));
  });

  it('are told apart from the page: at least 3 to 1, in light and dark', () => {
    for (const [scheme, paper] of [
      ['light', '#ffffff'],
      ['dark', '#161e27'],
    ] as const) {
      expect(PALETTES[scheme]).toHaveLength(MAX_HUES + 1);
      for (const colour of PALETTES[scheme]) expect(contrast(colour, paper), `${scheme} ${colour}`).toBeGreaterThanOrEqual(3);
    }
  });
});

/** As WCAG 2 defines it. */
function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
