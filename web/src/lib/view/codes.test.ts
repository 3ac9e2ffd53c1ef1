import { expect, it } from 'vitest';
import { levelOf } from './codes';

it.each([
  ['440000', 'province'],
  ['441400', 'city'],
  ['441424', 'county'],
  ['441424104', 'town'],
  ['441424104201', 'village'],
] as const)('%s is a %s', (code, level) => expect(levelOf(code)).toBe(level));
