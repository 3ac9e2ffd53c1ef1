// Tiles name things by the code of the field, the API by its own id.
import { api } from '$lib/api';

/** The id of the project with this code; null when the reader may not see it. */
export async function projectId(code: string): Promise<string | null> {
  const { items } = await api.projects({ q: code, limit: 20 });
  return items.find((p) => p.code === code)?.id ?? null;
}

/** The id of the natural village with this code, in its village. */
export async function naturalVillageId(code: string, village: string): Promise<string | null> {
  const { items } = await api.naturalVillages(village, { limit: 200 });
  return items.find((v) => v.code === code)?.id ?? null;
}
