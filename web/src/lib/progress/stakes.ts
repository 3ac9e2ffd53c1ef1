/** Stakes (桩号) of a road project: which stretch is hardened and which is missing. */
import type { Project } from '../api/types';

export interface Piece {
  /** Kilometres from the start. */
  from: number;
  to: number;
  hardened: boolean;
}

export interface Road {
  pieces: Piece[];
  total: number;
  start: string;
  end: string;
  /** No segment says where: the place is derived from the quantity done. */
  derived: boolean;
}

const NOTHING: Road = { pieces: [], total: 0, start: '', end: '', derived: false };

/** 0.81 → K0+810 */
export function stake(km: number): string {
  const metres = Math.round(km * 1000);
  return `K${Math.floor(metres / 1000)}+${String(metres % 1000).padStart(3, '0')}`;
}

export function remainingPieces(
  project: Pick<Project, 'sector' | 'segments' | 'quantities' | 'natural_villages'>,
): Road {
  if (project.sector !== 'road') return NOTHING;
  const { segments } = project;
  const surface = project.quantities.find((q) => q.item === 'surface_km');
  // People know the ends by the road and the village there, not by the numbers of nodes.
  const start = segments[0]?.route ?? '';
  const end = project.natural_villages[0]?.name ?? '';
  const mixed = segments.some((s) => s.hardened) && segments.some((s) => !s.hardened);
  if (mixed || !surface) {
    const pieces: Piece[] = [];
    let at = 0;
    for (const segment of segments) {
      const last = pieces[pieces.length - 1];
      if (last && last.hardened === segment.hardened) last.to = at + segment.km;
      else pieces.push({ from: at, to: at + segment.km, hardened: segment.hardened });
      at += segment.km;
    }
    return { pieces, total: at, start, end, derived: false };
  }
  const done = Math.min(surface.done, surface.planned);
  const pieces: Piece[] = [];
  if (done > 0) pieces.push({ from: 0, to: done, hardened: true });
  if (done < surface.planned) pieces.push({ from: done, to: surface.planned, hardened: false });
  return {
    pieces,
    total: surface.planned,
    start,
    end,
    derived: done > 0 && done < surface.planned,
  };
}
