// The workspace in the words of those who use it.
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { BASE } from './browser';

export interface Place {
  lng: number;
  lat: number;
}

export class Workspace {
  constructor(readonly page: Page) {}

  get map(): Locator {
    return this.page.getByTestId('map');
  }

  async open(path = '/'): Promise<void> {
    await this.page.goto(BASE + path);
    await this.mapRests();
  }

  /** The map has drawn everything it was asked for. */
  async mapRests(): Promise<void> {
    await this.page.waitForSelector('[data-testid=map][data-resting=true]');
  }

  /** Opens the map with a place in its middle, which `clickMiddle` then hits. */
  async lookAt(place: Place, zoom: number, rest = ''): Promise<void> {
    await this.open(`/?map=${zoom}/${place.lat}/${place.lng}${rest}`);
  }

  async clickMiddle(): Promise<void> {
    const box = await this.map.boundingBox();
    if (!box) throw new Error('no map');
    await this.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  }

  /** Waits until the breadcrumb ends with this area. */
  async isAt(name: string): Promise<void> {
    await this.page
      .getByRole('navigation', { name: '所在地区' })
      .locator('[aria-current=page]', { hasText: name })
      .waitFor();
  }

  async goUpTo(name: string): Promise<void> {
    await this.page
      .getByRole('navigation', { name: '所在地区' })
      .getByRole('link', { name, exact: true })
      .click();
  }

  /** Opens an area from the ranking in the drawer. */
  async drillInto(name: string): Promise<void> {
    await this.page
      .getByRole('complementary')
      .getByRole('button', { name: new RegExp(`^${name}`) })
      .first()
      .click();
  }

  async figure(): Promise<string> {
    return (await this.page.getByTestId('rail-figure').innerText()).replace(/\s+/g, ' ');
  }

  async shownDate(): Promise<string> {
    return this.page.getByTestId('shown-date').innerText();
  }

  async villagesDrawn(): Promise<number> {
    return Number(await this.map.getAttribute('data-rendered-count'));
  }

  async tilesSeq(): Promise<number> {
    return Number(await this.map.getAttribute('data-tiles-seq'));
  }
}

/** Waits for something to become true that the page does by itself. */
export async function eventually<T>(read: () => Promise<T>, is: (value: T) => boolean): Promise<T> {
  await expect.poll(async () => is(await read()), { timeout: 15_000, interval: 100 }).toBe(true);
  return read();
}
