// What a first visit loads. Read from the built files, so that the numbers are those of the release.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const DIST = new URL('../dist/assets/', import.meta.url);
const KB = 1024;

function sizes(): { name: string; gzip: number }[] {
  return readdirSync(DIST)
    .filter((name) => /\.m?js$/.test(name))
    .map((name) => ({ name, gzip: gzipSync(readFileSync(new URL(name, DIST))).length }));
}

describe('the size of the page', () => {
  it('first map view: at most 550 KB of script, compressed', () => {
    // Pages of their own are loaded when somebody goes there.
    const all = sizes().filter((f) => !/^(TodoPage|ReviewPage|SheetsPage)-/.test(f.name));
    const total = all.reduce((sum, f) => sum + f.gzip, 0);
    console.info(all.map((f) => `${f.name} ${(f.gzip / KB).toFixed(1)} KB`).join('\n'));
    expect(total / KB).toBeLessThan(550);
  });

  it('pages without a map never load MapLibre', () => {
    const html = readFileSync(new URL('../index.html', DIST), 'utf8');
    const early = [...html.matchAll(/(?:src|href)="\/assets\/([^"]+\.m?js)"/g)].map((m) => m[1]);
    expect(early.length).toBeGreaterThan(0);
    for (const name of early) expect(name).not.toMatch(/MapView|maplibre/);
  });
});
