/** The state of the change feed as screens show it. */
import type { ConnectionState } from './stream';

let state = $state<ConnectionState>('connecting');

export const connection = {
  get state(): ConnectionState {
    return state;
  },
  set(next: ConnectionState): void {
    state = next;
  },
};
