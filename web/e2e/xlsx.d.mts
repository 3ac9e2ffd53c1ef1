import type { Buffer } from 'node:buffer';

export function workbook(towns: string[]): Buffer;
